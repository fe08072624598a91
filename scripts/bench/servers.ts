/**
 * Many servers in one circuit.
 *
 * @module
 */

import { type Client, dial } from "../../mod.ts";
import { type ServerProcess, startServerProcess } from "../server_process.ts";
import { compare, latency, repeat } from "./measure.ts";
import { commandLine, run } from "./programs.ts";
import { type Bench, compared } from "./section.ts";

/** Servers of the circuit. */
const SERVERS = 40;

/** Servers that start at a time. */
const STARTING = 4;

/** Milliseconds in which all of them must be listed. */
const LISTED_MS = 60_000;

/** Calls of a round. */
const CALLS = 200;

/** Runs of a round of a whole command. */
const RUNS = 3;

/** What each server may add to a command that runs on all of them, in milliseconds. */
const SERVER_MS = 10;

/** Listing the servers from a client that is connected, and a command on all of them. */
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
  await runOnAll(bench, first);
}

async function runOnAll(bench: Bench, first: ServerProcess): Promise<void> {
  const circuit = [...await commandLine(), "run", "-d", first.address];
  const hostname = (where: string) => async () =>
    await latency(() => run([...circuit, where, "--", "hostname"]), RUNS) / 1000;
  const result = await compare(bench.rounds, hostname("/"), hostname(`/${first.serverId}`));
  bench.add(compared(
    `circuit run / -- hostname, ${SERVERS} servers`,
    "ms",
    "one server",
    result,
    { of: "value", atMost: 2 * result.raw + SERVER_MS * SERVERS },
  ));
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
