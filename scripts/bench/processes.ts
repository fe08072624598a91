/**
 * Starting processes, waiting for them, and removing them.
 *
 * @module
 */

import { type Anchor, dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import { compare, rate } from "./measure.ts";
import { type Bench, compared } from "./section.ts";

/** Processes of a round, for each that runs at a time. */
const STARTS = 100;

/** Processes that run at a time. */
const IN_FLIGHT = 16;

/** `/bin/true`, one at a time and many. */
export async function processes(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using client = await dial(server.address);
  const start = starter(client.anchor(`/${server.serverId}`));
  for (const inFlight of [1, IN_FLIGHT]) {
    const starts = inFlight === 1 ? STARTS : 4 * STARTS;
    const ours = () => rate(starts, inFlight, start);
    const result = await compare(bench.rounds, ours, () => rate(starts, inFlight, bare));
    const how = inFlight === 1 ? "one at a time" : `${inFlight} at a time`;
    const work = `/bin/true: start, wait, scrub; ${how}`;
    bench.add(compared(work, "/s", "Deno.Command", result, { of: "ratio", atLeast: 0.7 }));
  }
}

/** Starts a process at an anchor of its own, again and again. */
export function starter(root: Anchor): () => Promise<void> {
  let number = 0;
  return async () => {
    const proc = await root.walk("true", `${number++}`).makeProc({ path: "/bin/true" });
    await proc.wait();
    await proc.scrub();
  };
}

async function bare(): Promise<void> {
  await new Deno.Command("/bin/true", { stdin: "null", stdout: "piped", stderr: "piped" }).output();
}
