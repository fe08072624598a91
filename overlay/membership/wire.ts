/**
 * The frames of the membership protocol: one byte that says which, then fixed fields, then records
 * (see `records.ts`). Numbers are big-endian. What does not decode is refused as a whole or, in a
 * run of records, from the first bad record on; nothing is allocated by a length off the wire.
 *
 * @module
 */

import type {
  Answer,
  Beat,
  Diff,
  Digest,
  Handover,
  Hello,
  Message,
  Records,
  Request,
  WireId,
} from "./messages.ts";
import { HAS_TAIL, read32, RecordReader, write32 } from "./records.ts";
import { ALIVE, isStanding, UNKNOWN } from "./standing.ts";

/** Most bytes of one frame. */
export const MAX_FRAME_BYTES = 48 * 1024;
/** Most IDs in the `avoid` list of a link request. */
export const MAX_AVOID = 16;
/** Least binary logarithm of the number of buckets in a digest. */
export const MIN_BUCKET_BITS = 2;
/** Greatest binary logarithm of the number of buckets in a digest: 1024 buckets, 4 KiB. */
export const MAX_BUCKET_BITS = 10;

/** The first byte of a frame. */
export const FRAME = {
  HELLO: 1,
  REQUEST: 2,
  ACCEPT: 3,
  REFUSE: 4,
  HANDOVER: 5,
  DROP: 6,
  BEAT: 7,
  RECORDS: 8,
  SNAPSHOT: 9,
  SYNC: 10,
  DIGEST: 11,
  DIFF: 12,
  RAISE: 13,
  REDIRECT: 14,
  READY: 15,
} as const;

/** Why a link ends or does not come to be. */
export const REASON = {
  /** No room. */
  full: 0,
  /** Another server took over this edge. */
  replaced: 1,
  /** Both ends have more links than they want. */
  surplus: 2,
  /** The two are linked or about to be. */
  crossing: 3,
  /** Nothing was heard for too long. */
  silent: 4,
  /** A swap came to nothing. */
  undone: 5,
} as const;
/** Highest value of {@linkcode REASON}. */
const MAX_REASON = 5;

/** The message in a frame; undefined where it is malformed. */
export function decode(bytes: Uint8Array): Message | undefined {
  if (bytes.length === 0 || bytes.length > MAX_FRAME_BYTES) return undefined;
  switch (bytes[0]) {
    case FRAME.BEAT:
      if (bytes.length !== 10) return undefined;
      return {
        type: "beat",
        hashA: read32(bytes, 1) | 0,
        hashB: read32(bytes, 5) | 0,
        degree: bytes[9] as number,
      };
    case FRAME.RECORDS:
      return run("records", bytes, 1);
    case FRAME.SYNC:
      return run("sync", bytes, 1);
    case FRAME.REDIRECT:
      return run("redirect", bytes, 1);
    case FRAME.SNAPSHOT:
      return bytes.length < 2 || (bytes[1] as number) > 1
        ? undefined
        : run("snapshot", bytes, 2, bytes[1] === 1);
    case FRAME.HELLO:
      return decodeHello(bytes);
    case FRAME.REQUEST:
      return decodeRequest(bytes);
    case FRAME.ACCEPT:
      return decodeAnswer("accept", bytes);
    case FRAME.REFUSE:
      return decodeAnswer("refuse", bytes);
    case FRAME.HANDOVER:
      return decodeHandover(bytes);
    case FRAME.DROP:
      return bytes.length !== 2 || (bytes[1] as number) > MAX_REASON
        ? undefined
        : { type: "drop", reason: bytes[1] as number };
    case FRAME.DIGEST:
      return decodeDigest(bytes);
    case FRAME.DIFF:
      return decodeDiff(bytes);
    case FRAME.RAISE:
      return bytes.length === 1 ? { type: "raise" } : undefined;
    case FRAME.READY:
      return bytes.length === 1 ? { type: "ready" } : undefined;
    default:
      return undefined;
  }
}

/** The ID at an offset; the caller has checked the length. */
function readId(bytes: Uint8Array, at: number): WireId {
  return { hi: read32(bytes, at), lo: read32(bytes, at + 4) };
}

function run(
  type: Records["type"],
  bytes: Uint8Array,
  at: number,
  last = false,
): Records {
  return { type, last, records: new RecordReader(bytes, at) };
}

function decodeHello(bytes: Uint8Array): Hello | undefined {
  if (bytes.length !== 22 || (bytes[1] as number) > 3) return undefined;
  const held = read32(bytes, 6);
  if (held !== UNKNOWN && !isStanding(held >>> 3, held & 7)) return undefined;
  if (!isStanding(read32(bytes, 2), ALIVE)) return undefined;
  return {
    type: "hello",
    alone: ((bytes[1] as number) & 1) !== 0,
    ask: ((bytes[1] as number) & 2) !== 0,
    incarnation: read32(bytes, 2),
    held,
    alive: read32(bytes, 10),
    hashA: read32(bytes, 14) | 0,
    hashB: read32(bytes, 18) | 0,
  };
}

/** A hello frame. */
export function encodeHello(hello: Omit<Hello, "type">): Uint8Array {
  const out = new Uint8Array(22);
  out[0] = FRAME.HELLO;
  out[1] = (hello.alone ? 1 : 0) | (hello.ask ? 2 : 0);
  write32(out, 2, hello.incarnation);
  write32(out, 6, hello.held);
  write32(out, 10, hello.alive);
  write32(out, 14, hello.hashA);
  write32(out, 18, hello.hashB);
  return out;
}

const VITAL = 1;
const REPLACES = 2;
const SWAP = 4;

function decodeRequest(bytes: Uint8Array): Request | undefined {
  if (bytes.length < 4) return undefined;
  const want = bytes[1] as number;
  const flags = bytes[2] as number;
  const count = bytes[3] as number;
  const replaces = (flags & REPLACES) !== 0;
  const swap = (flags & SWAP) !== 0;
  const ids = (replaces ? 1 : 0) + (swap ? 1 : 0) + count;
  if (want < 1 || want > 2 || flags > 7 || count > MAX_AVOID) return undefined;
  if (bytes.length !== 4 + 8 * ids) return undefined;
  let at = 4 - 8;
  const next = () => readId(bytes, at += 8);
  return {
    type: "request",
    want,
    vital: (flags & VITAL) !== 0,
    replaces: replaces ? next() : undefined,
    swap: swap ? next() : undefined,
    avoid: Array.from({ length: count }, next),
  };
}

/** A request frame; `avoid` is cut to {@linkcode MAX_AVOID}. */
export function encodeRequest(request: Omit<Request, "type">): Uint8Array {
  const avoid = request.avoid.slice(0, MAX_AVOID);
  const ids = [request.replaces, request.swap, ...avoid].filter((id) => id);
  const out = new Uint8Array(4 + 8 * ids.length);
  out[0] = FRAME.REQUEST;
  out[1] = request.want;
  out[2] = (request.vital ? VITAL : 0) | (request.replaces ? REPLACES : 0) |
    (request.swap ? SWAP : 0);
  out[3] = avoid.length;
  let at = 4;
  for (const id of ids as WireId[]) {
    at = write32(out, write32(out, at, id.hi), id.lo);
  }
  return out;
}

function decodeAnswer(
  type: Answer["type"],
  bytes: Uint8Array,
): Answer | undefined {
  if (bytes.length < 2 || (bytes[1] as number) > MAX_REASON) return undefined;
  return {
    type,
    reason: bytes[1] as number,
    records: new RecordReader(bytes, 2),
  };
}

function decodeHandover(bytes: Uint8Array): Handover | undefined {
  if (bytes.length < 11 || (bytes[1] as number) > 1) return undefined;
  if (((bytes[10] as number) & HAS_TAIL) === 0) return undefined;
  return {
    type: "handover",
    move: bytes[1] === 1,
    replaces: readId(bytes, 2),
    records: new RecordReader(bytes, 10),
  };
}

/** Bytes of a digest before the hashes. */
export const DIGEST_HEAD_BYTES = 3;

function decodeDigest(bytes: Uint8Array): Digest | undefined {
  if (bytes.length < DIGEST_HEAD_BYTES || (bytes[1] as number) > 1) {
    return undefined;
  }
  const bits = bytes[2] as number;
  if (bits < MIN_BUCKET_BITS || bits > MAX_BUCKET_BITS) return undefined;
  if (bytes.length !== DIGEST_HEAD_BYTES + 4 * 2 ** bits) return undefined;
  return {
    type: "digest",
    heal: bytes[1] === 1,
    bits,
    hash: (i) => read32(bytes, DIGEST_HEAD_BYTES + 4 * i) | 0,
  };
}

/** Bytes of a diff before the bucket numbers. */
export const DIFF_HEAD_BYTES = 5;

function decodeDiff(bytes: Uint8Array): Diff | undefined {
  if (bytes.length < DIFF_HEAD_BYTES || (bytes[1] as number) > 1) {
    return undefined;
  }
  const bits = bytes[2] as number;
  const count = ((bytes[3] as number) << 8) | (bytes[4] as number);
  if (bits < MIN_BUCKET_BITS || bits > MAX_BUCKET_BITS || count > 2 ** bits) {
    return undefined;
  }
  const at = DIFF_HEAD_BYTES + 2 * count;
  if (bytes.length < at) return undefined;
  const buckets = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const b = DIFF_HEAD_BYTES + 2 * i;
    buckets[i] = ((bytes[b] as number) << 8) | (bytes[b + 1] as number);
    if ((buckets[i] as number) >= 2 ** bits) return undefined;
  }
  return {
    type: "diff",
    heal: bytes[1] === 1,
    bits,
    buckets,
    records: new RecordReader(bytes, at),
  };
}

/** A heartbeat frame. */
export function encodeBeat(beat: Omit<Beat, "type">): Uint8Array {
  const out = new Uint8Array(10);
  out[0] = FRAME.BEAT;
  write32(out, 1, beat.hashA);
  write32(out, 5, beat.hashB);
  out[9] = beat.degree;
  return out;
}

/** A drop frame. */
export function encodeDrop(reason: number): Uint8Array {
  return Uint8Array.of(FRAME.DROP, reason);
}
