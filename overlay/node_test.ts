import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CircuitError } from "./errors.ts";
import { Membership } from "./membership/mod.ts";
import { Node, type NodeOptions } from "./node.ts";
import { dialSession } from "./transport/connect.ts";
import { encodeHello, HELLO_BYTES, readHello, writeAll } from "./transport/hello.ts";
import { MAX_CONNECTIONS, MAX_HANDSHAKES, SERVER_RESERVE } from "./transport/limits.ts";
import { MemoryNetwork } from "./transport/memory.ts";
import { settle } from "./transport/_testing.ts";
import type { Conn, Listener } from "./transport/network.ts";
import type { Session } from "./transport/session.ts";

const HOST = "server";
const KEY = new Uint8Array(64).fill(1);
const ID = "X0123456789abcdef";

/** A server's node on a network of its own, and ways to reach it. */
class Lab implements AsyncDisposable {
  readonly node: Node;
  readonly network = new MemoryNetwork();
  readonly log: string[] = [];
  readonly port: number;
  readonly #sessions: Session[] = [];
  readonly #keys: readonly Uint8Array[];
  #others = 0;

  constructor(
    options: Partial<NodeOptions> = {},
    wrap: (listener: Listener) => Listener = (listener) => listener,
  ) {
    this.#keys = options.keys?.() ?? [];
    const listener = this.network.listen(HOST, 0);
    this.port = listener.port;
    this.node = new Node({
      network: this.network,
      listener: wrap(listener),
      self: { id: ID, address: `circuit://${HOST}:${listener.port}/1/Q${ID.slice(1)}` },
      membership: (self) => new Membership(self, { now: performance.now(), random: Math.random }),
      onRequest: (incoming) => incoming.session.accept(incoming).accept({ last: true }),
      log: (level, line) => void this.log.push(`${level} ${line}`),
      ...options,
    });
  }

  /** A session of a client, or of a server that is in no circuit. */
  async dial(role: "client" | "server" = "client"): Promise<Session> {
    const id = `Xfedcba98765432${(this.#others++).toString(16).padStart(2, "0")}`;
    const session = await dialSession({
      network: this.network,
      keys: this.#keys,
      ...(role === "server" && { self: { id, address: `circuit://other:1/1/Q${id.slice(1)}` } }),
    }, { host: HOST, port: this.port });
    this.#sessions.push(session);
    return session;
  }

  /** A connection on which nothing was said. */
  raw(): Promise<Conn> {
    return this.network.dial(HOST, this.port, new AbortController().signal);
  }

  /** Why a dial fails. */
  async refused(role?: "client" | "server"): Promise<string> {
    const error = await this.dial(role).then(() => undefined, (error) => error);
    if (!(error instanceof CircuitError)) throw new Error(`it was let in, or ${error}`);
    return `${error.code} ${error.message}`;
  }

  async [Symbol.asyncDispose]() {
    await this.node.stop();
    await Promise.all(this.#sessions.map(({ closed }) => closed));
  }
}

Deno.test("the limits of connections are what SECURITY.md says", () => {
  assertEquals([MAX_CONNECTIONS, SERVER_RESERVE, MAX_HANDSHAKES], [4_096, 64, 1_024]);
});

for (const keys of [[], [KEY]]) {
  const kind = keys.length > 0 ? "with a key" : "without a key";
  Deno.test(`Node takes as many connections as it may, and tells the next (${kind})`, async () => {
    await using lab = new Lab({ maxConnections: 3, keys: () => keys });
    const three = [await lab.dial(), await lab.dial(), await lab.dial("server")];
    const words = /^BUSY .*server X0123456789abcdef has 3 connections, which is all it takes/;
    assertMatch(await lab.refused(), words);
    // Servers have a few places more.
    for (let i = 0; i < SERVER_RESERVE; i++) await lab.dial("server");
    assertStringIncludes(await lab.refused("server"), `has ${3 + SERVER_RESERVE} connections`);
    for (const session of three) await session.open("any", "/", { end: true }).reply();
    // Who leaves makes room.
    for (const session of lab.node.sessions) {
      if (session.peer.role === "server") await session.close();
    }
    await (await lab.dial()).open("any", "/", { end: true }).reply();
  });
}

Deno.test("Node tells clients that come at once and find no room", async () => {
  await using lab = new Lab({ maxConnections: 5 });
  const ends = await Promise.all(Array.from({ length: 20 }, async () => {
    try {
      const session = await lab.dial();
      return await session.open("any", "/", { end: true }).reply().then(
        () => "let in",
        (error) => error.message,
      );
    } catch (error) {
      return error instanceof CircuitError ? error.message : "another error";
    }
  }));
  assertEquals(ends.filter((end) => end === "let in").length, 5);
  for (const end of ends) assertMatch(end, /^let in$|which is all it takes/);
});

Deno.test("Node lets in who has the key, however many say nothing", async () => {
  await using lab = new Lab({ maxHandshakes: 8, keys: () => [KEY] });
  const silent: Conn[] = [];
  for (let i = 0; i < 100; i++) silent.push(await lab.raw());
  await (await lab.dial()).ping();
  // The first had to go, and were told; the last are there still.
  const { refusal } = await readHello(silent[0]!); // there are a hundred
  assertEquals(refusal?.code, "BUSY");
  assertMatch(refusal?.message ?? "", /too many connections that are not yet done with hello/);
  assertEquals(await silent[0]?.read(new Uint8Array(1)), null);
  const waiting = silent.at(-1)!.read(new Uint8Array(HELLO_BYTES)).then(() => "told");
  await (await lab.dial()).ping();
  assertEquals(await Promise.race([waiting, Promise.resolve("there")]), "there");
  for (const conn of silent) conn.close();
});

Deno.test("Node makes room when there are no files left, and says so once a minute", async () => {
  let failures = 0;
  const backlog: Conn[] = [];
  await using lab = new Lab({ keys: () => [KEY] }, (listener) => ({
    port: listener.port,
    async accept() {
      const conn = backlog.shift() ?? await listener.accept();
      if (!conn || failures === 0) return conn;
      failures--;
      backlog.push(conn);
      throw new CircuitError("BUSY", "too many open files");
    },
    close: () => listener.close(),
  }));
  const first = await lab.raw();
  await settle();
  failures = 3;
  const dialled = lab.dial();
  // The first connection goes, for the second one's sake.
  assertEquals((await readHello(first)).refusal?.code, "BUSY");
  await (await dialled).ping();
  assertEquals(failures, 0);
  const warnings = lab.log.filter((line) => line.startsWith("warn"));
  assertEquals(warnings, ["warn cannot accept connections: too many open files (see ulimit -n)"]);
  first.close();
});

Deno.test("Node takes membership from servers that have the key, and from nobody else", async () => {
  const heard: string[] = [];
  await using lab = new Lab({
    keys: () => [KEY],
    membership: () => ({
      handle(input) {
        heard.push(input.type);
        return [];
      },
      wakeAt: Infinity,
      members: () => [],
    }),
  });
  // A hello with all that a server says, and then frames, without the proof in between.
  const conn = await lab.raw();
  await writeAll(
    conn,
    encodeHello({
      role: "server",
      flags: 1,
      id: "Xfedcba9876543210",
      expected: undefined,
      refusal: undefined,
      address: "circuit://other:1/1/Qfedcba9876543210",
    }),
  );
  await writeAll(conn, new Uint8Array([0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 1]));
  await readHello(conn);
  assertEquals((await readHello(conn)).refusal?.code, "PROTOCOL");
  conn.close();
  // A key holder that is a client.
  const client = await lab.dial();
  client.sendMember(new Uint8Array([1]));
  await client.ping();
  assertEquals(heard, []);
  const server = await lab.dial("server");
  server.sendMember(new Uint8Array([1]));
  await server.ping();
  assertEquals(heard, ["link-up", "message"]);
});
