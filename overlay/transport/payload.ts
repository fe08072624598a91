/**
 * The payloads of frames that have fields: written, and read with every length checked.
 *
 * @module
 */

import { CircuitError, ERROR_CODES } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { FrameType, readU32 } from "./frame.ts";
import type { FrameBuffer } from "./frame_buffer.ts";
import type { KnownTexts } from "./known_texts.ts";
import {
  INITIAL_WINDOW,
  MAX_ERROR_BYTES,
  MAX_INLINE_BYTES,
  MAX_METHOD_BYTES,
  MAX_PATH_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_WINDOW,
} from "./limits.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The payload of an OPEN frame, read. */
export interface OpenPayload {
  /** What to do, as `chan.send`. */
  readonly method: string;
  /** To what: an anchor's path, or `/`. */
  readonly path: string;
  /** Bytes that the opener can take before it grants more. */
  readonly window: number;
  /** Arguments in MessagePack; empty for none. Aliases the frame. */
  readonly args: Uint8Array;
  /** The first bytes of the opener's stream. Aliases the frame. */
  readonly body: Uint8Array;
}

/**
 * Writes an OPEN frame.
 *
 * @throws {CircuitError} `BAD_REQUEST` if a part of it is longer than allowed; nothing is written then.
 */
export function writeOpen(
  out: FrameBuffer,
  stream: number,
  flags: number,
  open: OpenPayload,
): void {
  out.begin(FrameType.OPEN, flags, stream);
  const method = out.prefixedText(open.method, false);
  const path = open.path.length > MAX_PATH_BYTES ? Infinity : out.prefixedText(open.path, true);
  out.u32(open.window);
  out.u32(open.args.length);
  out.bytes(open.args);
  out.bytes(open.body);
  const total = method + path + open.args.length + open.body.length + 11;
  if (
    method > MAX_METHOD_BYTES || path > MAX_PATH_BYTES || open.body.length > INITIAL_WINDOW ||
    total > MAX_PAYLOAD_BYTES
  ) {
    out.abandon();
    throw new CircuitError(
      "BAD_REQUEST",
      `${open.method.slice(0, MAX_METHOD_BYTES)}: the request is too large: a method may have ` +
        `${MAX_METHOD_BYTES} bytes, a path ${MAX_PATH_BYTES}, a body that goes along ` +
        `${INITIAL_WINDOW}, and all of it ${MAX_PAYLOAD_BYTES}`,
    );
  }
  out.finish();
}

/**
 * Reads an OPEN frame's payload.
 *
 * @param texts Of the connection.
 * @throws {CircuitError} `PROTOCOL` if it is cut short or not UTF-8, or a part is longer than allowed.
 */
export function readOpen(payload: Uint8Array, texts?: KnownTexts): OpenPayload {
  const methodLength = payload[0] ?? 0;
  const pathAt = 1 + methodLength + 2;
  if (payload.length < pathAt || methodLength > MAX_METHOD_BYTES) throw malformed("an OPEN");
  const pathLength = payload[pathAt - 2]! << 8 | payload[pathAt - 1]!;
  const windowAt = pathAt + pathLength;
  const argsAt = windowAt + 8;
  if (payload.length < argsAt || pathLength > MAX_PATH_BYTES) throw malformed("an OPEN");
  const argsLength = readU32(payload, windowAt + 4);
  if (argsLength > payload.length - argsAt) throw malformed("an OPEN");
  const window = readU32(payload, windowAt);
  const bodyLength = payload.length - argsAt - argsLength;
  if (window > MAX_WINDOW || bodyLength > INITIAL_WINDOW) {
    const [what, found, most] = window > MAX_WINDOW
      ? ["a window", window, MAX_WINDOW]
      : ["a body", bodyLength, INITIAL_WINDOW];
    throw new CircuitError(
      "PROTOCOL",
      `the peer sent an OPEN frame with ${what} of ${found} bytes: at most ${most} are allowed`,
    );
  }
  return {
    method: readText(payload, 1, pathAt - 2, texts),
    path: readText(payload, pathAt, windowAt, texts),
    window,
    args: part(payload, argsAt, argsAt + argsLength),
    body: part(payload, argsAt + argsLength, payload.length),
  };
}

/**
 * Writes a REPLY frame: the result in MessagePack (empty for none) and the first stream bytes.
 *
 * @throws {CircuitError} `UNSUPPORTED` if the result is too large; nothing is written then.
 */
export function writeReply(
  out: FrameBuffer,
  stream: number,
  flags: number,
  result: Uint8Array,
  body: Uint8Array,
): void {
  const most = MAX_PAYLOAD_BYTES - MAX_INLINE_BYTES - 4;
  if (result.length > most) {
    throw new CircuitError(
      "UNSUPPORTED",
      `the answer has ${result.length} bytes: at most ${most} can be sent`,
    );
  }
  out.begin(FrameType.REPLY, flags, stream);
  out.u32(result.length);
  out.bytes(result);
  out.bytes(body);
  out.finish();
}

/**
 * Reads a REPLY frame's payload; both parts alias it.
 *
 * @throws {CircuitError} `PROTOCOL` if it is cut short or its body is longer than allowed.
 */
export function readReply(payload: Uint8Array): { result: Uint8Array; body: Uint8Array } {
  if (payload.length < 4) throw malformed("a REPLY");
  const length = readU32(payload, 0);
  const bodyLength = payload.length - 4 - length;
  if (bodyLength < 0) throw malformed("a REPLY");
  if (bodyLength > MAX_INLINE_BYTES) {
    throw new CircuitError(
      "PROTOCOL",
      `the peer sent a REPLY frame with a body of ${bodyLength} bytes: at most ` +
        `${MAX_INLINE_BYTES} are allowed`,
    );
  }
  return { result: part(payload, 4, 4 + length), body: part(payload, 4 + length, payload.length) };
}

/** Writes a RESET or GOAWAY frame: an error code's number and the message. */
export function writeError(
  out: FrameBuffer,
  type: typeof FrameType.RESET | typeof FrameType.GOAWAY,
  stream: number,
  error: CircuitError,
): void {
  out.begin(type, 0, stream);
  out.u8(ERROR_CODES.indexOf(error.code));
  let message = error.message;
  if (message.length * 3 > MAX_ERROR_BYTES) {
    message = message.slice(0, MAX_ERROR_BYTES / 3).toWellFormed();
  }
  out.text(message);
  out.finish();
}

/** Reads a RESET or GOAWAY frame's payload. What cannot be read becomes an INTERNAL error. */
export function readError(payload: Uint8Array): CircuitError {
  const code = ERROR_CODES[payload[0] ?? 0] ?? "INTERNAL";
  try {
    return new CircuitError(code, decoder.decode(payload.subarray(1)) || "no reason given");
  } catch {
    return new CircuitError(code, "the peer's reason is not valid UTF-8");
  }
}

/** The error for a payload that does not have the form it must have. */
export function malformed(what: string): CircuitError {
  return new CircuitError("PROTOCOL", `the peer sent ${what} frame that is malformed`);
}

/** A view of a part; one costs more than most parts do, and many are empty. */
function part(payload: Uint8Array, from: number, to: number): Uint8Array {
  return from === to ? EMPTY : payload.subarray(from, to);
}

function readText(bytes: Uint8Array, from: number, to: number, texts?: KnownTexts): string {
  const known = texts?.read(bytes, from, to);
  if (known !== undefined) return known;
  try {
    return decoder.decode(bytes.subarray(from, to));
  } catch {
    throw malformed("an OPEN");
  }
}
