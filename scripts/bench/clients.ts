/**
 * Many clients, each waiting for a message.
 *
 * @module
 */

import { type Client, dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import { seconds } from "./measure.ts";
import { residentBytes } from "./process.ts";
import { type Bench, SMALL } from "./section.ts";

/** Clients that are connected. */
const CLIENTS = 2_000;

/** Clients that dial at a time. */
const DIALLING = 50;

/** What a waiting client costs the server, and how fast all get their message. */
export async function clients(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using open = new AsyncDisposableStack();
  const first = open.use(await dial(server.address));
  const path = `/${server.serverId}/chan`;
  const inbox = await first.anchor(path).makeChan();
  // What one client makes the server load or allocate for good is no cost of a client.
  const warm = inbox.recvBytes();
  await inbox.sendBytes(SMALL);
  await warm;
  const before = await residentBytes(server.pid);
  const waiting: Promise<Uint8Array>[] = [];
  for (let i = 0; i < CLIENTS; i += DIALLING) {
    const dialled = await Promise.all(Array.from({ length: DIALLING }, () => dial(server.address)));
    for (const client of dialled) {
      open.use(client);
      waiting.push((await chanAt(client, path)).recvBytes());
    }
  }
  await inbox.stat();
  const work = `${CLIENTS.toLocaleString("en-US")} clients waiting in recv`;
  if (before === undefined) {
    bench.skip(`${work}: memory a client`, "this system has no /proc");
  } else {
    bench.add({
      work: `${work}: memory a client`,
      unit: "kB",
      value: ((await residentBytes(server.pid) ?? NaN) - before) / CLIENTS / 1000,
      target: { of: "value", atMost: 40 },
    });
  }
  const start = performance.now();
  const sent = Array.from({ length: CLIENTS }, () => inbox.sendBytes(SMALL));
  await Promise.all([...waiting, ...sent]);
  bench.add({
    work: `${work}: a message each`,
    unit: "s",
    value: seconds(start),
    target: { of: "value", atMost: 1 },
  });
}

async function chanAt(client: Client, path: string) {
  const element = await client.anchor(path).get();
  if (element?.kind !== "chan") throw new Error(`${path} holds no channel`);
  return element;
}
