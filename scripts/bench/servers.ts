/**
 * Many servers in one circuit.
 *
 * @module
 */

import { type Client, dial } from "../../mod.ts";
import { type ServerProcess, startServerProcess } from "../server_process.ts";
import { latency, repeat } from "./measure.ts";
import type { Bench } from "./section.ts";

/** Servers of the circuit. */
const SERVERS = 40;

/** Servers that start at a time. */
const STARTING = 4;

/** Milliseconds in which all of them must be listed. */
const LISTED_MS = 60_000;

/** Calls of a round. */
const CALLS = 200;

/** Listing the servers, from a client that is connected. */
export async function servers(bench: Bench): Promise<void> {
  await using started = new AsyncDisposableStack();
  const first = started.use(await startServerProcess());
  for (let count = 1; count < SERVERS;) {
    const next: Promise<ServerProcess>[] = [];
    for (; next.length < STARTING && count < SERVERS; count++) {
      next.push(startServerProcess(["-j", first.address]));
    }
    for (const server of await Promise.all(next)) started.use(server);
  }
  await using client = await dial(first.address);
  await allListed(client);
  const p50 = await repeat(bench.rounds, () => latency(() => list(client), CALLS));
  bench.add({
    work: `${SERVERS} servers on one host: ls /, p50`,
    unit: "ms",
    value: p50 / 1000,
    target: { of: "value", atMost: 5 },
  });
}

async function allListed(client: Client): Promise<void> {
  const end = performance.now() + LISTED_MS;
  for (;;) {
    const count = await list(client);
    if (count === SERVERS) return;
    if (performance.now() > end) throw new Error(`${count} of ${SERVERS} servers are listed`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function list(client: Client): Promise<number> {
  let count = 0;
  for await (const _ of client.anchor("/").list()) count++;
  return count;
}
