/**
 * Forty servers on one host: how long they take to find together, and what they cost when idle.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { median } from "../../scripts/bench/measure.ts";
import { BarePrograms } from "./bare_programs.ts";
import { Lab, labTest } from "./lab.ts";
import { readCounters, type Reading, sum, undisturbedMs } from "./machine.ts";
import { assertAtMost } from "./report.ts";
import { idsOf, listing, Servers } from "./servers.ts";

const COUNT = 40;

/** Servers that are starting at the same time: what starts costs a core more than what runs. */
const AT_ONCE = 4;

/** Milliseconds from the start of the first until all list all. */
const JOINED_MS = 15_000;

/**
 * Milliseconds after that until they are idle: so long servers that have just found together swap links,
 * and V8 compiles and tidies up.
 */
const SETTLE_MS = 30_000;

/**
 * Milliseconds of a measurement, and how many there are. A collection of garbage or a swap of links
 * comes once in minutes and takes as long as a server otherwise does in many seconds; what a server
 * takes is the median of its measurements.
 */
const MEASURED_MS = 15_000;
const MEASUREMENTS = 3;

/** Bytes a second that an idle server sends, with the headers of TCP, IP and Ethernet. */
const TRAFFIC = 1_500;

/** Percent of a core that an idle server takes. */
const LOAD = 0.5;

/**
 * How many times what a bare program takes in the same time, where that is more than {@linkcode LOAD}.
 * Where others use the machine, caches are cold and everything takes longer, also by the counters of a
 * process; on one that is quiet a bare program takes about 0.13 %, so {@linkcode LOAD} is what counts.
 */
const TIMES_BARE = 4;

/** Bare programs beside the servers. */
const BARE_COUNT = 4;

labTest("forty servers on one host join soon and cost little when idle", async (logs) => {
  await using lab = await Lab.create(2);
  await using servers = new Servers(logs);
  // The bare programs have a loopback interface of their own: the servers' traffic is counted.
  const [host, besides] = lab.hosts;
  if (!host || !besides) throw new Error("no hosts");
  const start = (...args: string[]) =>
    servers.start(host, { level: "info", args: ["-if", "eth0", ...args] });

  const [began, beginning] = [Date.now(), await readCounters([])];
  const first = await start();
  const all = [first];
  let left = COUNT - 1;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) all.push(await start("-j", first.address));
  }));
  const pids = all.map(({ pid }) => pid);
  const joined = await servers.listed(all, all, began, JOINED_MS);
  const alone = undisturbedMs(beginning, await readCounters(pids));
  console.log(`all list all after ${joined} ms`);
  assertAtMost("that is, without what others took of the machine", alone, JOINED_MS, "ms");
  assertEquals(await listing(first), idsOf(all));

  await using bare = await BarePrograms.start(besides, BARE_COUNT);
  const measured = [...pids, ...bare.pids];
  await sleep(SETTLE_MS);
  // Servers of one host talk through its loopback interface, by whatever address.
  const before = await lab.traffic(host, "lo");
  const readings = [await readCounters(measured)];
  while (readings.length <= MEASUREMENTS) {
    // What is measured is how much happens in this time: there is nothing to wait for.
    await sleep(MEASURED_MS);
    readings.push(await readCounters(measured));
  }
  const after = await lab.traffic(host, "lo");
  const seconds = ((readings.at(-1)?.at ?? NaN) - (readings[0]?.at ?? NaN)) / 1000;
  const bytes = (after.sent - before.sent) / seconds / COUNT;
  const shares = measured.map((_, i) => median(loads(readings, i)));
  const [ours, bares] = [shares.slice(0, COUNT), shares.slice(COUNT)];
  const bareLoad = sum(bares) / BARE_COUNT;
  console.log(`mean load of a server: ${(sum(ours) / COUNT).toPrecision(3)} % of a core`);
  console.log(`mean load of a bare program: ${bareLoad.toPrecision(3)} % of a core`);
  const load = Math.max(LOAD, TIMES_BARE * bareLoad);
  assertAtMost("traffic of a server, with all headers", bytes, TRAFFIC, "B/s");
  assertAtMost("load of the busiest server", Math.max(...ours), load, "% of a core");
  // Nothing has happened meanwhile.
  await servers.listed(all, all, began, JOINED_MS);
  const gone = all.flatMap(({ watcher }) => watcher.events.filter(({ type }) => type === "left"));
  assertEquals(gone, []);
});

/** What a process took in each measurement, in percent of a core. */
function loads(readings: readonly Reading[], i: number): number[] {
  return readings.slice(1).map((later, k) => {
    const earlier = readings[k] ?? later;
    const ms = (later.processMs[i] ?? 0) - (earlier.processMs[i] ?? 0);
    return ms / (later.at - earlier.at) * 100;
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
