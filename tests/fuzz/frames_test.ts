/** Sessions that are told frames of which some are wrong, as a server's are. */

import { assert, assertEquals } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { messagePack } from "../../overlay/transport/codec.ts";
import { Flag, FrameType } from "../../overlay/transport/frame.ts";
import { FrameBuffer } from "../../overlay/transport/frame_buffer.ts";
import { writeError, writeOpen, writeReply } from "../../overlay/transport/payload.ts";
import { relay } from "../../overlay/transport/relay.ts";
import { Session } from "../../overlay/transport/session.ts";
import { connectPair, FakeClock } from "../../overlay/transport/_testing.ts";
import { fuzz, Random } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";
import { NEVER, Script } from "./script.ts";

/** Sequences of valid frames to choose from. */
const POOL = 200;

/** Most bytes that a session may say, whatever it is told. */
const MAX_WRITTEN = 20_000;

/** Cases after which the session that calls are passed on to must have nothing left. */
const CHECK_EVERY = 500;

/** Frames as a client could send them, in a valid order. */
function validFrames(random: Random): Uint8Array {
  const out = new FrameBuffer();
  for (let stream = 1; stream < 7; stream += 2) {
    const kind = random.below(4);
    const method = ["echo", "sink", "call", "pass"][kind]!; // there are four
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
  return out.view().slice();
}

/** Tells a session all of this; returns why it was lost. */
async function tell(script: Script, passOn: Session): Promise<CircuitError> {
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
  assert(reply === undefined || reply instanceof CircuitError);
  assertEquals(session.streamCount, 0);
  assert(script.written < MAX_WRITTEN);
  return error;
}

/** A session to pass calls on to, whose other end takes them and does nothing. */
function target() {
  return connectPair({
    dialler: { clock: new FakeClock() },
    acceptor: {
      clock: new FakeClock(),
      onRequest: (incoming) => void incoming.session.accept(incoming),
    },
  });
}

Deno.test("a session takes frames that are cut short at every byte", async () => {
  await using far = await target();
  const bytes = validFrames(new Random(1));
  for (let length = 0; length <= bytes.length; length++) {
    for (const piece of [1, 7, Infinity]) {
      const error = await tell(new Script(bytes.subarray(0, length), piece), far.dialler);
      assertEquals(error.code, "ABORTED");
    }
  }
  await far.dialler.ping();
  assertEquals([far.dialler.streamCount, far.acceptor.streamCount], [0, 0]);
});

fuzz("frames", async (random, stack) => {
  const far = stack.use(await target());
  const pool = Array.from({ length: POOL }, () => validFrames(random));
  let count = 0;
  return async (random) => {
    const script = new Script(mutate(pick(pool, random), random), pick([16, 100, 300], random));
    const error = await tell(script, far.dialler);
    if (++count % CHECK_EVERY === 0) {
      await far.dialler.ping();
      assertEquals([far.dialler.streamCount, far.acceptor.streamCount], [0, 0]);
    }
    throw error;
  };
});
