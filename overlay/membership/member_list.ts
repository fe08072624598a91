/**
 * What one server holds to be true of all others: a standing for each, counts, and a hash that
 * is equal wherever the list is equal.
 *
 * @module
 */

import type { Directory } from "./directory.ts";
import { DEAD, incarnationOf, isListed, statusOf, UNKNOWN } from "./standing.ts";
import type { Standing } from "./standing.ts";

/** Tries at random before a scan, when a member is picked. */
const RANDOM_TRIES = 32;

/** The standings of all servers, as one server sees them. */
export class MemberList {
  /** Where the slots are. */
  readonly directory: Directory;
  /** Servers that are alive or suspected. */
  alive = 0;
  /** Servers that are dead but may be behind a broken network. */
  dead = 0;
  /** All records, tombstones included. */
  known = 0;
  /** First half of the hash, over ID and incarnation of the listed. */
  hashA = 0;
  /** Second half of the hash. */
  hashB = 0;

  #standings: Uint32Array;
  /** Period (see {@linkcode sweep}) of each tombstone; made when the first is needed. */
  #buried: Uint8Array | undefined;
  #period = 0;

  /** An empty list over the slots of `directory`. */
  constructor(directory: Directory) {
    this.directory = directory;
    this.#standings = new Uint32Array(directory.size + 16);
  }

  /** What is said about the server in a slot; {@linkcode UNKNOWN} for none. */
  get(slot: number): Standing {
    return this.#standings[slot] ?? UNKNOWN;
  }

  /** Slots are below this. */
  get slots(): number {
    return this.#standings.length;
  }

  /** Puts `next` in the place of what was said; the caller has checked that it is greater. */
  set(slot: number, next: Standing): void {
    if (slot >= this.#standings.length) this.#grow(slot + 1);
    const old = this.#standings[slot] as number;
    this.#standings[slot] = next;
    if (old === UNKNOWN) {
      this.known++;
      this.directory.retain(slot);
    }
    this.#count(slot, old, -1);
    this.#count(slot, next, 1);
    if (!isListed(next)) this.#bury(slot);
  }

  /** Removes all trace of the server in a slot. */
  forget(slot: number): void {
    const old = this.get(slot);
    if (old === UNKNOWN) return;
    this.#count(slot, old, -1);
    this.#standings[slot] = UNKNOWN;
    this.known--;
    this.directory.release(slot);
  }

  /**
   * Begins a new period and forgets the tombstones that are `periods` old.
   *
   * @param periods At most 255.
   */
  sweep(periods: number): void {
    this.#period = (this.#period + 1) & 255;
    const buried = this.#buried;
    if (!buried) return;
    for (let slot = 0; slot < buried.length; slot++) {
      const s = this.get(slot);
      if (s === UNKNOWN || isListed(s)) continue;
      const age = (this.#period - (buried[slot] as number)) & 255;
      if (age >= periods) this.forget(slot);
    }
  }

  /** A listed server at random that `fits`, or −1. */
  randomListed(random: () => number, fits: (slot: number) => boolean): number {
    return this.#pick(random, (slot, s) => isListed(s) && fits(slot));
  }

  /** A dead server at random that may come back, or −1. */
  randomDead(random: () => number): number {
    if (this.dead === 0) return -1;
    return this.#pick(random, (_, s) => s !== UNKNOWN && statusOf(s) === DEAD);
  }

  /** The listed server that `fits` whose ID follows that of `slot` most closely; −1 for none. */
  successor(slot: number, fits: (s: Standing) => boolean): number {
    const { idHi, idLo } = this.directory;
    const hi = idHi[slot] as number;
    const lo = idLo[slot] as number;
    let best = -1;
    let bestDistance = Infinity;
    for (let other = 0; other < this.#standings.length; other++) {
      const s = this.#standings[other] as number;
      if (other === slot || !isListed(s) || !fits(s)) continue;
      let distance = ((idHi[other] as number) - hi) * 2 ** 32 +
        ((idLo[other] as number) - lo);
      if (distance <= 0) distance += 2 ** 64;
      if (distance >= bestDistance) continue;
      best = other;
      bestDistance = distance;
    }
    return best;
  }

  /** The hash as 16 hex digits. */
  hashText(): string {
    return hex(this.hashA) + hex(this.hashB);
  }

  #pick(
    random: () => number,
    fits: (slot: number, s: Standing) => boolean,
  ): number {
    const slots = Math.min(this.#standings.length, this.directory.size);
    for (let i = 0; i < RANDOM_TRIES; i++) {
      const slot = Math.floor(random() * slots);
      if (fits(slot, this.#standings[slot] as number)) return slot;
    }
    let chosen = -1;
    let seen = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (!fits(slot, this.#standings[slot] as number)) continue;
      seen++;
      if (random() * seen < 1) chosen = slot;
    }
    return chosen;
  }

  #count(slot: number, s: Standing, by: 1 | -1): void {
    if (s === UNKNOWN) return;
    if (isListed(s)) {
      this.alive += by;
      this.hashA = (this.hashA + by * hashOf(this.directory, slot, s, 1)) | 0;
      this.hashB = (this.hashB + by * hashOf(this.directory, slot, s, 2)) | 0;
    } else if (statusOf(s) === DEAD) {
      this.dead += by;
    }
  }

  #bury(slot: number): void {
    this.#buried ??= new Uint8Array(this.#standings.length);
    if (slot >= this.#buried.length) {
      const larger = new Uint8Array(this.#standings.length);
      larger.set(this.#buried);
      this.#buried = larger;
    }
    this.#buried[slot] = this.#period;
  }

  #grow(least: number): void {
    const length = Math.max(
      least,
      this.directory.size,
      Math.ceil(this.#standings.length * 1.25),
    );
    const larger = new Uint32Array(length);
    larger.set(this.#standings);
    this.#standings = larger;
  }
}

/** One of two 32-bit hashes of a server's ID and incarnation. */
export function hashOf(
  directory: Directory,
  slot: number,
  s: Standing,
  lane: 1 | 2,
): number {
  let h = Math.imul(incarnationOf(s) + lane, 0x9e3779b1);
  h = scramble(h ^ (directory.idLo[slot] as number));
  return scramble(h ^ (directory.idHi[slot] as number));
}

function scramble(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
