/**
 * Small calls and small messages, one at a time and many at a time.
 *
 * @module
 */

import { type Chan, dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import { compare, latency, rate } from "./measure.ts";
import { startRaw } from "./raw.ts";
import { type Bench, compared, SMALL } from "./section.ts";

/** Calls of a round of many at a time. */
const MANY = 40_000;

/** Calls in flight on one connection. */
const IN_FLIGHT = 64;

/** Senders, and as many receivers. */
const CROWD = 32;

/** Calls and messages. */
export async function calls(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using client = await dial(server.address);
  await using raw = await startRaw();
  const { rounds } = bench;
  const root = client.anchor(`/${server.serverId}`);
  const chan = await root.walk("chan").makeChan(1_000);

  const oneAtATime = async (work: string, call: () => unknown, atMost: number) => {
    const result = await compare(rounds, () => latency(call), () => latency(() => raw.echo(SMALL)));
    bench.add(compared(work, "µs", "TCP echo", result, { of: "ratio", atMost }));
  };
  await oneAtATime("small call (stat), p50", () => chan.stat(), 1.3);
  await oneAtATime("walk and get, p50", () => root.walk("chan").get(), 1.5);
  await oneAtATime("send and recv of 100 B, p50", () => pass(chan), 2.8);

  const echoes = () => raw.rate(MANY, IN_FLIGHT, SMALL);
  const inFlight = await compare(rounds, () => rate(MANY, IN_FLIGHT, () => chan.stat()), echoes);
  const baseline = "TCP echo, pipelined";
  const work = `small calls, ${IN_FLIGHT} in flight`;
  bench.add(compared(work, "/s", baseline, inFlight, { of: "value", atLeast: 150_000 }));
  const crowd = await compare(rounds, () => passAmong(chan), echoes);
  const among = `send and recv of 100 B, ${CROWD} each`;
  bench.add(compared(among, "/s", baseline, crowd, { of: "value", atLeast: 80_000 }));
}

/** Sends a message and receives it. */
export async function pass(chan: Chan): Promise<void> {
  await chan.sendBytes(SMALL);
  await chan.recvBytes();
}

/** Messages a second from many senders to many receivers. */
async function passAmong(chan: Chan): Promise<number> {
  const [sent, received] = await Promise.all([
    rate(MANY, CROWD, () => chan.sendBytes(SMALL)),
    rate(MANY, CROWD, () => chan.recvBytes()),
  ]);
  return Math.min(sent, received);
}
