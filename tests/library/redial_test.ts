/**
 * Clients that outlive their dial-in server.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Client, connect, dial, type DialOptions } from "../../mod.ts";
import { bytes, text } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { cluster, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest, type Logs } from "../logs.ts";
import { freshHost } from "../places.ts";
import { run } from "../tool.ts";
import { callsAt, untilCalls } from "../traces.ts";
import { until, within } from "../until.ts";

/** Milliseconds in which every call on a server that was killed must have failed. */
const KNOWN_WITHIN_MS = 1_000;

/** Milliseconds for a call that has to wait for another server, on a machine that is busy. */
const REDIALLED_MS = 10_000;

/** Whether a promise is settled by now. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return await Promise.race([promise, Promise.resolve(pending)]) === pending;
}

/** Kills the servers one after another, each time the one that the client is dialled into. */
async function outliveAll(logs: Logs, args: readonly string[], options: DialOptions) {
  await using near = await RunningServer.start({ logs, args });
  await using stack = new AsyncDisposableStack();
  const left = new Map([[near.id, near]]);
  for (let i = 0; i < 3; i++) {
    const join = ["-j", near.address, ...args];
    const server = stack.use(await RunningServer.start({ logs, args: join }));
    left.set(server.id, server);
  }
  await using client = await dial(near.address, { ...options, redial: true });
  await until("all servers", () => client.servers(), (servers) => servers.length === left.size);
  while (left.size > 1) {
    const server = left.get(client.serverId);
    assert(server, `dialled into ${client.serverId}, which was killed`);
    assertEquals(client.address, server.address);
    const chan = await client.anchor(server.path).walk("c").makeChan();
    let ends = 0;
    const waiting = assertFails("SERVER_GONE", chan.recvBytes().finally(() => ends++));
    await untilCalls(client, server, 1);

    await server.crash();
    left.delete(server.id);
    await within(KNOWN_WITHIN_MS, "the failure of the call under way", waiting);
    const servers = await within(REDIALLED_MS, "the list of servers", client.servers());
    assert(servers.length >= left.size, `${servers.length} servers`);
    assertEquals(ends, 1);
    assertNotEquals(client.serverId, server.id);
    await assertFails("SERVER_GONE", chan.stat());
    await until(
      `${server.id} to be gone from the list`,
      () => client.servers(),
      (servers) => servers.length === left.size,
    );
  }
  assert(await isPending(client.closed));
  const chan = await client.anchor(`/${client.serverId}`).walk("last").makeChan(1);
  await chan.sendBytes(bytes("still here"));
  assertEquals(text(await chan.recvBytes()), "still here");
}

circuitTest(
  "redial takes a client to another server whenever its dial-in server is killed",
  (logs) => outliveAll(logs, [], {}),
);

circuitTest("redial works in a circuit with a key", async (logs) => {
  const folder = await Deno.makeTempDir();
  try {
    const key = (await run(["keygen"])).trim();
    await Deno.writeTextFile(`${folder}/key`, key + "\n", { mode: 0o600 });
    await outliveAll(logs, ["-hmac", `${folder}/key`], { key: Uint8Array.fromBase64(key) });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

circuitTest("redial follows a server that stops in order", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dial(circuit.near.address, { redial: true });
  const element = await client.anchor(circuit.near.path).get();
  assert(element?.kind === "server");
  await element.suicide();
  await circuit.near.status;
  const servers = await within(REDIALLED_MS, "the list of servers", client.servers());
  assertEquals(servers.map(({ serverId }) => serverId), [circuit.far.id]);
  assertEquals(client.serverId, circuit.far.id);
});

circuitTest("redial goes to a server that joined after the client had dialled", async (logs) => {
  await using first = await RunningServer.start({ logs });
  await using client = await dial(first.address, { redial: true });
  await using second = await RunningServer.start({ logs, args: ["-j", first.address] });
  await untilSeen(first, [first, second]);
  // The client asks again and again; this is how it comes to hear of the second one.
  const before = await linesOf(first);
  await until("the client to ask", () => linesOf(first), (now) => now !== before);
  await first.crash();
  const [server] = await within(REDIALLED_MS, "the list of servers", client.servers());
  assertEquals([server?.path !== undefined, client.serverId], [true, second.id]);

  /** What a server has received from clients, which is more once the client has asked. */
  async function linesOf(server: RunningServer): Promise<string> {
    await using other = await dial(server.address);
    const element = await other.anchor(server.path).get();
    assert(element?.kind === "server");
    const report = await new Response(
      element.profile("tasks") as ReadableStream<Uint8Array<ArrayBuffer>>,
    ).text();
    // The line of the client that has been there for longest.
    return /client .*/.exec(report)?.[0] ?? "";
  }
});

circuitTest("redial leaves calls alone that go straight to another server", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dial(near.address, { redial: true });
  const chan = await client.anchor(far.path).walk("c").makeChan();
  const received = chan.recvBytes();
  await until("the call to wait", () => callsAt(client, far), (calls) => calls === 1);
  await near.crash();
  // Nothing has to be dialled: there is a connection to that server.
  await within(REDIALLED_MS, "the list of servers", client.servers());
  assertEquals(client.serverId, far.id);
  await chan.sendBytes(bytes("straight"));
  assertEquals(text(await received), "straight");
});

circuitTest("redial waits for a circuit that is gone altogether, and comes back", async (logs) => {
  const first = await RunningServer.start({ logs, listen: `${freshHost()}:0` });
  await using client = await dial(first.hostPort, { redial: true });
  await first.crash();
  await client.servers({ signal: AbortSignal.timeout(50) }).then(
    () => assert(false, "there is no server"),
    ({ code }) => assertEquals(code, "TIMEOUT"),
  );
  const waiting = client.servers();
  // Any server at that address will do, for the address that was given names none.
  await using second = await RunningServer.start({ logs, listen: first.hostPort });
  const servers = await within(REDIALLED_MS, "the list of servers", waiting);
  assertEquals(servers.map(({ path }) => path), [second.path]);
  assertEquals([client.serverId, client.address], [second.id, second.address]);
  await first[Symbol.asyncDispose]();
});

circuitTest("a call waits 10 s for another server, unless it is cancelled", async (logs) => {
  await using server = await RunningServer.start({ logs });
  const client = await dial(server.address, { redial: true });
  const anchor = client.anchor(server.path).walk("c");
  await server.crash();
  const reason = new Error("no time");
  const controller = new AbortController();
  const cancelled = assertFails("ABORTED", anchor.get(controller));
  const patient = assertFails("UNREACHABLE", client.servers());
  controller.abort(reason);
  assertEquals((await cancelled).cause, reason);
  const { message } = await patient;
  assert(message.includes(server.address) && message.includes("10 s"), message);

  // Closing ends the search, and what waits for it.
  const closed = assertFails("ABORTED", client.servers());
  const open = await anchor.walk("p").makeProc({ path: "true" }, { signal: AbortSignal.abort() })
    .then(() => "made", ({ code }) => code);
  assertEquals(open, "ABORTED");
  assert(await isPending(client.closed));
  await within(1_000, "Client.close()", client.close());
  await closed;
  await client.closed;
  await assertFails("CLOSED", client.servers());
});

circuitTest("without redial the client is closed with its dial-in server", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dial(circuit.near.address);
  await circuit.near.crash();
  await within(KNOWN_WITHIN_MS, "Client.closed", client.closed);
  await assertFails("CLOSED", client.servers());
  assertEquals(client.serverId, circuit.near.id);
});

circuitTest("connect() redials the servers that its file names by then", async (logs) => {
  await using first = await RunningServer.start({ logs });
  await using second = await RunningServer.start({ logs });
  const file = await Deno.makeTempFile();
  const before = Deno.env.get("CIRCUIT");
  try {
    await Deno.writeTextFile(file, first.address);
    Deno.env.set("CIRCUIT", file);
    await using client = await connect({ redial: true });
    assertEquals(client.serverId, first.id);
    // The two are in circuits of their own: nothing but the file tells of the second.
    await Deno.writeTextFile(file, second.address);
    await first.crash();
    await within(REDIALLED_MS, "the list of servers", client.servers());
    assertEquals(client.serverId, second.id);
  } finally {
    if (before === undefined) Deno.env.delete("CIRCUIT");
    else Deno.env.set("CIRCUIT", before);
    await Deno.remove(file);
  }
});

circuitTest("the clients of a server that is killed spread over the others", async (logs) => {
  const count = 100;
  await using circuit = await cluster(3, { logs });
  await using stack = new AsyncDisposableStack();
  const clients: Client[] = await Promise.all(
    Array.from(
      { length: count },
      async () => stack.use(await dial(circuit.near.address, { redial: true })),
    ),
  );
  await circuit.near.crash();
  await within(REDIALLED_MS, "all clients", Promise.all(clients.map((each) => each.servers())));
  const there = clients.filter(({ serverId }) => serverId === circuit.far.id).length;
  // Half of them are expected; a quarter is five standard deviations from that.
  assert(there > count / 4 && there < count * 3 / 4, `${there} of ${count}`);
});

circuitTest(
  "a client hears from its dial-in server that another one has gone silent",
  async (logs) => {
    await using circuit = await cluster(3, { logs });
    await using client = await dial(circuit.near.address);
    const chan = await client.anchor(circuit.far.path).walk("c").makeChan();
    const waiting = assertFails("SERVER_GONE", chan.recvBytes());
    await untilCalls(client, circuit.far, 1);
    circuit.far.kill("SIGSTOP");
    // Its connections stay open, and the client itself would notice after 10 s.
    await within(8_000, "the failure of the call", waiting);
  },
);

circuitTest("redial: dial() fails if its server is lost before it names another", async (logs) => {
  await using server = await RunningServer.start({ logs });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // Passes on the hellos, and breaks off at the first request.
  const relaying = (async () => {
    using near = await listener.accept();
    const { hostname, port } = new URL(`http://${server.hostPort}`);
    using far = await Deno.connect({ hostname, port: Number(port) });
    const buffer = new Uint8Array(4096);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      await to.write(buffer.slice(0, await from.read(buffer) ?? 0));
    }
    await near.read(buffer);
  })();
  await assertFails("SERVER_GONE", dial(`127.0.0.1:${listener.addr.port}`, { redial: true }));
  await relaying;
});
