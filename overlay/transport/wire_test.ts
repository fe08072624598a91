/** Pins every number of the wire, with the bytes written out; PROTOCOL.md refers to this file. */

import { assertEquals, assertThrows } from "@std/assert";
import { CircuitError, ERROR_CODES } from "../errors.ts";
import { EMPTY, messagePack } from "./codec.ts";
import { Flag, FrameType, maxPayload } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { encodeHello, HELLO_BYTES, HelloFlag, PROTOCOL_VERSION } from "./hello.ts";
import * as limits from "./limits.ts";
import { readError, readOpen, readReply, writeError, writeOpen, writeReply } from "./payload.ts";

/** The bytes of what is written. */
function written(write: (out: FrameBuffer) => void): Uint8Array {
  const out = new FrameBuffer();
  write(out);
  return out.view().slice();
}

function bytes(...values: (number | string)[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return new Uint8Array(
    values.flatMap((value) => typeof value === "string" ? [...encoder.encode(value)] : [value]),
  );
}

Deno.test("frame types, flags and limits are what PROTOCOL.md says", () => {
  assertEquals({ ...FrameType }, {
    OPEN: 1,
    REPLY: 2,
    DATA: 3,
    CREDIT: 4,
    RESET: 5,
    PING: 6,
    PONG: 7,
    GOAWAY: 8,
    MEMBER: 9,
  });
  assertEquals({ ...Flag }, { END: 1, RELAYED: 2 });
  assertEquals({ ...HelloFlag }, { KEYED: 1 });
  assertEquals([PROTOCOL_VERSION, HELLO_BYTES], [1, 30]);
  const most = Array.from({ length: 11 }, (_, type) => maxPayload(type));
  assertEquals(most, [-1, 524288, 524288, 65536, 4, 4097, 8, 8, 4097, 524288, -1]);
  const { HEADER_BYTES, INITIAL_WINDOW, MAX_INLINE_BYTES, MAX_WINDOW, MAX_STREAMS } = limits;
  assertEquals(
    [HEADER_BYTES, INITIAL_WINDOW, MAX_INLINE_BYTES, MAX_WINDOW, MAX_STREAMS],
    [10, 32768, 32768, 16777216, 65536],
  );
  const { MAX_METHOD_BYTES, MAX_PATH_BYTES, MAX_HELLO_TEXT_BYTES, MAX_ERROR_BYTES } = limits;
  assertEquals(
    [MAX_METHOD_BYTES, MAX_PATH_BYTES, MAX_HELLO_TEXT_BYTES, MAX_ERROR_BYTES],
    [64, 16384, 1024, 4096],
  );
  const { HELLO_TIMEOUT_MS, SILENCE_MS, IDLE_PING_MS, KEEPALIVE_MS } = limits;
  assertEquals([HELLO_TIMEOUT_MS, SILENCE_MS, IDLE_PING_MS, KEEPALIVE_MS], [
    5_000,
    10_000,
    30_000,
    2_000,
  ]);
});

Deno.test("error codes have the numbers that PROTOCOL.md says", () => {
  assertEquals([...ERROR_CODES], [
    "INTERNAL",
    "BAD_REQUEST",
    "NOT_FOUND",
    "EXISTS",
    "CLOSED",
    "ABORTED",
    "BUSY",
    "DENIED",
    "SERVER_GONE",
    "UNREACHABLE",
    "TIMEOUT",
    "PROTOCOL",
    "UNSUPPORTED",
  ]);
});

Deno.test("encodeHello() writes these bytes", () => {
  const client = encodeHello({
    role: "client",
    flags: 0,
    id: undefined,
    expected: "X0123456789abcdef",
    refusal: undefined,
    address: "",
  });
  const none = [0, 0, 0, 0, 0, 0, 0, 0];
  const id = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
  assertEquals(client, bytes("circuit\n", 1, 0, 0, 0, ...none, ...id, 0, 0));
  const refusal = encodeHello({
    role: "server",
    flags: 1,
    id: "X0123456789abcdef",
    expected: undefined,
    refusal: new CircuitError("UNSUPPORTED", "nö"),
    address: "",
  });
  assertEquals(refusal, bytes("circuit\n", 1, 1, 1, 13, ...id, ...none, 0, 3, "nö"));
});

Deno.test("writeOpen() writes these bytes", () => {
  const open = {
    method: "a.b",
    path: "/é",
    window: 0x020304,
    args: bytes(0xc3),
    body: bytes(7, 8),
  };
  const frame = written((out) => writeOpen(out, 0x0a0b0c0d, Flag.END | Flag.RELAYED, open));
  assertEquals(
    frame,
    bytes(
      ...[0, 0, 0, 20, 1, 3, 0x0a, 0x0b, 0x0c, 0x0d],
      ...[3, "a.b", 0, 3, "/é", 0, 2, 3, 4, 0, 0, 0, 1, 0xc3, 7, 8],
    ),
  );
  assertEquals({ ...readOpen(frame.subarray(10)) }, open);
});

Deno.test("writeReply() writes these bytes", () => {
  const frame = written((out) => writeReply(out, 5, Flag.END, bytes(0xc3), bytes(1, 2, 3)));
  assertEquals(frame, bytes(0, 0, 0, 8, 2, 1, 0, 0, 0, 5, 0, 0, 0, 1, 0xc3, 1, 2, 3));
  assertEquals(readReply(frame.subarray(10)), { result: bytes(0xc3), body: bytes(1, 2, 3) });
});

Deno.test("DATA, CREDIT, RESET and GOAWAY are these bytes", () => {
  assertEquals(
    written((out) => out.frame(FrameType.DATA, Flag.END, 1, bytes(9))),
    bytes(0, 0, 0, 1, 3, 1, 0, 0, 0, 1, 9),
  );
  assertEquals(
    written((out) => out.credit(1, 0x010203)),
    bytes(0, 0, 0, 4, 4, 0, 0, 0, 0, 1, 0, 1, 2, 3),
  );
  const error = new CircuitError("CLOSED", "it is");
  assertEquals(
    written((out) => writeError(out, FrameType.RESET, 3, error)),
    bytes(0, 0, 0, 6, 5, 0, 0, 0, 0, 3, 4, "it is"),
  );
  const goaway = written((out) => writeError(out, FrameType.GOAWAY, 0, error));
  assertEquals(goaway, bytes(0, 0, 0, 6, 8, 0, 0, 0, 0, 0, 4, "it is"));
  const read = readError(goaway.subarray(10));
  assertEquals([read.code, read.message], ["CLOSED", "it is"]);
});

Deno.test("each code travels as itself", () => {
  for (const code of ERROR_CODES) {
    const frame = written((out) =>
      writeError(out, FrameType.RESET, 1, new CircuitError(code, "x"))
    );
    assertEquals(readError(frame.subarray(10)).code, code);
  }
});

/** What the example exchange of PROTOCOL.md consists of, by its labels there. */
const EXCHANGE: Readonly<Record<string, () => Uint8Array>> = {
  "C hello": () =>
    encodeHello({
      role: "client",
      flags: 0,
      id: undefined,
      expected: "X0123456789abcdef",
      refusal: undefined,
      address: "",
    }),
  "S hello": () =>
    encodeHello({
      role: "server",
      flags: 0,
      id: "X0123456789abcdef",
      expected: undefined,
      refusal: undefined,
      address: "circuit://10.0.0.1:7711/42/Q0123456789abcdef",
    }),
  "C OPEN anchor.make": () =>
    open(1, Flag.END, "anchor.make", 32768, messagePack.encode({ kind: "chan", value: 3 }), EMPTY),
  "S REPLY made": () => written((out) => writeReply(out, 1, Flag.END, EMPTY, EMPTY)),
  "C OPEN chan.send": () => open(3, Flag.END, "chan.send", 32768, EMPTY, bytes("hello")),
  "S REPLY sent": () => written((out) => writeReply(out, 3, Flag.END, EMPTY, EMPTY)),
  "C OPEN chan.recv": () => open(5, 0, "chan.recv", 262144, EMPTY, EMPTY),
  "S REPLY message": () => written((out) => writeReply(out, 5, Flag.END, EMPTY, bytes("hello"))),
  "C DATA received": () => written((out) => out.frame(FrameType.DATA, Flag.END, 5, EMPTY)),
  "C OPEN chan.stat": () => open(7, Flag.END, "chan.stat", 32768, EMPTY, EMPTY),
  "S REPLY stat": () => {
    const stat = { cap: 3, closed: false, aborted: false, numSend: 1, numRecv: 1 };
    return written((out) => writeReply(out, 7, Flag.END, messagePack.encode(stat), EMPTY));
  },
  "C OPEN wrong": () => open(9, Flag.END, "chan.stat", 32768, EMPTY, EMPTY, "/b"),
  "S RESET wrong": () => {
    const message = "there is no element at /X0123456789abcdef/b";
    const error = new CircuitError("NOT_FOUND", message);
    return written((out) => writeError(out, FrameType.RESET, 9, error));
  },
  "C GOAWAY": () => {
    const error = new CircuitError("CLOSED", "the client was closed");
    return written((out) => writeError(out, FrameType.GOAWAY, 0, error));
  },
};

function open(
  stream: number,
  flags: number,
  method: string,
  window: number,
  args: Uint8Array,
  body: Uint8Array,
  below = "/a",
): Uint8Array {
  const path = `/X0123456789abcdef${below}`;
  return written((out) => writeOpen(out, stream, flags, { method, path, window, args, body }));
}

Deno.test("the example exchange in PROTOCOL.md is what the encoder writes", async () => {
  const text = await Deno.readTextFile(new URL("PROTOCOL.md", import.meta.url));
  const block = text.split("```hex\n")[1]?.split("```")[0] ?? "";
  const found: Record<string, string> = {};
  let label = "";
  for (const line of block.split("\n")) {
    if (/^[CS] /.test(line)) found[label = line] = "";
    else if (line.trim() !== "") found[label] += line.replaceAll(/\s/g, "");
  }
  const wanted = Object.entries(EXCHANGE).map(([name, make]) => [name, make().toHex()]);
  assertEquals(found, Object.fromEntries(wanted));
});

Deno.test("a request takes the longest method and path there may be, and not a byte more", () => {
  const { MAX_METHOD_BYTES, MAX_PATH_BYTES } = limits;
  const open = (methodBytes: number, pathBytes: number) =>
    written((out) =>
      writeOpen(out, 1, 0, {
        method: "m".repeat(methodBytes),
        path: "/".repeat(pathBytes),
        window: 0,
        args: EMPTY,
        body: EMPTY,
      })
    );
  const longest = readOpen(open(MAX_METHOD_BYTES, MAX_PATH_BYTES).subarray(limits.HEADER_BYTES));
  assertEquals([longest.method.length, longest.path.length], [MAX_METHOD_BYTES, MAX_PATH_BYTES]);
  for (const [method, path] of [[1, 0], [0, 1]] as const) {
    const error = assertThrows(
      () => open(MAX_METHOD_BYTES + method, MAX_PATH_BYTES + path),
      CircuitError,
      "too large",
    );
    assertEquals(error.code, "BAD_REQUEST");
  }
});
