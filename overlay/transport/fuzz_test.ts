/**
 * Throws cut and mutated frames at sessions. A hundred thousand mutations by default;
 * CIRCUIT_FUZZ=1000000 runs as many as it says, CIRCUIT_TEST_SEED a run that was had before.
 */

import { assert, assertEquals } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { messagePack } from "./codec.ts";
import { Flag, FrameType } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import type { Conn } from "./network.ts";
import { writeError, writeOpen, writeReply } from "./payload.ts";
import { relay } from "./relay.ts";
import { Session } from "./session.ts";
import { connectPair, FakeClock, Random, seed, settle } from "./_testing.ts";

const MUTATIONS = Number(Deno.env.get("CIRCUIT_FUZZ") ?? 100_000);

/** Mutated sequences that a session gets at most: one that breaks the rules ends it before. */
const SEQUENCES = 6;

/** Sequences of valid frames to mutate, for each place in a session. */
const POOL = 100;

/** Memory that may be held at the end beyond what was held after a tenth of the run. */
const MAX_GROWTH_BYTES = 40 * 1024 * 1024;

/** A connection that says what it was given, in pieces, and then ends; what it is told is dropped. */
class Script implements Conn {
  readonly remote = "script:0";
  readonly localHost = "script";
  readonly #bytes: Uint8Array;
  readonly #piece: number;
  #at = 0;
  #closed = false;
  written = 0;

  /** Bytes that were read. */
  get position(): number {
    return this.#at;
  }

  constructor(bytes: Uint8Array, piece: number) {
    this.#bytes = bytes;
    this.#piece = piece;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed || this.#at === this.#bytes.length) return Promise.resolve(null);
    const to = Math.min(this.#bytes.length, this.#at + Math.min(buffer.length, this.#piece));
    buffer.set(this.#bytes.subarray(this.#at, to));
    const count = to - this.#at;
    this.#at = to;
    return Promise.resolve(count);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.written += bytes.length;
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#closed = true;
  }
}

/** A clock whose timers never come. */
const NEVER = { now: () => 0, after: () => () => {}, every: () => () => {} };

/** Frames as a client could send them, in a valid order, on streams from `first` on. */
function validFrames(random: Random, first: number): FrameBuffer {
  const out = new FrameBuffer();
  for (let stream = first; stream < first + 6; stream += 2) {
    const kind = random.below(4);
    const method = ["echo", "sink", "call", "pass"][kind]!;
    const args = random.below(2)
      ? messagePack.encode({ kind: "chan", value: 3 })
      : new Uint8Array(0);
    const body = random.bytes(random.below(20));
    const path = "/X0123456789abcdef/a/b".slice(0, 1 + random.below(22));
    const window = random.below(1_000);
    writeOpen(out, stream, kind === 2 ? Flag.END : 0, { method, path, window, args, body });
    if (random.below(2)) out.credit(stream, random.below(1_000));
    if (kind === 2) continue;
    const data = random.bytes(random.below(40));
    out.frame(FrameType.DATA, random.below(3) ? 0 : Flag.END, stream, data);
    if (random.below(3) === 0) {
      writeError(out, FrameType.RESET, stream, new CircuitError("ABORTED", "enough"));
    }
  }
  // Answers to what the session has asked, and frames about the connection.
  writeReply(out, 2, random.below(2), messagePack.encode([1, "two", null]), random.bytes(5));
  out.frame(FrameType.PING, 0, 0, random.bytes(8));
  out.frame(FrameType.PONG, 0, 0, random.bytes(8));
  out.frame(FrameType.MEMBER, 0, 0, random.bytes(random.below(20)));
  if (random.below(20) === 0) {
    writeError(out, FrameType.GOAWAY, 0, new CircuitError("CLOSED", "bye"));
  }
  return out;
}

/** Copies `from` to `bytes` at `at` with one thing changed; returns how long that is. */
function mutate(from: Uint8Array, bytes: Uint8Array, at: number, random: Random): number {
  const where = random.below(from.length);
  // What is left out of it, or comes twice (less than nothing left out), or is put in.
  const gap = [0, 0, 0, 1 + random.below(12), -1 - random.below(12), 0][random.below(6)]!;
  const extra = random.below(6) === 0 ? random.bytes(1 + random.below(12)) : NOTHING;
  bytes.set(from.subarray(0, where), at);
  bytes.set(extra, at + where);
  const rest = from.subarray(Math.max(0, where + gap));
  bytes.set(rest, at + where + extra.length);
  if (gap === 0 && extra.length === 0) {
    const old = bytes[at + where]!;
    const edges = [0, 1, 0x7f, 0x80, 0xff];
    bytes[at + where] = [old ^ 1 << random.below(8), random.below(256), edges[random.below(5)]!][
      random.below(3)
    ]!;
  }
  return where + extra.length + rest.length;
}

const NOTHING = new Uint8Array(0);

/** A session with this script, which has asked for something itself; and what it is lost with. */
async function run(
  script: Script,
  passOn: Session,
): Promise<{ error: CircuitError; reply: CircuitError | undefined; streams: number }> {
  const session = new Session({
    conn: script,
    dialled: false,
    peer: { role: "client", id: undefined, address: "script" },
    codec: messagePack,
    clock: NEVER,
    onRequest(incoming) {
      if (incoming.method === "pass") return relay(incoming, passOn);
      const stream = incoming.session.accept(incoming);
      stream.accept({ result: messagePack.decode(incoming.args.slice()) });
      if (incoming.method === "echo") {
        stream.write(incoming.payload.slice()).then(() => stream.end(), () => {});
      }
      stream.read().then((bytes) => stream.grant(bytes?.length ?? 0), () => {});
    },
    onMember() {},
  });
  const own = session.open("call", "/", { window: 100 });
  const error = await session.closed;
  // Every wait has come to an end, too.
  const reply = await own.reply().then(() => undefined, (error) => error);
  return { error, reply, streams: session.streamCount };
}

Deno.test("a session takes frames that are cut short at every byte", async () => {
  await using far = await connectPair({
    acceptor: { onRequest: (incoming) => void incoming.session.accept(incoming) },
  });
  const random = new Random(1);
  const bytes = validFrames(random, 1).view().slice();
  for (let length = 0; length <= bytes.length; length++) {
    for (const piece of [1, 7, Infinity]) {
      const { streams, error } = await run(
        new Script(bytes.subarray(0, length), piece),
        far.dialler,
      );
      assertEquals([streams, error.code], [0, "ABORTED"]);
    }
  }
  await far.dialler.ping();
  assertEquals([far.dialler.streamCount, far.acceptor.streamCount], [0, 0]);
});

Deno.test(`a session takes ${MUTATIONS} random mutations of frames`, async () => {
  const random = new Random(seed("fuzz"));
  await using far = await connectPair({
    dialler: { clock: new FakeClock() },
    acceptor: {
      clock: new FakeClock(),
      onRequest: (incoming) => void incoming.session.accept(incoming),
    },
  });
  const began = performance.now();
  const codes: Record<string, number> = {};
  let sessions = 0;
  let baseline = 0;
  const pool = Array.from({ length: SEQUENCES }, (_, place) => {
    return Array.from({ length: POOL }, () => validFrames(random, 1 + 6 * place).view().slice());
  });
  const memory = new Uint8Array(SEQUENCES * 2_000);
  for (let done = 0; done < MUTATIONS;) {
    let length = 0;
    const starts: number[] = [];
    for (let i = 0; i < SEQUENCES; i++) {
      starts.push(length);
      length += mutate(pool[i]![random.below(POOL)]!, memory, length, random);
    }
    const piece = [16, 100, 300][random.below(3)]!;
    const script = new Script(memory.subarray(0, length), piece);
    const { error, reply, streams } = await run(script, far.dialler);
    codes[error.code] = (codes[error.code] ?? 0) + 1;
    // Those behind the one that ended the session were not seen by it.
    done += starts.filter((start) => start <= Math.max(0, script.position - piece)).length;
    assertEquals(streams, 0);
    assert(reply === undefined || reply instanceof CircuitError);
    // It says little, whatever it is told.
    assert(script.written < 20_000);
    sessions++;
    if (sessions % 500 === 0) {
      await settle();
      await far.dialler.ping();
      assertEquals([far.dialler.streamCount, far.acceptor.streamCount], [0, 0]);
    }
    if (done >= MUTATIONS / 10 && baseline === 0) baseline = await heapUsed();
  }
  const growth = await heapUsed() - baseline;
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${sessions} sessions, ${JSON.stringify(codes)}, ${seconds.toFixed(1)} s, ` +
      `${(growth / 2 ** 20).toFixed(1)} MiB more`,
  );
  assert(growth < MAX_GROWTH_BYTES);
});

/** Memory in use; the least of a few looks, since nobody can order a collection. */
async function heapUsed(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 20; i++) {
    // Garbage, so that the collector has a reason to come by.
    for (let j = 0; j < 50; j++) new Uint8Array(200_000).fill(j);
    await settle();
    const { heapUsed, external } = Deno.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
