/**
 * Records on the wire: what is said about one server, in 13 bytes where the receiver knows it
 * already, with host, port and process ID where it may not.
 *
 *     head 1 | id 8 | incarnation 4 | [reporter 8] | [port 2 | pid 4 | host length 1 | host]
 *
 * The head is the status (bits 0–2), {@linkcode HAS_TAIL}, {@linkcode HAS_REPORTER} and
 * {@linkcode IS_VETOED}. Numbers are big-endian.
 *
 * @module
 */

import { type Directory, MAX_HOST_BYTES, TAIL_FIXED_BYTES } from "./directory.ts";
import { incarnationOf, isStanding, standing, statusOf, SUSPECT } from "./standing.ts";
import type { Standing, Status } from "./standing.ts";

/** Head bit: port, process ID and host follow. */
export const HAS_TAIL = 8;
/** Head bit: the ID of the server that reported a suspicion follows. */
export const HAS_REPORTER = 16;
/** Head bit of a suspicion: a neighbour heard the suspect lately. */
export const IS_VETOED = 32;
/** Bytes of a record without reporter and tail. */
export const RECORD_BYTES = 13;
/** Most bytes of one record. */
export const MAX_RECORD_BYTES = RECORD_BYTES + 8 + TAIL_FIXED_BYTES +
  MAX_HOST_BYTES;

/** Bytes that {@linkcode writeRecord} will write. */
export function recordBytes(
  directory: Directory,
  slot: number,
  full: boolean,
  reporter: number,
): number {
  return RECORD_BYTES + (reporter >= 0 ? 8 : 0) +
    (full ? directory.tail(slot).length : 0);
}

/**
 * Writes one record and returns the offset after it.
 *
 * @param full Whether the receiver may not know the server yet.
 * @param reporter Slot of the server that reported a suspicion, or −1.
 * @param vetoed Whether a neighbour heard the suspect lately.
 */
export function writeRecord(
  out: Uint8Array,
  at: number,
  directory: Directory,
  slot: number,
  s: Standing,
  full: boolean,
  reporter: number,
  vetoed = false,
): number {
  out[at] = statusOf(s) | (full ? HAS_TAIL : 0) |
    (reporter >= 0 ? HAS_REPORTER : 0) | (vetoed ? IS_VETOED : 0);
  at = writeId(out, at + 1, directory, slot);
  at = write32(out, at, incarnationOf(s));
  if (reporter >= 0) at = writeId(out, at, directory, reporter);
  if (!full) return at;
  const tail = directory.tail(slot);
  // Tails are short: a call of set() costs more than the bytes.
  for (let i = 0; i < tail.length; i++) out[at + i] = tail[i] as number;
  return at + tail.length;
}

/** Writes the ID of a server and returns the offset after it. */
export function writeId(
  out: Uint8Array,
  at: number,
  directory: Directory,
  slot: number,
): number {
  at = write32(out, at, directory.idHi[slot] as number);
  return write32(out, at, directory.idLo[slot] as number);
}

/** Writes 32 bits and returns the offset after them. */
export function write32(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}

/** Reads 32 bits as an unsigned number; the caller has checked the length. */
export function read32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/**
 * Steps through a run of records without allocating for each.
 *
 * @example
 * ```ts
 * import { RecordReader } from "./records.ts";
 *
 * const reader = new RecordReader(new Uint8Array(), 0);
 * while (reader.next()) console.log(reader.idHi, reader.idLo, reader.standing);
 * if (reader.malformed) console.log("bad record at", reader.offset);
 * ```
 */
export class RecordReader {
  /** Where the next record begins. */
  offset: number;
  /** True once {@linkcode next} met something that is no record. */
  malformed = false;
  /** Upper half of the ID. */
  idHi = 0;
  /** Lower half of the ID. */
  idLo = 0;
  /** What is said. */
  standing: Standing = 0;
  /** True where the record names who reported a suspicion. */
  hasReporter = false;
  /** True for a suspicion where a neighbour heard the suspect lately. */
  vetoed = false;
  /** Upper half of the reporter's ID. */
  reporterHi = 0;
  /** Lower half of the reporter's ID. */
  reporterLo = 0;
  /** Where the tail begins, or −1. */
  tailAt = -1;

  readonly #bytes: Uint8Array;

  /** A reader of the records from `offset` to the end of `bytes`. */
  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.offset = offset;
  }

  /** Reads one record into the fields; false at the end or where the bytes are malformed. */
  next(): boolean {
    const bytes = this.#bytes;
    let at = this.offset;
    if (at === bytes.length) return false;
    if (at + RECORD_BYTES > bytes.length) return this.#fail();
    const head = bytes[at] as number;
    if (head >= 2 * IS_VETOED) return this.#fail();
    const incarnation = read32(bytes, at + 9);
    const status = head & 7;
    if (!isStanding(incarnation, status)) return this.#fail();
    this.vetoed = (head & IS_VETOED) !== 0;
    if (this.vetoed && status !== SUSPECT) return this.#fail();
    this.idHi = read32(bytes, at + 1);
    this.idLo = read32(bytes, at + 5);
    this.standing = standing(incarnation, status as Status);
    at += RECORD_BYTES;
    this.hasReporter = (head & HAS_REPORTER) !== 0;
    if (this.hasReporter) {
      if (at + 8 > bytes.length) return this.#fail();
      this.reporterHi = read32(bytes, at);
      this.reporterLo = read32(bytes, at + 4);
      at += 8;
    }
    this.tailAt = -1;
    if (head & HAS_TAIL) {
      if (at + TAIL_FIXED_BYTES > bytes.length) return this.#fail();
      const host = bytes[at + TAIL_FIXED_BYTES - 1] as number;
      if (host === 0 || host > MAX_HOST_BYTES) return this.#fail();
      this.tailAt = at;
      at += TAIL_FIXED_BYTES + host;
      if (at > bytes.length) return this.#fail();
    }
    this.offset = at;
    return true;
  }

  /** Slot of the record's server, made from the tail where it is new; −1 where that can't be. */
  slot(directory: Directory): number {
    const found = directory.find(this.idHi, this.idLo);
    if (found >= 0 || this.tailAt < 0) return found;
    return directory.internTail(
      this.idHi,
      this.idLo,
      this.#bytes.subarray(this.tailAt, this.offset),
    );
  }

  /** Slot of the reporter, or −1. */
  reporter(directory: Directory): number {
    if (!this.hasReporter) return -1;
    return directory.find(this.reporterHi, this.reporterLo);
  }

  #fail(): false {
    this.malformed = true;
    return false;
  }
}
