import { assert, assertEquals, assertMatch } from "@std/assert";
import { EMPTY } from "./codec.ts";
import { Flag, FrameType } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { INITIAL_WINDOW, MAX_DATA_BYTES, MAX_PAYLOAD_BYTES, MAX_WINDOW } from "./limits.ts";
import { type OpenPayload, readError, writeOpen } from "./payload.ts";
import type { Stream } from "./stream.ts";
import { RawPeer } from "./_raw_peer.ts";
import { settle, until } from "./_testing.ts";

/** The payload of an OPEN frame. */
function open(fields: Partial<OpenPayload> = {}): Uint8Array {
  const out = new FrameBuffer();
  writeOpen(out, 1, 0, {
    method: "m",
    path: "/",
    window: 100,
    args: EMPTY,
    body: EMPTY,
    ...fields,
  });
  return out.view().slice(10);
}

function u32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

const replyPayload = (result: number[], body: number[]) =>
  new Uint8Array([...u32(result.length), ...result, ...body]);

/** What a peer can do to lose its connection, and what it is told. */
const FATAL: readonly [string, RegExp, (peer: RawPeer) => Promise<void>][] = [
  ["a frame of type 0", /unknown type 0/, (peer) => peer.send(0, 1, EMPTY)],
  ["a frame of type 10", /unknown type 10/, (peer) => peer.send(10, 1, EMPTY)],
  [
    "a DATA frame that is too long",
    /65537 bytes and type 3: at most 65536/,
    (peer) => peer.send(FrameType.DATA, 1, new Uint8Array(MAX_DATA_BYTES + 1)),
  ],
  [
    "an OPEN frame that is too long",
    /524289 bytes and type 1/,
    (peer) => peer.send(FrameType.OPEN, 1, new Uint8Array(MAX_PAYLOAD_BYTES + 1)),
  ],
  [
    "a CREDIT frame that is too long",
    /5 bytes and type 4/,
    (peer) => peer.send(FrameType.CREDIT, 1, new Uint8Array(5)),
  ],
  [
    "a RESET frame that is too long",
    /type 5/,
    (peer) => peer.send(FrameType.RESET, 1, new Uint8Array(5000)),
  ],
  [
    "an OPEN with stream 0",
    /an? OPEN frame on stream 0/,
    (peer) => peer.send(FrameType.OPEN, 0, open()),
  ],
  [
    "an OPEN with the other side's number",
    /number 2, out of turn/,
    (peer) => peer.send(FrameType.OPEN, 2, open()),
  ],
  ["an OPEN with a number in use", /number 1, out of turn/, async (peer) => {
    await peer.send(FrameType.OPEN, 1, open());
    await peer.send(FrameType.OPEN, 1, open());
  }],
  ["DATA on stream 0", /DATA frame on stream 0/, (peer) => peer.send(FrameType.DATA, 0, EMPTY)],
  [
    "PING on a stream",
    /PING frame on stream 1/,
    (peer) => peer.send(FrameType.PING, 1, new Uint8Array(8)),
  ],
  [
    "a PING that is too short",
    /PING frame that is malformed/,
    (peer) => peer.send(FrameType.PING, 0, new Uint8Array(7)),
  ],
  [
    "a PONG that is too short",
    /PONG frame that is malformed/,
    (peer) => peer.send(FrameType.PONG, 0, EMPTY),
  ],
  ["an empty OPEN", /OPEN frame that is malformed/, (peer) => peer.send(FrameType.OPEN, 1, EMPTY)],
  [
    "an OPEN whose arguments are cut short",
    /OPEN frame that is malformed/,
    (peer) => peer.send(FrameType.OPEN, 1, open({ args: new Uint8Array(9) }).slice(0, -1)),
  ],
  ["an OPEN that is not UTF-8", /OPEN frame that is malformed/, (peer) => {
    const payload = open();
    payload[1] = 0xff;
    return peer.send(FrameType.OPEN, 1, payload);
  }],
  [
    "an OPEN with too long a path",
    /OPEN frame that is malformed/,
    (peer) =>
      peer.send(FrameType.OPEN, 1, new Uint8Array([1, 97, 0xff, 0xff, ...new Uint8Array(70_000)])),
  ],
  [
    "an OPEN with too large a window",
    /a window of 16777217 bytes/,
    (peer) => peer.send(FrameType.OPEN, 1, open({ window: MAX_WINDOW + 1 })),
  ],
  [
    "an OPEN with too large a body",
    /a body of 32769 bytes/,
    (peer) =>
      peer.send(
        FrameType.OPEN,
        1,
        new Uint8Array([...open(), ...new Uint8Array(INITIAL_WINDOW + 1)]),
      ),
  ],
];

for (const [what, told, misbehave] of FATAL) {
  Deno.test(`${what} costs the connection, and the peer is told why`, async () => {
    await using peer = await RawPeer.connect({
      onRequest: (incoming) => incoming.session.accept(incoming),
    });
    await misbehave(peer);
    const goaway = readError((await peer.frame(FrameType.GOAWAY)).payload);
    assertEquals(goaway.code, "PROTOCOL");
    assertMatch(goaway.message, told);
    peer.conn.close();
    const error = await peer.session.closed;
    assertEquals(error.code, "PROTOCOL");
    assertMatch(error.message, told);
    assertEquals(peer.session.streamCount, 0);
  });
}

/** What a peer can do to lose a stream that it has opened, and what it is told. */
const OPENER_FAULTS: readonly [string, RegExp, (peer: RawPeer) => Promise<void>][] = [
  ["DATA beyond its credit", /1 bytes on a stream where it had credit for 0/, async (peer) => {
    await peer.send(FrameType.DATA, 1, new Uint8Array(INITIAL_WINDOW));
    await peer.send(FrameType.DATA, 1, new Uint8Array(1));
  }],
  ["DATA after END", /more on a stream after its end/, async (peer) => {
    await peer.send(FrameType.DATA, 1, EMPTY, Flag.END);
    await peer.send(FrameType.DATA, 1, new Uint8Array(1));
  }],
  ["END twice", /more on a stream after its end/, async (peer) => {
    await peer.send(FrameType.DATA, 1, EMPTY, Flag.END);
    await peer.send(FrameType.DATA, 1, EMPTY, Flag.END);
  }],
  ["CREDIT that overflows the window", /at most 16777216/, async (peer) => {
    await peer.send(FrameType.CREDIT, 1, u32(MAX_WINDOW - 100));
    await peer.send(FrameType.CREDIT, 1, u32(1));
  }],
  [
    "CREDIT of 2^32 - 1",
    /at most 16777216/,
    (peer) => peer.send(FrameType.CREDIT, 1, u32(0xffff_ffff)),
  ],
  [
    "CREDIT that is too short",
    /a CREDIT frame that is malformed/,
    (peer) => peer.send(FrameType.CREDIT, 1, new Uint8Array(3)),
  ],
  [
    "REPLY to its own request",
    /answered a request that it has sent itself/,
    (peer) => peer.send(FrameType.REPLY, 1, replyPayload([], [])),
  ],
];

for (const [what, told, misbehave] of OPENER_FAULTS) {
  Deno.test(`${what} of the opener costs the stream only`, async () => {
    let stream: Stream | undefined;
    await using peer = await RawPeer.connect({
      onRequest: (incoming) => stream = incoming.session.accept(incoming),
    });
    await peer.send(FrameType.OPEN, 1, open());
    await misbehave(peer);
    const reset = readError((await peer.frame(FrameType.RESET)).payload);
    assertEquals(reset.code, "PROTOCOL");
    assertMatch(reset.message, told);
    assertEquals(stream?.error?.code, "PROTOCOL");
    await peer.send(FrameType.PING, 0, new Uint8Array(8));
    await peer.frame(FrameType.PONG);
    assertEquals(peer.session.streamCount, 0);
  });
}

/** What a peer can do to lose a stream that was opened with it. */
const ANSWERER_FAULTS: readonly [string, RegExp, (peer: RawPeer) => Promise<void>][] = [
  [
    "DATA before the REPLY",
    /before it answered/,
    (peer) => peer.send(FrameType.DATA, 2, new Uint8Array(1)),
  ],
  [
    "END before the REPLY",
    /before it answered/,
    (peer) => peer.send(FrameType.DATA, 2, EMPTY, Flag.END),
  ],
  ["REPLY twice", /answered a request twice/, async (peer) => {
    await peer.send(FrameType.REPLY, 2, replyPayload([], []));
    await peer.send(FrameType.REPLY, 2, replyPayload([], []));
  }],
  [
    "a REPLY that is cut short",
    /a REPLY frame that is malformed/,
    (peer) => peer.send(FrameType.REPLY, 2, new Uint8Array([0, 0, 0])),
  ],
  [
    "a REPLY whose result is cut short",
    /a REPLY frame that is malformed/,
    (peer) => peer.send(FrameType.REPLY, 2, new Uint8Array([0, 0, 0, 2, 1])),
  ],
  [
    "a REPLY that is not MessagePack",
    /not MessagePack/,
    (peer) => peer.send(FrameType.REPLY, 2, replyPayload([0xc1], [])),
  ],
  [
    "a REPLY with too large a body",
    /a body of 32769 bytes/,
    (peer) => peer.send(FrameType.REPLY, 2, new Uint8Array(4 + 32769)),
  ],
  [
    "a REPLY with more than the credit",
    /11 bytes on a stream where it had credit for 10/,
    (peer) => peer.send(FrameType.REPLY, 2, new Uint8Array(4 + 11)),
  ],
];

for (const [what, told, misbehave] of ANSWERER_FAULTS) {
  Deno.test(`${what} of the answerer costs the stream only`, async () => {
    await using peer = await RawPeer.connect();
    const stream = peer.session.open("call", "/", { end: true, window: 10 });
    await misbehave(peer);
    const reset = readError((await peer.frame(FrameType.RESET)).payload);
    assertEquals([reset.code, stream.error?.code], ["PROTOCOL", "PROTOCOL"]);
    assertMatch(reset.message, told);
    await peer.send(FrameType.PING, 0, new Uint8Array(8));
    await peer.frame(FrameType.PONG);
    assertEquals(peer.session.error, undefined);
  });
}

Deno.test("frames of streams that are over or never were are ignored", async () => {
  await using peer = await RawPeer.connect({
    onRequest: (incoming) => incoming.session.accept(incoming).accept({ last: true }),
  });
  await peer.send(FrameType.OPEN, 1, open(), Flag.END);
  for (const stream of [1, 2, 3, 0xffff_ffff]) {
    await peer.send(FrameType.DATA, stream, new Uint8Array(5));
    await peer.send(FrameType.CREDIT, stream, u32(5));
    await peer.send(FrameType.REPLY, stream, EMPTY);
    await peer.send(FrameType.RESET, stream, EMPTY);
  }
  await peer.send(FrameType.MEMBER, 0, new Uint8Array(5));
  await peer.send(FrameType.PING, 0, new Uint8Array(8));
  await peer.frame(FrameType.PONG);
  assertEquals(peer.frames.map(({ type }) => type), [FrameType.REPLY, FrameType.PONG]);
});

Deno.test("a client that is asked for something refuses", async () => {
  await using peer = await RawPeer.connect();
  await peer.send(FrameType.OPEN, 1, open());
  assertEquals(readError((await peer.frame(FrameType.RESET)).payload).code, "UNSUPPORTED");
});

Deno.test("a RESET without a code that is known is INTERNAL", async () => {
  await using peer = await RawPeer.connect();
  const streams = [2, 4, 6].map(() => peer.session.open("call", "/"));
  await peer.send(FrameType.RESET, 2, EMPTY);
  await peer.send(FrameType.RESET, 4, new Uint8Array([99, 97]));
  await peer.send(FrameType.RESET, 6, new Uint8Array([6, 0xff]));
  await until(() => peer.session.streamCount === 0);
  assertEquals(streams.map(({ error }) => [error?.code, error?.message]), [
    ["INTERNAL", "no reason given"],
    ["INTERNAL", "a"],
    ["BUSY", "the peer's reason is not valid UTF-8"],
  ]);
});

Deno.test("OPEN at the limit of streams is BUSY", async () => {
  await using peer = await RawPeer.connect({
    maxStreams: 3,
    onRequest: (incoming) => incoming.session.accept(incoming),
  });
  for (const stream of [1, 3, 5, 7]) await peer.send(FrameType.OPEN, stream, open());
  const reset = await peer.frame(FrameType.RESET);
  assertEquals([reset.stream, readError(reset.payload).code], [7, "BUSY"]);
});

Deno.test("a peer that breaks the rules and reads nothing is cut off in time", async () => {
  await using peer = await RawPeer.connect();
  let closed = false;
  peer.session.closed.then(() => closed = true);
  await peer.send(99, 1, EMPTY);
  await until(() => closed);
  await until(() => peer.ended);
  await settle();
  assert(closed);
});
