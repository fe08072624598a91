/**
 * Many anchors, each with a channel.
 *
 * @module
 */

import { type Anchor, dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import { rate, repeat, seconds } from "./measure.ts";
import { residentBytes } from "./process.ts";
import type { Bench } from "./section.ts";

/** Anchors that hold a channel; there are some more above them. */
const ANCHORS = 100_000;

/** Anchors below one. */
const FAN = 100;

/** Calls in flight. */
const IN_FLIGHT = 64;

/** What an anchor costs the server, and how fast they are listed. */
export async function anchors(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using client = await dial(server.address);
  const root = client.anchor(`/${server.serverId}`);
  // What making channels makes the server compile and allocate for good is no cost of an anchor.
  let warm = 0;
  await rate(5_000, IN_FLIGHT, async () => {
    const chan = await root.walk(`warm-${warm++}`).makeChan(1);
    await chan.scrub();
  });
  const before = await residentBytes(server.pid);
  let made = 0;
  await rate(ANCHORS, IN_FLIGHT, async () => {
    const number = made++;
    await root.walk(`job-${Math.floor(number / FAN)}`, `inbox-${number % FAN}`).makeChan(1);
  });
  const after = await residentBytes(server.pid);
  const work = `${ANCHORS.toLocaleString("en-US")} anchors with channels`;
  if (before === undefined || after === undefined) {
    bench.skip(`${work}: memory an anchor`, "this system has no /proc");
  } else {
    bench.add({
      work: `${work}: memory an anchor`,
      unit: "B",
      value: (after - before) / ANCHORS,
      target: { of: "value", atMost: 1_500 },
    });
  }
  bench.add({
    work: `${work}: ls /...`,
    unit: "/s",
    value: await repeat(bench.rounds, () => list(root)),
    target: { of: "value", atLeast: 200_000 },
  });
}

/** Paths a second. */
async function list(root: Anchor): Promise<number> {
  const start = performance.now();
  let paths = 0;
  for await (const _ of root.list({ recursive: true })) paths++;
  if (paths !== ANCHORS + ANCHORS / FAN) throw new Error(`${paths} paths were listed`);
  return paths / seconds(start);
}
