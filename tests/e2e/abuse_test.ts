/**
 * Peers that mean harm, or do it by mistake. After each of them the server answers another client as
 * fast as before, and has given back the memory that it took.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Client, dial } from "../../mod.ts";
import { Flag } from "../../overlay/transport/frame.ts";
import { FrameBuffer } from "../../overlay/transport/frame_buffer.ts";
import { clientHello } from "../../overlay/transport/_raw_peer.ts";
import { type Hello, readHello } from "../../overlay/transport/hello.ts";
import { MAX_CONNECTIONS, MAX_STREAMS } from "../../overlay/transport/limits.ts";
import { writeOpen } from "../../overlay/transport/payload.ts";
import { textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { RunningServer } from "../launcher.ts";
import { needsFiles } from "../limits.ts";
import { LineReader } from "../line_reader.ts";
import { circuitTest, type Logs } from "../logs.ts";
import { hasProcFs, openFiles, residentBytes } from "../traces.ts";
import { FairClock, until } from "../until.ts";

/** Milliseconds in which a server must answer a client that comes. */
const ANSWER_MS = 100;

/**
 * Bytes that a server may hold more after an attack than before: 32 MiB. What V8 keeps of its heap
 * after 10,000 connections comes to as much as 24 MiB in the executable, whatever is collected; one
 * connection that is not forgotten would hold 64 KiB.
 */
const MAX_GROWTH = 32 * 1024 * 1024;

/** Milliseconds that it has for giving back memory, which it does when it has little else to do. */
const SHRINK_MS = 60_000;

const HELLO = clientHello();

/** Files that a process has open beside those that a test counts. */
const OTHER_FILES = 500;

/** A test of a server that is abused, for which both can have so many connections. */
function abuseTest(name: string, run: (logs: Logs) => Promise<void>, connections = 0): void {
  const { needs, ignore } = needsFiles(connections + OTHER_FILES);
  circuitTest(name + needs, run, { ignore: !hasProcFs || ignore });
}

/** A server that is abused, and what it was like before. */
class Victim implements AsyncDisposable {
  readonly server: RunningServer;
  readonly key: Uint8Array | undefined;
  readonly #folder: string;
  #before = 0;

  private constructor(server: RunningServer, key: Uint8Array | undefined, folder: string) {
    this.server = server;
    this.key = key;
    this.#folder = folder;
  }

  /** Starts one, with a key if it is to have one, and lets it do each thing once. */
  static async start(logs: Logs, { keyed }: { keyed: boolean }): Promise<Victim> {
    const folder = await Deno.makeTempDir({ prefix: "circuit_test_" });
    const key = keyed ? crypto.getRandomValues(new Uint8Array(64)) : undefined;
    const file = `${folder}/key`;
    if (key) await Deno.writeTextFile(file, key.toBase64(), { mode: 0o600 });
    // What it says of each connection that it turns away is nobody's business here.
    const env = { CIRCUIT_LOG: "info" };
    const args = key ? ["-hmac", file] : [];
    const server = await RunningServer.start({ logs, args, env });
    const victim = new Victim(server, key, folder);
    // Some calls and connections, so that what any of them needs is there before.
    for (let i = 0; i < 50; i++) await victim.call();
    victim.#before = await residentBytes(server.pid);
    return victim;
  }

  /** A client of its own, with a right to be one. */
  client(): Promise<Client> {
    return dial(this.server.address, this.key ? { key: this.key } : {});
  }

  /** Connects, asks, and goes; returns how long that took, in milliseconds. */
  async call(): Promise<number> {
    using clock = new FairClock();
    await using client = await this.client();
    assertEquals((await client.anchor(this.server.path).get())?.kind, "server");
    return clock.ms;
  }

  /** A connection on which nothing was said. */
  connect(): Promise<Deno.TcpConn> {
    const [hostname, port] = this.server.hostPort.split(":");
    return Deno.connect({ hostname: hostname!, port: Number(port) }); // HOST:PORT has both
  }

  /** A connection of a client that has said hello, and was answered. */
  async greeted(): Promise<[Deno.TcpConn, Hello]> {
    const conn = await this.connect();
    await writeAll(conn, HELLO);
    const source = { remote: "the server", read: (buffer: Uint8Array) => conn.read(buffer) };
    return [conn, await readHello(source)];
  }

  /** It answers at once. On a busy machine, one of some tries has to do. */
  async answers(): Promise<void> {
    await until("an answer in time", () => this.call(), (ms) => ms < ANSWER_MS);
  }

  /** It answers at once, and has given back what it took. */
  async recovers(): Promise<void> {
    await this.answers();
    const grown = async () => await residentBytes(this.server.pid) - this.#before;
    await until("the memory to be given back", grown, (bytes) => bytes <= MAX_GROWTH, {
      within: SHRINK_MS,
    });
    await this.answers();
  }

  async [Symbol.asyncDispose]() {
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function closeAll(conns: readonly Deno.TcpConn[]): void {
  for (const conn of conns) {
    try {
      conn.close();
    } catch {
      // It was closed by an error.
    }
  }
}

/** An OPEN frame. */
function open(out: FrameBuffer, stream: number, method: string, path: string, end = true): void {
  const none = new Uint8Array(0);
  writeOpen(out, stream, end ? Flag.END : 0, {
    method,
    path,
    window: 32 * 1024,
    args: none,
    body: none,
  });
}

/** Connections of the first of those below. */
const SLOW_CONNECTIONS = 10_000;

/** How often each of them sends its byte, in milliseconds, and how many it sends. */
const SLOW_MS = 1_000;
const SLOW_BYTES = 7;

abuseTest("10,000 connections that send a byte a second do no harm", async (logs) => {
  await using victim = await Victim.start(logs, { keyed: true });
  await using held = await victim.client();
  const conns: Deno.TcpConn[] = [];
  try {
    while (conns.length < SLOW_CONNECTIONS) {
      // A batch at a time: a kernel drops what comes faster than it can be accepted.
      const batch = Array.from({ length: 250 }, () => victim.connect());
      for (const each of await Promise.allSettled(batch)) {
        if (each.status === "fulfilled") conns.push(each.value);
      }
      await Promise.all(conns.slice(-250).map((conn) => conn.write(HELLO.subarray(0, 1))));
    }
    for (let i = 1; i < SLOW_BYTES; i++) {
      const byte = HELLO.subarray(i, i + 1);
      await Promise.allSettled(conns.map((conn) => conn.write(byte)));
      // Who has the key is let in all the while, and who was in is served.
      await victim.answers();
      assertEquals((await held.servers()).length, 1);
      await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    }
  } finally {
    closeAll(conns);
  }
  await victim.recovers();
}, SLOW_CONNECTIONS);

abuseTest("a client that never reads does no harm", async (logs) => {
  await using victim = await Victim.start(logs, { keyed: false });
  await using client = await victim.client();
  const element = await client.anchor(victim.server.path).get();
  assert(element?.kind === "server");
  const untilConnections = (count: number) =>
    until(
      `the server to have ${count} connections`,
      () => textOf(element.profile("connections")),
      (text) => text.startsWith(`connections: ${count}\n`),
    );
  await untilConnections(1);
  const files = await openFiles(victim.server.pid);
  const [host = "", port = ""] = victim.server.hostPort.split(":");
  const program = import.meta.resolve("./never_reads.ts");
  const asking = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net", program, host, port, victim.server.path],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const said = new LineReader(asking.stdout);
  assertEquals(await said.line(), "asking");
  // It goes on until the server has had enough.
  await untilConnections(1);
  await victim.answers();
  try {
    asking.kill("SIGKILL");
  } catch {
    // It was told, and has ended.
  }
  await Promise.all([asking.status, said.cancel()]);
  await until("its file to go", () => openFiles(victim.server.pid), (open) => open <= files);
  await victim.recovers();
});

/** Connections that say nothing that makes sense, and bytes that each says. */
const GARBLED_CONNECTIONS = 500;
const GARBAGE_BYTES = 60_000;

abuseTest("clients that send garbage do no harm", async (logs) => {
  for (const keyed of [true, false]) {
    await using victim = await Victim.start(logs, { keyed });
    for (let i = 0; i < GARBLED_CONNECTIONS; i += 50) {
      await Promise.all(Array.from({ length: 50 }, async (_, j) => {
        const conn = await victim.connect();
        const garbage = crypto.getRandomValues(new Uint8Array(GARBAGE_BYTES));
        // Half of them begin well.
        if (j % 2 === 0) garbage.set(HELLO);
        await writeAll(conn, garbage).catch(() => {});
        closeAll([conn]);
      }));
      if (i === 250) await victim.answers();
    }
    await victim.recovers();
  }
});

abuseTest("a client that opens streams and abandons them does no harm", async (logs) => {
  await using victim = await Victim.start(logs, { keyed: false });
  await using client = await victim.client();
  const anchor = client.anchor(victim.server.path).walk("abandoned");
  const chan = await anchor.makeChan();
  for (let round = 0; round < 3; round++) {
    const [conn] = await victim.greeted();
    const requests = new FrameBuffer();
    const count = MAX_STREAMS + 10;
    for (let i = 0; i < count; i++) open(requests, 2 * i + 1, "chan.recv", anchor.path, false);
    await writeAll(conn, requests.view());
    // One too many, and so are the nine behind it.
    const answer = new Uint8Array(4_096);
    const length = await conn.read(answer) ?? 0;
    const text = new TextDecoder("latin1").decode(answer.subarray(0, length));
    assertMatch(text, /limit reached: 65536 calls on this connection/);
    await victim.answers();
    closeAll([conn]);
  }
  // None of them waits for a message any more.
  const sent = chan.sendBytes(new Uint8Array([7]));
  assertEquals(await chan.recvBytes(), new Uint8Array([7]));
  await sent;
  await anchor.scrub();
  await victim.recovers();
});

abuseTest("who replays a recorded session gets nothing done", async (logs) => {
  await using victim = await Victim.start(logs, { keyed: true });
  const anchor = `${victim.server.path}/recorded`;
  const recording = await recorded(victim, anchor);
  await using client = await victim.client();
  await client.anchor(anchor).scrub();
  for (let i = 0; i < 300; i += 30) {
    await Promise.all(Array.from({ length: 30 }, async () => {
      const conn = await victim.connect();
      for (const piece of recording) await writeAll(conn, piece).catch(() => {});
      // To the end: the server closes it.
      while (await conn.read(new Uint8Array(4_096)).catch(() => null) !== null);
      closeAll([conn]);
    }));
  }
  assertEquals(await client.anchor(anchor).get(), undefined);
  await victim.recovers();
});

/** What a client says that makes an element, as somebody on the way sees it. */
async function recorded(victim: Victim, path: string): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const passing = (async () => {
    const [near, far] = [await listener.accept(), await victim.connect()];
    const back = far.readable.pipeTo(near.writable).catch(() => {});
    const writer = far.writable.getWriter();
    for await (const piece of near.readable) {
      pieces.push(piece.slice());
      await writer.write(piece);
    }
    await writer.close().catch(() => {});
    await back;
  })();
  const address = victim.server.address.replace(
    victim.server.hostPort,
    `127.0.0.1:${listener.addr.port}`,
  );
  {
    await using client = await dial(address, { key: victim.key! }); // it has one
    await client.anchor(path).makeChan(3);
  }
  await passing;
  assert(pieces.length >= 3);
  return pieces;
}

abuseTest(
  "4,096 clients are served, and the next is told that there is no room",
  async (logs) => {
    await using victim = await Victim.start(logs, { keyed: false });
    const conns: Deno.TcpConn[] = [];
    try {
      await using client = await victim.client();
      while (conns.length < MAX_CONNECTIONS - 1) {
        const count = Math.min(200, MAX_CONNECTIONS - 1 - conns.length);
        const batch = await Promise.all(Array.from({ length: count }, () => victim.greeted()));
        for (const [conn, { refusal }] of batch) {
          conns.push(conn);
          assertEquals(refusal, undefined);
        }
      }
      const error = await assertFails("BUSY", victim.client());
      assertMatch(error.message, /has 4096 connections, which is all it takes/);
      const [last, { refusal }] = await victim.greeted();
      closeAll([last]);
      assertEquals(refusal?.code, "BUSY");
      assertEquals((await client.servers()).length, 1);
      // One goes, another one comes.
      closeAll([conns.pop()!]); // there are some
      await until("room for one more", () => victim.call().then(() => true, () => false));
    } finally {
      closeAll(conns);
    }
    await victim.answers();
  },
  MAX_CONNECTIONS,
);
