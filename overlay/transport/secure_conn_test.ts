import { assert, assertEquals, assertMatch } from "@std/assert";
import { SEAL_BYTES } from "./aead.ts";
import { CipherState } from "./cipher.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Conn } from "./network.ts";
import { Handshake, PSK_BYTES, type Transport } from "./noise.ts";
import {
  MAX_MESSAGE_BYTES,
  REKEY_MESSAGES,
  REKEY_MS,
  SecureConn,
  type SecureConnOptions,
} from "./secure_conn.ts";
import { writeAll } from "./hello.ts";
import { failureOf, Tap } from "./_testing.ts";
import { newSeed, Random } from "../../tests/random.ts";

/** Two ends of a connection in memory. */
async function plainPair(): Promise<[Tap, Conn]> {
  const network = new MemoryNetwork();
  const listener = network.listen("server", 0);
  const [conn, accepted] = await Promise.all([
    network.dial("server", listener.port, new AbortController().signal),
    listener.accept(),
  ]);
  listener.close();
  return [new Tap(conn), accepted!]; // it was just dialled
}

async function transports(): Promise<[Transport, Transport]> {
  const options = { prologue: new Uint8Array(), psk: new Uint8Array(PSK_BYTES).fill(1) };
  const initiator = new Handshake({ role: "initiator", ...options });
  const responder = new Handshake({ role: "responder", ...options });
  await responder.read(await initiator.write());
  await initiator.read(await responder.write());
  return [initiator.finish(), responder.finish()];
}

/** A secure connection, its two ends, and the one end's wire. */
async function securePair(options: Partial<SecureConnOptions> = {}) {
  const [tap, conn] = await plainPair();
  const [up, down] = await transports();
  const now = () => 0;
  return {
    tap,
    sender: new SecureConn({ conn: tap, transport: up, now, ...options }),
    receiver: new SecureConn({ conn, transport: down, now, ...options }),
    [Symbol.dispose]() {
      tap.close();
    },
  };
}

/** An end that gets what a test gives it: what the sender has sealed, changed on the way. */
async function afterTampering(
  messages: readonly Uint8Array<ArrayBuffer>[],
  change: (sealed: Uint8Array<ArrayBuffer>[]) => Uint8Array<ArrayBuffer>[],
) {
  const [up, down] = await transports();
  const sealed: Uint8Array<ArrayBuffer>[] = [];
  const recorder: Conn = {
    remote: "recorder",
    localHost: "recorder",
    read: () => Promise.resolve(null),
    write(bytes) {
      sealed.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
    close() {},
  };
  const sender = new SecureConn({ conn: recorder, transport: up, now: () => 0 });
  for (const message of messages) await writeAll(sender, message);
  const [tap, conn] = await plainPair();
  const receiver = new SecureConn({ conn, transport: down, now: () => 0 });
  for (const each of change(sealed)) if (each.length > 0) await writeAll(tap, each);
  return { tap, receiver };
}

function bytesOf(...values: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values);
}

/** Everything until the end. */
async function readAll(conn: Conn, size: () => number = () => 4096): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(size());
    const count = await conn.read(buffer);
    if (count === null) break;
    assert(count > 0 && count <= buffer.length);
    parts.push(buffer.subarray(0, count));
  }
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

Deno.test("SecureConn carries any bytes, written and read in pieces of any size", async () => {
  const random = new Random(newSeed("secure connection"));
  for (let round = 0; round < 30; round++) {
    // Keys change often, so that it happens everywhere.
    using pair = await securePair({ rekeyMessages: 1 + random.below(5) });
    const largest = 1 + random.below([100, 5_000, 70_000, 300_000][random.below(4)]!);
    const data = random.bytes(random.below(Math.min(600_000, 400 * largest)));
    const size = () => 1 + random.below(largest);
    const writing = (async () => {
      for (let at = 0; at < data.length;) {
        const piece = data.subarray(at, at + size());
        await writeAll(pair.sender, piece);
        at += piece.length;
      }
      pair.sender.close();
    })();
    // Small reads of much data take long, and find nothing that others do not.
    const read = () => Math.max(size(), data.length >> 10);
    const received = await readAll(pair.receiver, read);
    await writing;
    assertEquals(received.length, data.length);
    assert(received.every((byte, i) => byte === data[i]));
  }
});

Deno.test("SecureConn works in both directions at once", async () => {
  using pair = await securePair();
  const echo = (async () => {
    const buffer = new Uint8Array(1000);
    for (let count = 0; count < 500;) {
      const got = await pair.receiver.read(buffer) ?? 0;
      await writeAll(pair.receiver, buffer.slice(0, got));
      count += got;
    }
  })();
  const buffer = new Uint8Array(1);
  for (let i = 0; i < 500; i++) {
    await pair.sender.write(bytesOf(i));
    assertEquals(await pair.sender.read(buffer), 1);
    assertEquals(buffer[0], i & 255);
  }
  await echo;
});

Deno.test("SecureConn.write() makes one message of a small write, and as few as can be of a large one", async () => {
  using pair = await securePair();
  pair.tap.record = true;
  const lengths: number[] = [];
  for (const size of [1, 2_000, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES + 1, 4 * MAX_MESSAGE_BYTES]) {
    const reading = (async () => {
      const buffer = new Uint8Array(100_000);
      for (let got = 0; got < size;) got += await pair.receiver.read(buffer) ?? 0;
    })();
    await writeAll(pair.sender, new Uint8Array(size));
    await reading;
  }
  const wire = pair.tap.written.view();
  for (let at = 0; at < wire.length;) {
    const length = wire[at]! << 8 | wire[at + 1]!;
    lengths.push(length - SEAL_BYTES);
    at += 2 + length;
  }
  const half = (MAX_MESSAGE_BYTES + 1) / 2;
  const full = MAX_MESSAGE_BYTES;
  assertEquals(lengths, [1, 2_000, full, half, half, full, full, full, full]);
  assertEquals(full, 65_519);
});

Deno.test("SecureConn.write() of nothing sends nothing", async () => {
  using pair = await securePair();
  assertEquals(await pair.sender.write(new Uint8Array(0)), 0);
  assertEquals(pair.tap.writes, 0);
});

Deno.test("SecureConn shows nothing of what it carries", async () => {
  using pair = await securePair();
  pair.tap.record = true;
  const secret = "a secret that is written twice";
  for (let i = 0; i < 2; i++) await writeAll(pair.sender, new TextEncoder().encode(secret));
  const wire = new TextDecoder("latin1").decode(pair.tap.written.view());
  for (let at = 0; at + 8 <= secret.length; at++) {
    assert(!wire.includes(secret.slice(at, at + 8)));
  }
  assert(wire.slice(2, 20) !== wire.slice(48 + 2, 48 + 20));
});

Deno.test("SecureConn fails with PROTOCOL whatever is done to the messages on the way", async () => {
  const flip = (bytes: Uint8Array, at: number) => bytes.slice().fill(bytes[at]! ^ 4, at, at + 1);
  const cases: Record<
    string,
    (sealed: Uint8Array<ArrayBuffer>[]) => (Uint8Array | undefined)[]
  > = {
    "changed text": ([a, b, c]) => [a, flip(b!, 2), c],
    "changed tag": ([a, b, c]) => [a, flip(b!, b!.length - 1), c],
    "shorter": ([a, b, c]) => [a, flip(b!, 1), c],
    "left out": ([a, , c]) => [a, c],
    "repeated": ([a, b]) => [a, a, b],
    "another order": ([a, b, c]) => [a, c, b],
    "too short": ([a]) => [a, new Uint8Array(20)],
    "clear text": ([a]) => [a, bytesOf(0, 20), new Uint8Array(20)],
    "bytes cut out": ([a, b, c]) => [a, b!.slice(0, 10), c, c, c],
  };
  for (const [name, change] of Object.entries(cases)) {
    const messages = [bytesOf(1), bytesOf(2), bytesOf(3)];
    const { tap, receiver } = await afterTampering(
      messages,
      (sealed) => change(sealed).map((each) => (each ?? new Uint8Array()).slice()),
    );
    const buffer = new Uint8Array(100);
    // What came before that is as it was sent.
    assertEquals([await receiver.read(buffer), buffer[0]], [1, 1], name);
    const error = await failureOf(receiver.read(buffer));
    assertEquals(error.code, "PROTOCOL", name);
    assertMatch(error.message, /^an encrypted message/);
    // From now on there is nothing but the end, whatever comes.
    const ended = receiver.read(buffer);
    await writeAll(tap, new Uint8Array(200_000));
    tap.close();
    assertEquals(await ended, null, name);
  }
});

Deno.test("SecureConn takes an end between messages for the end, and one within for a loss", async () => {
  const whole = await afterTampering([bytesOf(1)], (sealed) => sealed);
  whole.tap.close();
  assertEquals(await readAll(whole.receiver), bytesOf(1));
  for (const cut of [1, 2, 10]) {
    const part = await afterTampering([bytesOf(1)], ([a]) => [a!.slice(0, cut)]);
    part.tap.close();
    const error = await failureOf(part.receiver.read(new Uint8Array(10)));
    assertEquals(error.code, "ABORTED");
    assertMatch(error.message, /ended inside an encrypted message/);
  }
});

Deno.test("SecureConn changes its key after as many messages and as much time as it is told", async () => {
  let time = 0;
  const now = () => time;
  using pair = await securePair({ rekeyMessages: 3, rekeyMs: 1000, now });
  pair.tap.record = true;
  const buffer = new Uint8Array(100);
  const rekeys: number[] = [];
  for (let i = 0; i < 12; i++) {
    if (i >= 8) time += 600;
    const before = pair.tap.written.length;
    await pair.sender.write(bytesOf(i));
    assertEquals([await pair.receiver.read(buffer), buffer[0]], [1, i]);
    // A change is a message without text in front: 18 bytes more in the same write.
    if (pair.tap.written.length - before === 18 + 19) rekeys.push(i);
  }
  assertEquals(pair.tap.writes, 12);
  assertEquals(rekeys, [3, 6, 9, 11]);
});

Deno.test("SecureConn changes its key after 2^30 messages and after an hour, if nobody says otherwise", async () => {
  assertEquals([REKEY_MESSAGES, REKEY_MS], [2 ** 30, 3_600_000]);
  const key = new Uint8Array(32).fill(5);
  const at = (count: number): Transport => ({
    send: new CipherState(key, count),
    receive: new CipherState(key, count),
    hash: new Uint8Array(64),
  });
  // How many bytes on the wire a message takes that is the last, the first that is not, and so on.
  const sizes = async (count: number, times: readonly number[]) => {
    const [tap, conn] = await plainPair();
    tap.record = true;
    let time = 0;
    const now = () => time;
    const sender = new SecureConn({ conn: tap, transport: at(count), now });
    const receiver = new SecureConn({ conn, transport: at(count), now });
    const lengths: number[] = [];
    for (time of times) {
      const before = tap.written.length;
      await sender.write(bytesOf(1));
      assertEquals(await receiver.read(new Uint8Array(10)), 1);
      lengths.push(tap.written.length - before);
    }
    tap.close();
    return lengths;
  };
  assertEquals(await sizes(2 ** 30 - 2, [0, 0, 0, 0]), [19, 19, 37, 19]);
  assertEquals(await sizes(0, [0, 3_599_999, 3_600_000, 7_199_999, 7_200_000]), [
    19,
    19,
    37,
    19,
    37,
  ]);
});

Deno.test("SecureConn.rekeyed() waits for the proof, and takes nothing else for it", async () => {
  using good = await securePair();
  const waiting = good.receiver.rekeyed();
  await good.sender.rekey();
  await waiting;
  await good.sender.write(bytesOf(5));
  assertEquals(await good.receiver.read(new Uint8Array(10)), 1);

  using talking = await securePair();
  await talking.sender.write(bytesOf(1));
  assertMatch((await failureOf(talking.receiver.rekeyed())).message, /did not begin with a proof/);

  using other = await securePair();
  await writeAll(other.tap, new Uint8Array(18).with(1, 16));
  assertMatch((await failureOf(other.receiver.rekeyed())).message, /was changed/);

  using silent = await securePair();
  silent.tap.close();
  assertEquals((await failureOf(silent.receiver.rekeyed())).code, "ABORTED");
});

Deno.test("SecureConn fails in order on random bytes, and gives none of them out", async () => {
  const random = new Random(newSeed("secure connection, garbage"));
  for (let round = 0; round < 200; round++) {
    using pair = await securePair();
    await writeAll(pair.tap, random.bytes(1 + random.below(60_000)));
    pair.tap.close();
    const error = await failureOf(pair.receiver.read(new Uint8Array(1 + random.below(1000))));
    assert(error.code === "PROTOCOL" || error.code === "ABORTED");
  }
});
