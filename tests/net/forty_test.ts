/**
 * Forty servers on one host: how long they take to find together, and what they cost when idle.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { BarePrograms } from "./bare_programs.ts";
import { Lab, labTest } from "./lab.ts";
import { readCounters, sum, undisturbedMs } from "./machine.ts";
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

/** Milliseconds of the measurement. */
const MEASURED_MS = 30_000;

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
  const [counters, traffic] = [await readCounters(measured), await lab.traffic(host, "lo")];
  // What is measured is how much happens in this time: there is nothing to wait for.
  await sleep(MEASURED_MS);
  const [later, laterTraffic] = [await readCounters(measured), await lab.traffic(host, "lo")];
  const seconds = (later.at - counters.at) / 1000;
  const bytes = (laterTraffic.sent - traffic.sent) / seconds / COUNT;
  const shares = later.processMs.map((ms, i) => (ms - (counters.processMs[i] ?? 0)) / seconds / 10);
  const [loads, bareLoads] = [shares.slice(0, COUNT), shares.slice(COUNT)];
  const bareLoad = sum(bareLoads) / BARE_COUNT;
  console.log(`mean load of a server: ${(sum(loads) / COUNT).toPrecision(3)} % of a core`);
  console.log(`mean load of a bare program: ${bareLoad.toPrecision(3)} % of a core`);
  const load = Math.max(LOAD, TIMES_BARE * bareLoad);
  assertAtMost("traffic of a server, with all headers", bytes, TRAFFIC, "B/s");
  assertAtMost("load of the busiest server", Math.max(...loads), load, "% of a core");
  // Nothing has happened meanwhile.
  await servers.listed(all, all, began, JOINED_MS);
  const gone = all.flatMap(({ watcher }) => watcher.events.filter(({ type }) => type === "left"));
  assertEquals(gone, []);
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
