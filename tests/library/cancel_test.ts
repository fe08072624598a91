/**
 * Every method of the library takes an AbortSignal: aborted before, and while it waits. Streams can
 * be given up at any time. What is given up leaves nothing behind, on either side.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Anchor,
  type CallOptions,
  type Chan,
  CircuitError,
  type Client,
  dial,
  type Nameserver,
  type Proc,
  type Server,
  type Subscription,
} from "../../mod.ts";
import { bytes, text } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { heldBytes } from "../held.ts";
import { type Cluster, cluster, dialTo, type RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { countListeners } from "../listeners.ts";
import { onBothRoutes } from "../routes.ts";
import { callsAt, hasProcFs, openFiles, residentBytes, untilCalls } from "../traces.ts";
import { until, within } from "../until.ts";

/** One element of each kind, on the far server. */
interface Scene {
  readonly client: Client;
  readonly anchor: Anchor;
  readonly empty: Anchor;
  readonly chan: Chan;
  readonly full: Chan;
  readonly proc: Proc;
  readonly joins: Subscription;
  readonly server: Server;
  readonly names: Nameserver;
}

async function makeScene(circuit: Cluster, client: Client): Promise<Scene> {
  const anchor = client.anchor(circuit.far.path);
  const full = await anchor.walk("full").makeChan(1);
  await full.sendBytes(bytes("fills it"));
  const joins = await anchor.walk("leaves").makeOnLeave();
  const server = await anchor.get();
  assert(server?.kind === "server");
  return {
    client,
    anchor,
    empty: anchor.walk("nothing"),
    chan: await anchor.walk("chan").makeChan(),
    full,
    proc: await anchor.walk("proc").makeProc({ path: "sleep", args: ["1000"] }),
    joins,
    server,
    names: await anchor.walk("names").makeNameserver(),
  };
}

type Method = (scene: Scene, options: CallOptions) => Promise<unknown>;

/** Each method, with something that it can do at once. */
const METHODS: Record<string, Method> = {
  "Client.servers()": ({ client }, options) => client.servers(options),
  "Anchor.view()": ({ anchor }, options) => anchor.view(options),
  "Anchor.view() of /": ({ client }, options) => client.anchor("/").view(options),
  "Anchor.list()": ({ anchor }, options) => Array.fromAsync(anchor.list(options)),
  "Anchor.list() of all": ({ client }, { signal }) =>
    Array.fromAsync(client.anchor("/").list({ recursive: true, signal })),
  "Anchor.get()": ({ anchor }, options) => anchor.get(options),
  "Anchor.makeProc()": ({ empty }, options) => empty.makeProc({ path: "true" }, options),
  "Anchor.makeChan()": ({ empty }, options) => empty.makeChan(1, options),
  "Anchor.makeOnJoin()": ({ empty }, options) => empty.makeOnJoin(options),
  "Anchor.makeOnLeave()": ({ empty }, options) => empty.makeOnLeave(options),
  "Anchor.makeNameserver()": ({ empty }, options) => empty.makeNameserver(undefined, options),
  "Anchor.makeContainer()": ({ empty }, options) => empty.makeContainer({ image: "none" }, options),
  "Anchor.scrub()": ({ empty }, options) => empty.scrub(options),
  "Chan.close()": ({ chan }, options) => chan.close(options),
  "Chan.stat()": ({ chan }, options) => chan.stat(options),
  "Chan.scrub()": ({ chan }, options) => chan.scrub(options),
  "Proc.signal()": ({ proc }, options) => proc.signal("KILL", options),
  "Proc.getEnv()": ({ proc }, options) => proc.getEnv(options),
  "Proc.getCmd()": ({ proc }, options) => proc.getCmd(options),
  "Proc.peek()": ({ proc }, options) => proc.peek(options),
  "Proc.scrub()": ({ proc }, options) => proc.scrub(options),
  "Subscription.peek()": ({ joins }, options) => joins.peek(options),
  "Subscription.scrub()": ({ joins }, options) => joins.scrub(options),
  "Server.peek()": ({ server }, options) => server.peek(options),
  "Server.rejoin()": ({ server, client }, options) => server.rejoin(client.address, options),
  "Server.profile()": ({ server }, options) => Array.fromAsync(server.profile("tasks", options)),
  "Server.suicide()": ({ server }, options) => server.suicide(options),
  "Nameserver.set()": ({ names }, options) => names.set("a. IN A 10.0.0.1", options),
  "Nameserver.unset()": ({ names }, options) => names.unset("a.", options),
  "Nameserver.peek()": ({ names }, options) => names.peek(options),
  "Nameserver.scrub()": ({ names }, options) => names.scrub(options),
};

/** Calls that wait for something that does not happen. */
const WAITING: Record<string, Method> = {
  "Chan.send()": ({ full }, options) => full.send(options),
  "Chan.sendBytes()": ({ full }, options) => full.sendBytes(bytes("x"), options),
  "Chan.sendBytes() of a long message": ({ full }, options) =>
    full.sendBytes(new Uint8Array(1_000_000), options),
  "Chan.recv()": ({ chan }, options) => chan.recv(options),
  "Chan.recvBytes()": ({ chan }, options) => chan.recvBytes(options),
  "Proc.wait()": ({ proc }, options) => proc.wait(options),
  "Proc.stdout()": ({ proc }, options) => proc.stdout(options).getReader().read(),
  "Proc.stderr()": ({ proc }, options) => proc.stderr(options).getReader().read(),
  "Proc.stdin()": ({ proc }, options) => proc.stdin(options).getWriter().closed,
  "Proc.stdin() of a process that does not read": ({ proc }, options) =>
    ReadableStream.from([new Uint8Array(10_000_000)]).pipeTo(proc.stdin(options)),
  "Subscription.consume()": ({ joins }, options) => joins.consume(options),
};

onBothRoutes("every method fails with ABORTED when its signal is aborted", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const scene = await makeScene(circuit, client);
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const controllers = Object.entries({ ...METHODS, ...WAITING }).map(async ([name, method]) => {
    const before = await assertFails("ABORTED", method(scene, { signal }));
    assertEquals(before.cause, reason, name);
  });
  await Promise.all(controllers);
  // Nothing of it has happened.
  assertEquals(await scene.empty.get(), undefined);
  assertEquals((await scene.proc.peek()).phase, "running");
  assertEquals((await scene.chan.stat()).closed, false);
  await untilCalls(client, circuit.far, 0);

  // A server that is stopped answers nothing: now all of them wait.
  circuit.far.kill("SIGSTOP");
  const { far } = circuit;
  try {
    for (const [name, method] of Object.entries(METHODS)) {
      if (/^Client|of \/$/.test(name)) continue;
      const controller = new AbortController();
      const failure = assertFails("ABORTED", method(scene, controller));
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.abort(reason);
      assertEquals((await within(1_000, name, failure)).cause, reason, name);
    }
  } finally {
    far.kill("SIGCONT");
  }
});

onBothRoutes("a signal cancels each call that waits, and frees what it held", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const scene = await makeScene(circuit, client);
  for (const [name, method] of Object.entries(WAITING)) {
    const reason = { name };
    const controller = new AbortController();
    const failure = assertFails("ABORTED", method(scene, controller));
    await untilCalls(client, circuit.far, 1);
    controller.abort(reason);
    assertEquals((await failure).cause, reason, name);
    await untilCalls(client, circuit.far, 0);
  }
  assertEquals(await callsAt(client, circuit.near), 0);
  // All is as it was: nobody waits, reads or writes.
  const { chan, full, proc } = scene;
  assertEquals([(await chan.stat()).numSend, (await full.stat()).numSend], [0, 1]);
  const reading = proc.stdout().getReader().read();
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

onBothRoutes("a message that was received and not read goes back", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await client.anchor(far.path).walk("c").makeChan(2);
  await chan.sendBytes(bytes("one"));
  await chan.sendBytes(bytes("two"));
  const stream = await chan.recv();
  await stream.cancel("not now");
  const controller = new AbortController();
  const reader = (await chan.recv(controller)).getReader();
  controller.abort();
  await assertFails("ABORTED", reader.read());
  await untilCalls(client, far, 0);
  assertEquals([text(await chan.recvBytes()), text(await chan.recvBytes())], ["one", "two"]);
});

onBothRoutes("aborting a stream ends a write that waits", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await client.anchor(far.path).walk("p").makeProc({ path: "sleep", args: ["1000"] });
  const writer = proc.stdin().getWriter();
  const writing = writer.write(new Uint8Array(10_000_000));
  const failure = assertFails("ABORTED", writing);
  await untilCalls(client, far, 1);
  await within(5_000, "the stream's abort", writer.abort("enough"));
  await failure;
  await untilCalls(client, far, 0);
  // Standard input is there for the next writer.
  const next = proc.stdin().getWriter();
  await next.write(bytes("x"));
  await next.abort();

  const chan = await client.anchor(far.path).walk("c").makeChan(1);
  const sender = (await chan.send()).getWriter();
  void sender.write(new Uint8Array(100_000)).catch(() => {});
  await within(5_000, "the message's abort", sender.abort("never mind"));
  await until("the message to be gone", () => chan.stat(), ({ numSend }) => numSend === 0);
});

onBothRoutes("cancelling a stream before it is open leaves nothing open", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await client.anchor(far.path).walk("p").makeProc({ path: "cat" });
  // Another client has no connection yet: what it opens has to wait.
  await using other = await dialTo(near);
  const same = await other.anchor(far.path).walk("p").get();
  assert(same?.kind === "proc");
  for (const each of [proc, same]) {
    const reader = each.stdout().getReader();
    const reading = reader.read();
    await reader.cancel("changed my mind");
    assertEquals((await reading).done, true);
    await each.stderr().cancel();
    await each.stdin().abort();
  }
  await untilCalls(client, far, 0);
  const echoed = proc.stdout().getReader();
  const writer = proc.stdin().getWriter();
  await writer.write(bytes("hello"));
  assertEquals(text((await echoed.read()).value ?? bytes("nothing")), "hello");
  await Promise.all([writer.close(), echoed.read()]);
});

onBothRoutes("a program that sends what is no bytes is told so", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await client.anchor(far.path).walk("c").makeChan(1);
  const text = "text" as unknown as Uint8Array;
  const { message } = await assertFails("BAD_REQUEST", chan.sendBytes(text));
  assertEquals(message, "cannot send a string: want a Uint8Array");
  const writer = (await chan.send()).getWriter();
  const error = await assertRejects(() => writer.write(text), CircuitError, "string");
  assertEquals(error.code, "BAD_REQUEST");
  await writer.closed.catch(() => {});
  // The connection and the channel are none the worse for it.
  await untilCalls(client, far, 0);
  assertEquals((await chan.stat()).numSend, 0);
});

circuitTest(
  "consume() tells a subscription that was scrubbed from a client that was closed",
  async (logs) => {
    await using circuit = await cluster(1, { logs });
    const client = await dialTo(circuit.near);
    const anchor = client.anchor(circuit.near.path);
    const scrubbed = await anchor.walk("a").makeOnLeave();
    const other = await anchor.walk("b").makeOnLeave();
    const end = scrubbed.consume();
    await untilCalls(client, circuit.near, 1);
    await scrubbed.scrub();
    assertEquals(await end, undefined);
    const failure = assertFails("ABORTED", other.consume());
    await untilCalls(client, circuit.near, 1);
    await client.close();
    await failure;
    await assertFails("CLOSED", other.consume());
  },
);

circuitTest("closing twice, and using what is closed, is harmless", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const client = await dialTo(circuit.near);
  const chan = await client.anchor(circuit.far.path).walk("c").makeChan(1);
  await Promise.all([client.close(), client.close(), client[Symbol.asyncDispose]()]);
  await client.close();
  await client.closed;
  await assertFails("CLOSED", chan.recv());
  await assertFails("CLOSED", chan.sendBytes(bytes("x")));
  await assertFails("CLOSED", chan[Symbol.asyncIterator]().next());
  const proc = client.anchor(circuit.far.path).walk("p");
  await assertFails("CLOSED", proc.makeProc({ path: "true" }));
  await assertFails("CLOSED", Array.fromAsync(client.anchor("/").list()));
});

/** Calls of all kinds that can wait, by turns. */
async function cancelMany(scene: Scene, count: number): Promise<void> {
  const methods: Method[] = [
    ...Object.values(WAITING),
    ({ anchor }, { signal }) => Array.fromAsync(anchor.list({ recursive: true, signal })),
    ({ proc }, options) => proc.stdin(options).getWriter().write(new Uint8Array(100_000)),
  ];
  const atOnce = 50;
  for (let done = 0; done < count; done += atOnce) {
    const batch = Array.from({ length: atOnce }, async (_, i) => {
      const controller = new AbortController();
      const method = methods[(done + i) % methods.length];
      const call = method?.(scene, controller).catch((error) => {
        // Two writers or readers at once are one too many, and a listing is quickly over.
        const right = error instanceof CircuitError && /ABORTED|BUSY/.test(error.code);
        if (!right) throw error;
      });
      // From at once to a while later.
      for (let turns = i % 5; turns > 0; turns--) await scene.chan.stat();
      controller.abort();
      await call;
    });
    await Promise.all(batch);
  }
}

/** Bytes of a MiB. */
const MIB = 1024 * 1024;

/** Most MiB of this process's heap that 10,000 calls may leave: some 400 bytes each. */
const MAX_GROWTH_MIB = 4;

/** What a server holds. */
async function heldBy(server: RunningServer) {
  return { files: await openFiles(server.pid), bytes: await residentBytes(server.pid) };
}

circuitTest("10,000 cancelled calls of all kinds leave nothing behind", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dial(circuit.near.address, { redial: true });
  const scene = await makeScene(circuit, client);
  // The first ones make both sides allocate what any number needs.
  await cancelMany(scene, 2_000);
  await until("the calls to be over", () => callsAt(client, circuit.far), (calls) => calls === 0);
  const before = await heldBy(circuit.far);
  const own = await heldBytes();
  await cancelMany(scene, 10_000);
  for (const server of circuit.servers) {
    await until("the calls to be over", () => callsAt(client, server), (calls) => calls === 0);
  }
  const after = await heldBy(circuit.far);
  assert(after.files <= before.files, `${after.files} open files, ${before.files} before`);
  const grown = (after.bytes - before.bytes) / MIB;
  assert(grown < 16, `the server grew by ${grown.toFixed(1)} MiB`);
  const ownAfter = await heldBytes();
  if (own !== undefined && ownAfter !== undefined) {
    const ownGrown = (ownAfter - own) / MIB;
    assert(ownGrown < MAX_GROWTH_MIB, `the client grew by ${ownGrown.toFixed(1)} MiB`);
  }
  // Nobody waits at any of them, and nothing was lost or doubled.
  const { chan, full, joins, proc } = scene;
  const [empty, filled] = [await chan.stat(), await full.stat()];
  assertEquals([empty.numSend, empty.numRecv, filled.numSend], [0, 0, 1]);
  assertEquals(text(await full.recvBytes()), "fills it");
  assertEquals((await joins.peek()).pending, 0);
  const [received] = await Promise.all([chan.recvBytes(), chan.sendBytes(bytes("on"))]);
  assertEquals(text(received), "on");
  const reading = proc.stdout().getReader().read();
  await proc.signal("KILL");
  assertEquals((await reading).done, true);
}, { ignore: !hasProcFs });
