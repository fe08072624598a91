/**
 * Every call that can wait takes an AbortSignal, and frees what it held.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { CallOptions, Chan, Client, Proc } from "../../mod.ts";
import { bytes } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { type Cluster, cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { onBothRoutes } from "../routes.ts";
import { callsAt, untilCalls } from "../traces.ts";
import { until } from "../until.ts";

/** What the calls below are made on. */
interface Scene {
  readonly client: Client;
  readonly chan: Chan;
  readonly full: Chan;
  readonly proc: Proc;
}

/** Calls that wait for something that does not happen. */
const WAITING: Record<string, (scene: Scene, options: CallOptions) => Promise<unknown>> = {
  "Chan.recvBytes()": ({ chan }, options) => chan.recvBytes(options),
  "Chan.recv()": ({ chan }, options) => chan.recv(options),
  "Chan.send()": ({ full }, options) => full.send(options),
  "Chan.sendBytes()": ({ full }, options) => full.sendBytes(bytes("x"), options),
  "Chan.sendBytes() of a long message": ({ full }, options) =>
    full.sendBytes(new Uint8Array(1_000_000), options),
  "Proc.wait()": ({ proc }, options) => proc.wait(options),
  "Proc.stdout()": ({ proc }, options) => proc.stdout(options).getReader().read(),
  "Proc.stderr()": ({ proc }, options) => proc.stderr(options).getReader().read(),
  "Proc.stdin() of a process that does not read": ({ proc }, options) =>
    ReadableStream.from([new Uint8Array(10_000_000)]).pipeTo(proc.stdin(options)),
};

async function makeScene(circuit: Cluster, client: Client): Promise<Scene> {
  const far = client.anchor(circuit.far.path);
  const chan = await far.walk("empty").makeChan();
  const full = await far.walk("full").makeChan(1);
  await full.sendBytes(bytes("fills it"));
  const proc = await far.walk("proc").makeProc({ path: "sleep", args: ["1000"] });
  return { client, chan, full, proc };
}

onBothRoutes("a signal cancels each call that waits, and frees what it held", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const scene = await makeScene(circuit, client);
  for (const [name, call] of Object.entries(WAITING)) {
    const controller = new AbortController();
    const failure = assertFails("ABORTED", call(scene, controller));
    await until(`${name} to wait`, () => callsAt(client, circuit.far), (calls) => calls === 1);
    controller.abort();
    await failure;
    await until(`${name} to be over`, () => callsAt(client, circuit.far), (calls) => calls === 0);
    await assertFails("ABORTED", call(scene, { signal: AbortSignal.abort() }));
  }
  assertEquals(await callsAt(client, circuit.near), 0);
  // All is as it was: nobody waits, reads or writes.
  const { chan, full, proc } = scene;
  assertEquals([(await chan.stat()).numSend, (await full.stat()).numSend], [0, 1]);
  const reader = proc.stdout().getReader();
  const reading = reader.read();
  await proc.signal("KILL");
  assertEquals((await reading).done, true);
});

onBothRoutes("a time limit ends a call with TIMEOUT", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const { chan, proc } = await makeScene(circuit, client);
  await assertFails("TIMEOUT", chan.recvBytes({ signal: AbortSignal.timeout(50) }));
  await assertFails("TIMEOUT", proc.wait({ signal: AbortSignal.timeout(50) }));
  await untilCalls(client, circuit.far, 0);
});

circuitTest("each call lets go of its signal when it is over", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dialTo(circuit.near);
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const anchor = client.anchor(circuit.far.path).walk("a");
  for (let i = 0; i < 50; i++) {
    const chan = await anchor.makeChan(1, { signal });
    await chan.sendBytes(bytes("x"), { signal });
    await chan.recvBytes({ signal });
    await chan.stat({ signal });
    await anchor.get({ signal });
    await anchor.view({ signal });
    await client.servers({ signal });
    await chan.close({ signal });
    await assertFails("CLOSED", chan.recvBytes({ signal }));
    await chan.scrub({ signal });
    const proc = await anchor.makeProc({ path: "/bin/true" }, { signal });
    await proc.wait({ signal });
    for await (const _chunk of proc.stdout({ signal }));
    await proc.scrub({ signal });
  }
  assertEquals(listeners(), 0);
});

/** Counts the listeners that a signal has. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  return () => count;
}
