/**
 * Frames, the vocabulary of the wire: a fixed header and a payload. PROTOCOL.md defines each field.
 *
 * @module
 */

import { MAX_DATA_BYTES, MAX_ERROR_BYTES, MAX_PAYLOAD_BYTES } from "./limits.ts";

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

/** Bytes of the payload of PING and PONG. */
export const PING_BYTES = 8;

/** Bytes of the payload of CREDIT. */
export const CREDIT_BYTES = 4;

/** By frame type: most bytes of its payload. */
const MAX_PAYLOADS: readonly number[] = [
  -1,
  MAX_PAYLOAD_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_DATA_BYTES,
  CREDIT_BYTES,
  1 + MAX_ERROR_BYTES,
  PING_BYTES,
  PING_BYTES,
  1 + MAX_ERROR_BYTES,
  MAX_PAYLOAD_BYTES,
];

/** Most bytes that a frame of this type may carry; -1 for a type that does not exist. */
export function maxPayload(type: number): number {
  return MAX_PAYLOADS[type] ?? -1;
}

/** True for types that are about the connection and not about a stream. */
export function isAboutConnection(type: FrameType): boolean {
  return type >= FrameType.PING;
}

/** A frame type's name, for messages. */
export function frameName(type: number): string {
  for (const [name, number] of Object.entries(FrameType)) if (number === type) return name;
  return `type ${type}`;
}

/** Reads a big-endian 32-bit number; the caller has checked that it is there. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}
