/**
 * The servers ever heard of, each with a small number (its slot) that stands for it in memory.
 * What never changes about a server is kept here once; what is said about it is in the member list.
 *
 * @module
 */

import { formatAddress, parseAddress, serverIdFromBytes, serverIdToBytes } from "../address.ts";
import { FramePool } from "./frame_pool.ts";
import type { Member } from "./types.ts";

/** Most servers that one directory holds, tombstones included: about 10 MB. */
export const MAX_SLOTS = 131_072;
/** Longest host name or IP address, in bytes of UTF-8. */
export const MAX_HOST_BYTES = 253;
/** Bytes of a tail without the host: port 2, process ID 4, host length 1. */
export const TAIL_FIXED_BYTES = 7;

/** Bytes of {@linkcode Directory.scratch}: more than one frame. */
export const SCRATCH_BYTES = 64 * 1024;

const FIRST_CAPACITY = 64;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The servers ever heard of, by slot and by ID. */
export class Directory {
  /** Upper halves of the IDs, by slot. */
  idHi: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** Lower halves of the IDs, by slot. */
  idLo: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  /** For whoever is putting a frame together; its contents do not last. */
  readonly scratch: Uint8Array<ArrayBuffer> = new Uint8Array(SCRATCH_BYTES);
  /** The same, for records that go into several frames. */
  readonly block: Uint8Array<ArrayBuffer> = new Uint8Array(SCRATCH_BYTES);
  /** Bytes for frames. */
  readonly frames: FramePool = new FramePool();
  /** One more than the highest slot in use. */
  size = 0;

  #members: (Member | undefined)[] = [];
  #tails: (Uint8Array | undefined)[] = [];
  #references: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #free: number[] = [];
  /** Open addressing; holds slot + 1, or 0. Entries of freed slots stay until the next rehash. */
  #table: Int32Array = new Int32Array(FIRST_CAPACITY * 4);
  #entries = 0;
  #byPlace = new Map<string, number[]>();

  /** The slot of this ID, or −1. */
  find(hi: number, lo: number): number {
    const mask = this.#table.length - 1;
    for (let i = mix(hi, lo) & mask;; i = (i + 1) & mask) {
      const slot = (this.#table[i] as number) - 1;
      if (slot < 0) return -1;
      if (
        this.idLo[slot] === lo && this.idHi[slot] === hi &&
        (this.#free.length === 0 || this.#members[slot])
      ) return slot;
    }
  }

  /** The slot of this `X…` ID, or −1. */
  findId(id: string): number {
    return this.find(...halves(id));
  }

  /** The slot of this member, a new one where there is none; −1 where the directory is full. */
  intern(member: Member): number {
    const [hi, lo] = halves(member.id);
    const found = this.find(hi, lo);
    return found >= 0 ? found : this.#add(hi, lo, member, tailOf(member));
  }

  /**
   * The slot for an ID and tail off the wire; the tail is copied. −1 where the tail makes no
   * address, or the directory is full.
   */
  internTail(hi: number, lo: number, tail: Uint8Array): number {
    const found = this.find(hi, lo);
    if (found >= 0) return found;
    const member = memberOf(hi, lo, tail);
    return member ? this.#add(hi, lo, member, tail.slice()) : -1;
  }

  /** The member in a slot in use. */
  member(slot: number): Member {
    return this.#members[slot] as Member;
  }

  /** Port, process ID and host of the member in a slot, as they go over the wire. */
  tail(slot: number): Uint8Array {
    return this.#tails[slot] as Uint8Array;
  }

  /** Slots whose host and port are the same as in this address or `HOST:PORT`. */
  atPlace(address: string): readonly number[] {
    return this.#byPlace.get(placeOf(address)) ?? [];
  }

  /** Keeps a slot in use until {@linkcode release}. */
  retain(slot: number): void {
    this.#references[slot] = (this.#references[slot] as number) + 1;
  }

  /** Undoes one {@linkcode retain}; a slot that nobody keeps is free. */
  release(slot: number): void {
    const left = (this.#references[slot] as number) - 1;
    this.#references[slot] = left;
    if (left > 0) return;
    const place = placeOf(this.member(slot).address);
    const others = (this.#byPlace.get(place) ?? []).filter((s) => s !== slot);
    if (others.length > 0) this.#byPlace.set(place, others);
    else this.#byPlace.delete(place);
    this.#members[slot] = undefined;
    this.#tails[slot] = undefined;
    this.#free.push(slot);
  }

  #add(hi: number, lo: number, member: Member, tail: Uint8Array): number {
    const slot = this.#free.pop() ?? this.size;
    if (slot >= MAX_SLOTS) return -1;
    if (slot === this.size) this.#grow();
    this.idHi[slot] = hi;
    this.idLo[slot] = lo;
    this.#members[slot] = member;
    this.#tails[slot] = tail;
    const place = placeOf(member.address);
    const others = this.#byPlace.get(place);
    if (others) others.push(slot);
    else this.#byPlace.set(place, [slot]);
    this.#index(slot);
    return slot;
  }

  #grow(): void {
    this.size++;
    if (this.size <= this.idHi.length) return;
    const capacity = this.idHi.length * 2;
    this.idHi = grown(this.idHi, capacity);
    this.idLo = grown(this.idLo, capacity);
    this.#references = grown(this.#references, capacity);
  }

  #rehash(length: number): void {
    this.#table = new Int32Array(length);
    this.#entries = 0;
    for (let slot = 0; slot < this.size; slot++) {
      if (this.#members[slot]) this.#index(slot);
    }
  }

  #index(slot: number): void {
    if (++this.#entries * 2 > this.#table.length) {
      return this.#rehash(this.idHi.length * 4);
    }
    const mask = this.#table.length - 1;
    let i = mix(this.idHi[slot] as number, this.idLo[slot] as number) & mask;
    while (this.#table[i] !== 0) i = (i + 1) & mask;
    this.#table[i] = slot + 1;
  }
}

function mix(hi: number, lo: number): number {
  return Math.imul(hi ^ (lo >>> 15) ^ lo, 0x9e3779b1) >>> 7;
}

function grown(array: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}

function halves(id: string): [number, number] {
  const view = new DataView(serverIdToBytes(id).buffer);
  return [view.getUint32(0), view.getUint32(4)];
}

/** `HOST:PORT` of an address with or without an ID. */
export function placeOf(address: string): string {
  return address.replace(/^circuit:\/\//, "").replace(/\/.*$/, "");
}

function tailOf(member: Member): Uint8Array {
  const { host, port, pid } = parseAddress(member.address);
  const name = new TextEncoder().encode(host).subarray(0, MAX_HOST_BYTES);
  const tail = new Uint8Array(TAIL_FIXED_BYTES + name.length);
  const view = new DataView(tail.buffer);
  view.setUint16(0, port);
  view.setUint32(2, pid ?? 0);
  view.setUint8(6, name.length);
  tail.set(name, TAIL_FIXED_BYTES);
  return tail;
}

function memberOf(
  hi: number,
  lo: number,
  tail: Uint8Array,
): Member | undefined {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const bytes = new Uint8Array(8);
  const idView = new DataView(bytes.buffer);
  idView.setUint32(0, hi);
  idView.setUint32(4, lo);
  const id = serverIdFromBytes(bytes);
  try {
    const host = decoder.decode(tail.subarray(TAIL_FIXED_BYTES));
    const port = view.getUint16(0);
    const pid = view.getUint32(2);
    const address = formatAddress({ host, port, pid, id });
    const read = parseAddress(address);
    return read.host === host && read.id === id ? { id, address } : undefined;
  } catch {
    return undefined;
  }
}
