/**
 * Frames, the vocabulary of the wire: a fixed header and a payload. PROTOCOL.md defines each field.
 *
 * @module
 */

import { CircuitError, ERROR_CODES } from "../errors.ts";
import {
  HEADER_BYTES,
  MAX_DATA_BYTES,
  MAX_ERROR_BYTES,
  MAX_METHOD_BYTES,
  MAX_PATH_BYTES,
  MAX_PAYLOAD_BYTES,
} from "./limits.ts";

/** What a frame is. The numbers are part of the protocol. */
export const FrameType = {
  /** Opens a stream with a request. */
  OPEN: 1,
  /** Answers a request. */
  REPLY: 2,
  /** Bytes of a stream. */
  DATA: 3,
  /** Lets the receiver of this frame send more bytes on a stream. */
  CREDIT: 4,
  /** Ends a stream at once, both ways, with an error. */
  RESET: 5,
  /** Asks for a PONG with the same payload. */
  PING: 6,
  /** Answers a PING. */
  PONG: 7,
  /** The sender is about to close the connection, and why. */
  GOAWAY: 8,
  /** A message of the membership protocol. */
  MEMBER: 9,
} as const;

/** One of the numbers in {@linkcode FrameType}. */
export type FrameType = typeof FrameType[keyof typeof FrameType];

/** Bits of a frame's flags. */
export const Flag = {
  /** OPEN, REPLY, DATA: the sender will send no more bytes on this stream. */
  END: 1,
  /** OPEN: passed on by a server on behalf of a client; not to be passed on again. */
  RELAYED: 2,
} as const;

/** A stream number that no stream has: frames about the connection itself carry it. */
export const NO_STREAM = 0;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Most bytes that a frame of this type may carry; -1 for a type that does not exist. */
export function maxPayload(type: number): number {
  if (type === FrameType.DATA) return MAX_DATA_BYTES;
  if (type === FrameType.CREDIT) return 4;
  if (type === FrameType.PING || type === FrameType.PONG) return 8;
  return type >= FrameType.OPEN && type <= FrameType.MEMBER ? MAX_PAYLOAD_BYTES : -1;
}

/** Reads a big-endian 32-bit number; the caller has checked that it is there. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** A growing buffer that frames are written into, one after another, to go out in one write. */
export class FrameBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #frame = 0;

  /** @param capacity Bytes to begin with; it grows as needed. */
  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that fit before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was written: a view that the next write or {@linkcode clear} invalidates. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Writes a header; the payload follows, then {@linkcode finish}. */
  begin(type: FrameType, flags: number, stream: number): void {
    this.#reserve(HEADER_BYTES);
    this.#frame = this.#length;
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at + 4] = type;
    bytes[at + 5] = flags;
    bytes[at + 6] = stream >>> 24;
    bytes[at + 7] = stream >>> 16;
    bytes[at + 8] = stream >>> 8;
    bytes[at + 9] = stream;
    this.#length = at + HEADER_BYTES;
  }

  /** Ends the frame that {@linkcode begin} began: its length is known now. */
  finish(): void {
    const length = this.#length - this.#frame - HEADER_BYTES;
    const at = this.#frame;
    this.#bytes[at] = length >>> 24;
    this.#bytes[at + 1] = length >>> 16;
    this.#bytes[at + 2] = length >>> 8;
    this.#bytes[at + 3] = length;
  }

  /** Gives up the frame that {@linkcode begin} began. */
  abandon(): void {
    this.#length = this.#frame;
  }

  /** Writes a whole frame. */
  frame(type: FrameType, flags: number, stream: number, payload: Uint8Array): void {
    this.begin(type, flags, stream);
    this.bytes(payload);
    this.finish();
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = value >>> 8;
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    const at = this.#length;
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    this.#length = at + 4;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes a string as UTF-8 and returns how many bytes that took. */
  text(value: string): number {
    this.#reserve(value.length * 3);
    const written = encoder.encodeInto(value, this.#bytes.subarray(this.#length)).written;
    this.#length += written;
    return written;
  }

  /** Writes a string as UTF-8 behind its length in 8 (`wide` false) or 16 bits. */
  prefixedText(value: string, wide: boolean): number {
    const at = this.#length;
    if (wide) this.u16(0);
    else this.u8(0);
    const written = this.text(value);
    if (wide) this.#bytes[at] = written >>> 8;
    this.#bytes[wide ? at + 1 : at] = written;
    return written;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

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

/** Writes an OPEN frame. */
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
  if (method > MAX_METHOD_BYTES || path > MAX_PATH_BYTES || total > MAX_PAYLOAD_BYTES) {
    out.abandon();
    throw new CircuitError(
      "BAD_REQUEST",
      `${open.method}: the request is too large: its path may have ${MAX_PATH_BYTES} bytes, all of ` +
        `it ${MAX_PAYLOAD_BYTES} bytes`,
    );
  }
  out.finish();
}

/**
 * Reads an OPEN frame's payload.
 *
 * @throws {CircuitError} `PROTOCOL` if it is cut short or not UTF-8.
 */
export function readOpen(payload: Uint8Array): OpenPayload {
  const methodLength = payload[0] ?? 0;
  const pathAt = 1 + methodLength + 2;
  if (payload.length < pathAt || methodLength > MAX_METHOD_BYTES) throw malformed("an OPEN");
  const pathLength = payload[pathAt - 2]! << 8 | payload[pathAt - 1]!;
  const windowAt = pathAt + pathLength;
  const argsAt = windowAt + 8;
  if (payload.length < argsAt || pathLength > MAX_PATH_BYTES) throw malformed("an OPEN");
  const argsLength = readU32(payload, windowAt + 4);
  if (argsLength > payload.length - argsAt) throw malformed("an OPEN");
  return {
    method: readText(payload, 1, pathAt - 2),
    path: readText(payload, pathAt, windowAt),
    window: readU32(payload, windowAt),
    args: payload.subarray(argsAt, argsAt + argsLength),
    body: payload.subarray(argsAt + argsLength),
  };
}

/** Writes a REPLY frame: the result in MessagePack (empty for none) and the first stream bytes. */
export function writeReply(
  out: FrameBuffer,
  stream: number,
  flags: number,
  result: Uint8Array,
  body: Uint8Array,
): void {
  out.begin(FrameType.REPLY, flags, stream);
  out.u32(result.length);
  out.bytes(result);
  out.bytes(body);
  out.finish();
}

/**
 * Reads a REPLY frame's payload; both parts alias it.
 *
 * @throws {CircuitError} `PROTOCOL` if it is cut short.
 */
export function readReply(payload: Uint8Array): { result: Uint8Array; body: Uint8Array } {
  if (payload.length < 4) throw malformed("a REPLY");
  const length = readU32(payload, 0);
  if (length > payload.length - 4) throw malformed("a REPLY");
  return { result: payload.subarray(4, 4 + length), body: payload.subarray(4 + length) };
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
  const text = payload.subarray(1, 1 + MAX_ERROR_BYTES);
  try {
    return new CircuitError(code, decoder.decode(text) || "no reason given");
  } catch {
    return new CircuitError(code, "the peer's reason is not valid UTF-8");
  }
}

/** The error for a payload that does not have the form it must have. */
export function malformed(what: string): CircuitError {
  return new CircuitError("PROTOCOL", `the peer sent ${what} frame that is malformed`);
}

function readText(bytes: Uint8Array, from: number, to: number): string {
  // For short ASCII, a loop is several times faster than a TextDecoder's call into the runtime.
  if (to - from <= 48) {
    let text = "";
    let at = from;
    for (; at < to; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (at === to) return text;
  }
  try {
    return decoder.decode(bytes.subarray(from, to));
  } catch {
    throw malformed("an OPEN");
  }
}
