import { assert, assertEquals, assertMatch } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { answerSession, dialSession, type Endpoint, WRONG_SERVER } from "./connect.ts";
import { encodeHello, readHello, writeAll } from "./hello.ts";
import { HELLO_TIMEOUT_MS } from "./limits.ts";
import { MemoryNetwork } from "./memory.ts";
import { type Conn, isRefusal } from "./network.ts";
import { clientHello } from "./_raw_peer.ts";
import {
  addressOf,
  connectPair,
  failureOf,
  FakeClock,
  NETWORKS,
  OTHER_ID,
  SERVER_ID,
  settle,
} from "./_testing.ts";

const SELF = { id: SERVER_ID, address: addressOf(SERVER_ID) };

/** A connection with a server that answers it. */
async function answered(endpoint: Partial<Endpoint> = {}) {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const [conn, accepted] = await Promise.all([
    network.dial("server", listener.port, new AbortController().signal),
    listener.accept(),
  ]);
  listener.close();
  const session = answerSession({ network, self: SELF, ...endpoint }, accepted!); // just dialled
  session.catch(() => {});
  return { conn, session };
}

/** A connection that was dialled to somebody who does what a test says. */
function dialled(endpoint: Partial<Endpoint> = {}, id: string | undefined = SERVER_ID) {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const address = { host: "server", port: listener.port, ...(id === undefined ? {} : { id }) };
  const abort = new AbortController();
  const session = dialSession({ network, ...endpoint }, address, abort.signal);
  session.catch(() => {});
  return { accepted: listener.accept() as Promise<Conn>, session, abort };
}

/** All that comes until the end. */
async function drain(conn: Conn): Promise<Uint8Array> {
  const all: number[] = [];
  const buffer = new Uint8Array(4096);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    all.push(...buffer.subarray(0, count));
  }
  return new Uint8Array(all);
}

for (const [name, makeNetwork] of Object.entries(NETWORKS)) {
  Deno.test(`dialSession() and answerSession() learn who the other is (${name})`, async () => {
    await using pair = await connectPair({ network: makeNetwork() });
    assertEquals(pair.dialler.peer, { role: "server", ...SELF });
    assertEquals(pair.acceptor.peer, {
      role: "server",
      id: OTHER_ID,
      address: addressOf(OTHER_ID),
    });
  });

  Deno.test(`a peer that speaks something else is told so and closed (${name})`, async () => {
    const network = makeNetwork();
    const listener = network.listen("127.0.0.1", 0);
    const [conn, accepted] = await Promise.all([
      network.dial("127.0.0.1", listener.port, new AbortController().signal),
      listener.accept(),
    ]);
    listener.close();
    const turnedAway = failureOf(answerSession({ network, self: SELF }, accepted!));
    const request = `GET / HTTP/1.1\r\nHost: circuit\r\n\r\n${"x".repeat(20_000)}`;
    await writeAll(conn, new TextEncoder().encode(request));
    const text = new TextDecoder().decode(await drain(conn));
    assertMatch(text, /^circuit\n/);
    assertMatch(text, /does not speak the circuit protocol: it began with "GET/);
    conn.close();
    assertEquals((await turnedAway).code, "PROTOCOL");
  });
}

Deno.test("a client has no ID and is known by where it comes from", async () => {
  const { conn, session } = await answered();
  await writeAll(conn, clientHello());
  assertEquals(await readHello(conn), {
    role: "server",
    flags: 0,
    id: SERVER_ID,
    expected: undefined,
    refusal: undefined,
    address: SELF.address,
  });
  const { peer, closed } = await session;
  assertEquals(peer, { role: "client", id: undefined, address: "dialler:0" });
  conn.close();
  await closed;
});

Deno.test("a peer that says nothing is told so and closed after HELLO_TIMEOUT_MS", async () => {
  for (const said of [0, 1, 9, 29]) {
    const clock = new FakeClock();
    const { conn, session } = await answered({ clock });
    await writeAll(conn, clientHello().subarray(0, said));
    await clock.pass(HELLO_TIMEOUT_MS - 1);
    await clock.pass(1);
    assertMatch(new TextDecoder().decode(await drain(conn)), /no circuit hello within 5 s/);
    assertEquals((await failureOf(session)).code, "TIMEOUT");
    assertEquals(clock.pending, 0);
    conn.close();
  }
});

Deno.test("a hello that is cut short is UNREACHABLE at every byte", async () => {
  const hello = clientHello();
  for (let length = 0; length < hello.length; length++) {
    const { conn, session } = await answered();
    await writeAll(conn, hello.subarray(0, length));
    conn.close();
    assertEquals((await failureOf(session)).code, "UNREACHABLE");
  }
});

Deno.test("a hello with any byte changed is refused or means something else, at every byte", async () => {
  const hello = encodeHello({
    role: "server",
    flags: 0,
    id: OTHER_ID,
    expected: SERVER_ID,
    refusal: undefined,
    address: addressOf(OTHER_ID),
  });
  for (let at = 0; at < 30; at++) {
    const changed = hello.slice();
    changed[at]! ^= 0xff;
    const { conn, session } = await answered();
    await writeAll(conn, changed);
    // A text that is longer now never comes.
    conn.close();
    assert((await failureOf(session)).message.length > 0);
  }
});

Deno.test("answerSession() refuses what it cannot be, with the reason", async () => {
  const base = { role: "client", flags: 0, address: "" } as const;
  const none = { id: undefined, expected: undefined, refusal: undefined };
  const version = clientHello();
  version[8] = 2;
  const cases: [Uint8Array<ArrayBuffer>, string, RegExp][] = [
    [version, "UNSUPPORTED", /speaks version 2 of the circuit protocol, this is version 1/],
    [encodeHello({ ...base, ...none, flags: 2 }), "UNSUPPORTED", /flags 2/],
    [encodeHello({ ...base, ...none, expected: OTHER_ID }), "UNREACHABLE", /not Xfedcba9876543210/],
    [encodeHello({ ...base, ...none, role: "server" }), "PROTOCOL", /without an ID/],
    [
      encodeHello({ ...base, ...none, role: "server", id: OTHER_ID, address: "a\nb" }),
      "PROTOCOL",
      /no address that can be dialled/,
    ],
    [
      encodeHello({ ...base, ...none, role: "server", id: OTHER_ID, address: SELF.address }),
      "PROTOCOL",
      /gave the address of X0123456789abcdef/,
    ],
  ];
  for (const [hello, code, message] of cases) {
    const { conn, session } = await answered();
    await writeAll(conn, hello);
    const { refusal } = await readHello(conn);
    assertEquals(refusal?.code, code);
    assertMatch(refusal?.message ?? "", message);
    conn.close();
    assertEquals((await failureOf(session)).code, code);
  }
});

Deno.test("dialSession() passes on why it was refused", async () => {
  const { accepted, session } = dialled();
  const conn = await accepted;
  const refusal = new CircuitError("DENIED", "not you");
  await readHello(conn);
  const answer = { role: "server", flags: 0, id: SERVER_ID, expected: undefined } as const;
  await writeAll(conn, encodeHello({ ...answer, refusal, address: "" }));
  const error = await failureOf(session);
  assertEquals(error.code, "DENIED");
  assertMatch(error.message, /^server:1 refused the connection: not you$/);
});

Deno.test("dialSession() tells another server from the one that was wanted", async () => {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const dialling = failureOf(
    dialSession({ network }, { host: "server", port: listener.port, id: OTHER_ID }),
  );
  const answering = failureOf(answerSession({ network, self: SELF }, (await listener.accept())!));
  const error = await dialling;
  assertEquals(error.code, "UNREACHABLE");
  assertEquals((error.cause as Error).name, WRONG_SERVER);
  await answering;
  listener.close();
});

Deno.test("dialSession() says who does not answer, and how", async () => {
  const network = new MemoryNetwork();
  const refused = await failureOf(dialSession({ network }, { host: "server", port: 9 }));
  assertEquals(refused.code, "UNREACHABLE");
  assert(isRefusal(refused));

  const clock = new FakeClock();
  const silent = dialled({ clock });
  await silent.accepted;
  await clock.pass(HELLO_TIMEOUT_MS);
  const late = await failureOf(silent.session);
  assertEquals(late.code, "TIMEOUT");
  assertMatch(late.message, /cannot dial .*: no hello within 5 s/);
  assertEquals(clock.pending, 0);

  const cut = dialled();
  (await cut.accepted).close();
  assertEquals((await failureOf(cut.session)).code, "UNREACHABLE");

  const other = dialled();
  await writeAll(await other.accepted, new TextEncoder().encode("SSH-2.0-OpenSSH_9.9\r\n"));
  assertEquals((await failureOf(other.session)).code, "PROTOCOL");
});

Deno.test("dialSession() and answerSession() give up when told to", async () => {
  const clock = new FakeClock();
  const dial = dialled({ clock });
  const conn = await dial.accepted;
  await readHello(conn);
  dial.abort.abort();
  assertEquals((await failureOf(dial.session)).code, "ABORTED");
  assertEquals(await conn.read(new Uint8Array(1)), null);

  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const abort = new AbortController();
  const client = await network.dial("server", listener.port, abort.signal);
  const answering = failureOf(
    answerSession({ network, self: SELF, clock }, (await listener.accept())!, abort.signal),
  );
  await settle();
  abort.abort();
  assertEquals((await answering).code, "ABORTED");
  assertEquals(await client.read(new Uint8Array(1)), null);
  assertEquals(clock.pending, 0);
  listener.close();
});

Deno.test("TCP says why there is no connection", async () => {
  const network = NETWORKS.TCP!();
  const listener = network.listen("127.0.0.1", 0);
  const taken = listener.port;
  const again = Promise.resolve().then(() => network.listen("127.0.0.1", taken));
  assertEquals((await failureOf(again)).code, "BUSY");
  listener.close();
  listener.close();
  assertEquals(await listener.accept(), undefined);
  const error = await failureOf(dialSession({ network }, { host: "127.0.0.1", port: taken }));
  assertEquals([error.code, isRefusal(error)], ["UNREACHABLE", true]);
  assertMatch(error.message, /cannot connect to 127\.0\.0\.1:\d+: connection refused/);
});
