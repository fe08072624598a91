import { assert, assertEquals, assertMatch } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { answerSession, dialSession, type Endpoint } from "./connect.ts";
import { encodeHello, HelloFlag, readHello, writeAll } from "./hello.ts";
import { KEY_BYTES } from "./key.ts";
import { HELLO_TIMEOUT_MS, MAX_DATA_BYTES } from "./limits.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Conn, Network } from "./network.ts";
import {
  addressOf,
  connectPair,
  failureOf,
  FakeClock,
  NETWORKS,
  readAll,
  SERVER_ID,
  settle,
  Tap,
} from "./_testing.ts";
import { FairClock } from "../../tests/until.ts";

const KEY = new Uint8Array(KEY_BYTES).map((_, i) => i);
const OTHER = new Uint8Array(KEY_BYTES).fill(7);
const SELF = { id: SERVER_ID, address: addressOf(SERVER_ID) };

/** Milliseconds in which a refusal has to be known on both sides. */
const REFUSED_MS = 1_000;

/** What a dial and its answer come to, where either may fail, and what was said. */
async function attempt(
  network: Network,
  diallerKeys: readonly Uint8Array[],
  acceptorKeys: readonly Uint8Array[],
) {
  const listener = network.listen("127.0.0.1", 0);
  const taps: { dialler?: Tap; acceptor?: Tap } = {};
  const tapped = (side: "dialler" | "acceptor", conn: Conn) => {
    const tap = taps[side] = new Tap(conn);
    tap.record = true;
    return tap;
  };
  const dialling: Endpoint = {
    keys: diallerKeys,
    network: {
      dial: async (...args) => tapped("dialler", await network.dial(...args)),
      listen: (...args) => network.listen(...args),
    },
  };
  using clock = new FairClock();
  const [dialled, answered] = await Promise.allSettled([
    dialSession(dialling, { host: "127.0.0.1", port: listener.port, id: SERVER_ID }),
    listener.accept().then((conn) =>
      answerSession({ network, self: SELF, keys: acceptorKeys }, tapped("acceptor", conn!)) // just dialled
    ),
  ]);
  const elapsed = clock.ms;
  listener.close();
  for (const tap of [taps.dialler, taps.acceptor]) tap?.close();
  for (const each of [dialled, answered]) {
    if (each.status === "fulfilled") await each.value.closed;
  }
  const errorOf = (result: PromiseSettledResult<unknown>) =>
    result.status === "rejected" ? result.reason as CircuitError : undefined;
  return {
    dialler: errorOf(dialled),
    acceptor: errorOf(answered),
    elapsed,
    sent: {
      dialler: taps.dialler?.written.view().slice(),
      acceptor: taps.acceptor?.written.view().slice(),
    },
  };
}

for (const [name, makeNetwork] of Object.entries(NETWORKS)) {
  Deno.test(`sessions with a key do what those without do (${name})`, async () => {
    const body = new Uint8Array(3 * MAX_DATA_BYTES + 11).map((_, i) => i * 7);
    const endpoint: Partial<Endpoint> = {
      keys: [KEY],
      onRequest(incoming) {
        const stream = incoming.session.accept(incoming);
        stream.accept();
        (async () => {
          const all = await readAll(stream);
          for (let at = 0; at < all.length; at += MAX_DATA_BYTES) {
            await stream.write(all.slice(at, at + MAX_DATA_BYTES));
          }
          stream.end();
        })();
      },
    };
    await using pair = await connectPair({
      network: makeNetwork(),
      dialler: endpoint,
      acceptor: endpoint,
    });
    await Promise.all([pair.dialler, pair.acceptor].map(async (session) => {
      const stream = session.open("echo", "/");
      const sending = (async () => {
        for (let at = 0; at < body.length; at += MAX_DATA_BYTES) {
          await stream.write(body.slice(at, at + MAX_DATA_BYTES));
        }
        stream.end();
      })();
      await stream.reply();
      const echoed = await readAll(stream);
      await sending;
      assert(echoed.length === body.length && echoed.every((byte, i) => byte === body[i]));
      await session.ping();
    }));
  });

  Deno.test(`a key on one side only is refused on both, which both are told (${name})`, async () => {
    const diallerOnly = await attempt(makeNetwork(), [KEY], []);
    const acceptorOnly = await attempt(makeNetwork(), [], [KEY]);
    for (const { dialler, acceptor, elapsed } of [diallerOnly, acceptorOnly]) {
      assertEquals([dialler?.code, acceptor?.code], ["DENIED", "DENIED"]);
      assert(elapsed < REFUSED_MS, `${elapsed} ms`);
    }
    // Of the dialler there is a client's hello on the wire, of the acceptor one that refuses.
    for (const { sent, acceptor } of [diallerOnly, acceptorOnly]) {
      assertEquals(sent.dialler?.length, 30);
      assertEquals(sent.acceptor?.length, 30 + acceptor!.message.length);
    }
    for (const { message } of [diallerOnly.dialler!, diallerOnly.acceptor!]) {
      assertMatch(message, /the dialler, [^ ]+, has a key and the server has none: both need/);
    }
    for (const { message } of [acceptorOnly.dialler!, acceptorOnly.acceptor!]) {
      assertMatch(message, /the server has a key and the dialler, [^ ]+, has none: both need/);
    }
    assertMatch(diallerOnly.dialler!.message, /^127\.0\.0\.1:\d+ refused the connection: /);
  });

  Deno.test(`different keys are refused on both sides, which both are told (${name})`, async () => {
    const { dialler, acceptor, elapsed, sent } = await attempt(makeNetwork(), [OTHER], [KEY]);
    assertEquals([dialler?.code, acceptor?.code], ["DENIED", "DENIED"]);
    assert(elapsed < REFUSED_MS, `${elapsed} ms`);
    assertMatch(acceptor!.message, /^the keys are different: that of the dialler, [^ ]+, is not/);
    assertMatch(dialler!.message, /refused the key [0-9a-f]{8}, .*: the keys are different/);
    // The dialler: its hello and a message of the handshake. The acceptor: hellos.
    assertEquals(sent.dialler?.length, 30 + 2 + 48);
    const hello = encodeHello({
      role: "server",
      flags: HelloFlag.KEYED,
      id: SERVER_ID,
      expected: undefined,
      refusal: undefined,
      address: SELF.address,
    });
    const refusal = encodeHello({
      role: "server",
      flags: HelloFlag.KEYED,
      id: SERVER_ID,
      expected: undefined,
      refusal: acceptor,
      address: "",
    });
    assertEquals(sent.acceptor, new Uint8Array([...hello, ...refusal]));
  });

  Deno.test(`any of the acceptor's keys will do, and the dialler's first counts (${name})`, async () => {
    const works = async (dialler: Uint8Array[], acceptor: Uint8Array[]) => {
      await using pair = await connectPair({
        network: makeNetwork(),
        dialler: { keys: dialler },
        acceptor: { keys: acceptor },
      });
      await pair.dialler.ping();
    };
    await works([KEY], [OTHER, KEY]);
    await works([KEY, OTHER], [KEY]);
    const { dialler, acceptor } = await attempt(makeNetwork(), [OTHER, KEY], [KEY]);
    assertEquals([dialler?.code, acceptor?.code], ["DENIED", "DENIED"]);
    const several = await attempt(makeNetwork(), [new Uint8Array(KEY_BYTES)], [KEY, OTHER]);
    assertMatch(several.acceptor!.message, /is not any of the 2 of the server/);
  });
}

Deno.test("nothing but the hellos goes in clear, and each begins as it is written down", async () => {
  const network = new MemoryNetwork();
  const taps: Tap[] = [];
  const tapped: Network = {
    dial: async (...args) => {
      const tap = new Tap(await network.dial(...args));
      tap.record = true;
      taps.push(tap);
      return tap;
    },
    listen: (...args) => network.listen(...args),
  };
  await using pair = await connectPair({
    network: tapped,
    dialler: { keys: [KEY] },
    acceptor: { keys: [KEY] },
  });
  pair.dialler.open("a.method.to.look.for", "/X0123456789abcdef/a/path").fail(
    new CircuitError("ABORTED", "enough"),
  );
  await pair.dialler.ping();
  // Fifty calls that are made at once are one message, and no more bytes than that.
  const before = taps[0]!.written.length;
  for (let i = 0; i < 50; i++) pair.dialler.open("call", "/", { end: true });
  await pair.dialler.ping();
  const calls = taps[0]!.written.view().slice(before);
  assertEquals(calls[0]! << 8 | calls[1]!, calls.length - 2);
  const wire = taps[0]!.written.view(); // the dialler's
  const text = new TextDecoder("latin1").decode(wire);
  assert(!text.includes("a.method") && !text.includes("/a/path") && !text.includes("enough"));
  const address = 30 + (wire[28]! << 8 | wire[29]!);
  assertEquals(wire[10], HelloFlag.KEYED);
  assertEquals(wire.slice(address, address + 2), new Uint8Array([0, 48]));
  // The proof: an empty message.
  assertEquals(wire.slice(address + 50, address + 52), new Uint8Array([0, 16]));
});

Deno.test("a session with a key ends with PROTOCOL when its bytes are changed on the way", async () => {
  let change = false;
  const network = new MemoryNetwork();
  const changing: Network = {
    async dial(...args) {
      const conn = await network.dial(...args);
      return {
        remote: conn.remote,
        localHost: conn.localHost,
        read: (buffer) => conn.read(buffer),
        close: () => conn.close(),
        write(bytes) {
          const changed = bytes.slice();
          if (change) changed[10]! ^= 1;
          return conn.write(changed);
        },
      };
    },
    listen: (...args) => network.listen(...args),
  };
  await using pair = await connectPair({
    network: changing,
    dialler: { keys: [KEY] },
    acceptor: { keys: [KEY] },
  });
  await pair.dialler.ping();
  change = true;
  const call = failureOf(pair.dialler.open("any", "/").reply());
  const words = /an encrypted message was changed, left out, repeated or put in on the way/;
  const error = await pair.acceptor.closed;
  assertEquals(error.code, "PROTOCOL");
  assertMatch(error.message, words);
  // The other side is told, by the direction that is well.
  assertEquals((await call).code, "SERVER_GONE");
  assertMatch((await pair.dialler.closed).message, words);
});

/** A keyed server's end of a connection, whose other end speaks as a test says. */
async function answering(endpoint: Partial<Endpoint> = {}) {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const [conn, accepted] = await Promise.all([
    network.dial("server", listener.port, new AbortController().signal),
    listener.accept(),
  ]);
  listener.close();
  const session = answerSession({ network, self: SELF, keys: [KEY], ...endpoint }, accepted!);
  session.catch(() => {});
  return { conn, session };
}

/** What a key holder has sent on a connection, the hello first. */
async function recorded(): Promise<Uint8Array<ArrayBuffer>[]> {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const writes: Uint8Array<ArrayBuffer>[] = [];
  const recording: Network = {
    async dial(...args) {
      const conn = await network.dial(...args);
      return {
        remote: conn.remote,
        localHost: conn.localHost,
        read: (buffer) => conn.read(buffer),
        close: () => conn.close(),
        async write(bytes) {
          const count = await conn.write(bytes);
          writes.push(bytes.slice(0, count));
          return count;
        },
      };
    },
    listen: (...args) => network.listen(...args),
  };
  const [dialled, answered] = await Promise.all([
    dialSession({ network: recording, keys: [KEY] }, {
      host: "server",
      port: listener.port,
      id: SERVER_ID,
    }),
    listener.accept().then((conn) => answerSession({ network, self: SELF, keys: [KEY] }, conn!)),
  ]);
  listener.close();
  await dialled.ping();
  await dialled.close();
  await answered.closed;
  return writes;
}

Deno.test("answerSession() makes no session of a recording", async () => {
  const [hello, handshake, ...rest] = await recorded();
  const { conn, session } = await answering();
  await writeAll(conn, hello!);
  await readHello(conn);
  await writeAll(conn, handshake!);
  const answer = new Uint8Array(50);
  for (let at = 0; at < answer.length;) at += await conn.read(answer.subarray(at)) ?? 0;
  assertEquals(answer.slice(0, 2), new Uint8Array([0, 48]));
  for (const each of rest) await writeAll(conn, each);
  const error = await failureOf(session.finally(() => conn.close()));
  assertEquals(error.code, "PROTOCOL");
  assertMatch(
    error.message,
    /the key exchange with [^ ]+ failed: an encrypted message was changed/,
  );
});

Deno.test("answerSession() ends with the deadline where the exchange of keys stops half-way", async () => {
  const writes = await recorded();
  for (const count of [1, 2]) {
    const clock = new FakeClock();
    const { conn, session } = await answering({ clock });
    for (const each of writes.slice(0, count)) await writeAll(conn, each);
    await settle();
    const failed = failureOf(session);
    await clock.pass(HELLO_TIMEOUT_MS);
    await clock.pass(HELLO_TIMEOUT_MS);
    assertEquals((await failed).code, "TIMEOUT");
    assertEquals(clock.pending, 0);
  }
});

Deno.test("answerSession() refuses handshake messages of another length, and an end half-way", async () => {
  const [hello] = await recorded();
  for (
    const [bytes, code] of [
      [[0, 47], "PROTOCOL"],
      [[0xff, 0xff], "PROTOCOL"],
      [[0, 0], "PROTOCOL"],
    ] as const
  ) {
    const { conn, session } = await answering();
    await writeAll(conn, hello!);
    await readHello(conn);
    await writeAll(conn, new Uint8Array(bytes));
    const { refusal } = await readHello(conn);
    assertEquals(refusal?.code, code);
    conn.close();
    assertMatch((await failureOf(session)).message, /handshake message of \d+ bytes: want 48/);
  }
  const { conn, session } = await answering();
  await writeAll(conn, hello!);
  await readHello(conn);
  await writeAll(conn, new Uint8Array([0, 48, 1]));
  conn.close();
  const error = await failureOf(session);
  assertEquals(error.code, "UNREACHABLE");
  assertMatch(error.message, /closed the connection during the key exchange/);
});

Deno.test("a hello that is changed on the way fails the exchange of keys", async () => {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const changing: Network = {
    async dial(...args) {
      const conn = await network.dial(...args);
      let first = true;
      return {
        remote: conn.remote,
        localHost: conn.localHost,
        read: (buffer) => conn.read(buffer),
        close: () => conn.close(),
        write(bytes) {
          // A client that wants no server in particular, where it wanted this one.
          const changed = first ? bytes.slice().fill(0, 20, 28) : bytes;
          first = false;
          return conn.write(changed);
        },
      };
    },
    listen: (...args) => network.listen(...args),
  };
  const [dialled, answered] = await Promise.all([
    failureOf(
      dialSession({ network: changing, keys: [KEY] }, {
        host: "server",
        port: listener.port,
        id: SERVER_ID,
      }),
    ),
    failureOf(
      listener.accept().then((conn) => answerSession({ network, self: SELF, keys: [KEY] }, conn!) // just dialled
      ),
    ),
  ]);
  listener.close();
  assertEquals([dialled.code, answered.code], ["DENIED", "DENIED"]);
});

Deno.test("dialSession() with a key goes on with no server that answers without", async () => {
  const answer = (flags: number) =>
    encodeHello({
      role: "server",
      flags,
      id: SERVER_ID,
      expected: undefined,
      refusal: undefined,
      address: SELF.address,
    });
  for (
    const [keys, flags, message] of [
      [[KEY], 0, /the dialler has a key and the server at [^ ]+ has none/],
      [[], HelloFlag.KEYED, /the server at [^ ]+ has a key and the dialler has none/],
    ] as const
  ) {
    const network = new MemoryNetwork();
    const listener = network.listen("server", 0);
    const dialling = failureOf(
      dialSession({ network, keys }, { host: "server", port: listener.port, id: SERVER_ID }),
    );
    const conn = await listener.accept();
    listener.close();
    await readHello(conn!);
    await writeAll(conn!, answer(flags));
    const error = await dialling;
    assertEquals(error.code, "DENIED");
    assertMatch(error.message, message);
    assertEquals(await conn!.read(new Uint8Array(100)), null);
  }
});

Deno.test("dialSession() fails with PROTOCOL if the answer to its key is not one", async () => {
  const network = new MemoryNetwork();
  for (const answer of [new Uint8Array(50).with(1, 48).fill(9, 2), new Uint8Array(50)]) {
    const listener = network.listen("server", 0);
    const dialling = failureOf(
      dialSession({ network, keys: [KEY] }, { host: "server", port: listener.port, id: SERVER_ID }),
    );
    const conn = await listener.accept();
    listener.close();
    await readHello(conn!);
    const hello = { role: "server", flags: HelloFlag.KEYED, ...SELF } as const;
    await writeAll(conn!, encodeHello({ ...hello, expected: undefined, refusal: undefined }));
    await writeAll(conn!, answer);
    const error = await dialling;
    assertEquals(error.code, "PROTOCOL");
    assertMatch(error.message, /key exchange with|handshake message of 0 bytes/);
  }
});
