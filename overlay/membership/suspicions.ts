/**
 * The servers under suspicion, and what each suspicion rests on.
 *
 * Kept in columns: after half of a large circuit fell silent half of all servers are suspects, and an
 * object for each takes five times the memory.
 *
 * @module
 */

import type { Evidence } from "./confirm.ts";

const FIRST_CAPACITY = 16;
/** Room for more suspects than this is given back when the last is gone. */
const MAX_IDLE_CAPACITY = 512;
/** Beside the first reporter's slot + 1: this server is one of the reporters. */
const MINE = 1 << 29;
/** Beside it, too: someone besides the first reporter reported. */
const SECOND = 1 << 30;
const FLAGS = MINE | SECOND;

/** Suspects by slot, in no order. Times are awake times in ms. */
export class Suspicions {
  /** Servers under suspicion. */
  size = 0;
  #slots = new Int32Array(FIRST_CAPACITY);
  /** When this server came to know of each. */
  #since = new Float64Array(FIRST_CAPACITY);
  /** Slot + 1 of the first reporter of each, 0 where the record named none; and flags. */
  #reporters = new Int32Array(FIRST_CAPACITY);
  /** By slot: its place in the columns + 1, or 0. */
  #places = new Int32Array();
  /** By slot: until when a veto holds. Few are vetoed. */
  readonly #heldUntil = new Map<number, number>();

  /** True for a server under suspicion. */
  has(slot: number): boolean {
    return this.#place(slot) >= 0;
  }

  /** The suspect at a place below {@linkcode size}; {@linkcode delete} puts the last in its place. */
  at(place: number): number {
    return this.#slots[place] as number;
  }

  /** A server that was no suspect is one from now on. */
  add(slot: number, since: number, first: number, mine: boolean): void {
    const place = this.size++;
    if (place === this.#slots.length) this.#resize(2 * place);
    if (slot >= this.#places.length) this.#reach(slot);
    this.#places[slot] = place + 1;
    this.#slots[place] = slot;
    this.#since[place] = since;
    this.#reporters[place] = (first + 1) | (mine ? MINE : 0);
  }

  /** A server is no longer a suspect. */
  delete(slot: number): void {
    const place = this.#place(slot);
    if (place < 0) return;
    const last = --this.size;
    const moved = this.#slots[last] as number;
    this.#slots[place] = moved;
    this.#since[place] = this.#since[last] as number;
    this.#reporters[place] = this.#reporters[last] as number;
    this.#places[moved] = place + 1;
    this.#places[slot] = 0;
    this.#heldUntil.delete(slot);
    if (last === 0 && this.#slots.length > MAX_IDLE_CAPACITY) this.#resize(FIRST_CAPACITY);
  }

  /** Slot of the first reporter; −1 for none, or where the server is no suspect. */
  firstReporter(slot: number): number {
    const place = this.#place(slot);
    return place < 0 ? -1 : firstOf(this.#reporters[place] as number);
  }

  /** A suspect was reported once more; true where that is new evidence. */
  reported(slot: number, reporter: number, mine: boolean): boolean {
    const place = this.#place(slot);
    if (place < 0) return false;
    const old = this.#reporters[place] as number;
    const next = old | (mine ? MINE : 0) | (reporter !== firstOf(old) ? SECOND : 0);
    this.#reporters[place] = next;
    return next !== old;
  }

  /** A veto puts the death of a suspect off. */
  hold(slot: number, until: number): void {
    this.#heldUntil.set(slot, until);
  }

  /** True for a suspect for which a veto came. */
  isHeld(slot: number): boolean {
    return this.#heldUntil.has(slot);
  }

  /** What the time until a suspect's death depends on. */
  evidence(slot: number): Evidence {
    const place = this.#place(slot);
    const flags = this.#reporters[place] as number;
    return {
      since: this.#since[place] as number,
      mine: (flags & MINE) !== 0,
      second: (flags & SECOND) !== 0,
      heldUntil: this.#heldUntil.get(slot) ?? 0,
    };
  }

  #place(slot: number): number {
    return (this.#places[slot] ?? 0) - 1;
  }

  #reach(slot: number): void {
    const larger = new Int32Array(Math.ceil((slot + 1) * 1.25));
    larger.set(this.#places);
    this.#places = larger;
  }

  #resize(capacity: number): void {
    const { size } = this;
    const [slots, since, reporters] = [this.#slots, this.#since, this.#reporters];
    this.#slots = new Int32Array(capacity);
    this.#since = new Float64Array(capacity);
    this.#reporters = new Int32Array(capacity);
    this.#slots.set(slots.subarray(0, size));
    this.#since.set(since.subarray(0, size));
    this.#reporters.set(reporters.subarray(0, size));
  }
}

function firstOf(reporters: number): number {
  return (reporters & ~FLAGS) - 1;
}
