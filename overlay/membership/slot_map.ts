/**
 * A small map from slots to numbers that is filled and emptied many times a second.
 *
 * @module
 */

/** Entries for which there is room at first. */
const FIRST_CAPACITY = 16;
/** Room for more entries than this is given back when the map is emptied. */
const MAX_IDLE_CAPACITY = 512;

/** Slots, each with a number, in the order in which they came. */
export class SlotMap {
  /** Entries. */
  size = 0;
  /** The slots, up to {@linkcode size}. */
  slots: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** The number of each. */
  values: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** Open addressing, twice as long as there is room; holds an index + 1, or 0. */
  #table = new Int32Array(2 * FIRST_CAPACITY);

  /** Index of a slot, or −1. */
  find(slot: number): number {
    const mask = this.#table.length - 1;
    for (let at = mix(slot) & mask;; at = (at + 1) & mask) {
      const i = (this.#table[at] as number) - 1;
      if (i < 0 || this.slots[i] === slot) return i;
    }
  }

  /** Index of a slot; a new one has the number 0. The arrays may be others afterwards. */
  place(slot: number): number {
    const found = this.find(slot);
    if (found >= 0) return found;
    if (this.size === this.slots.length) this.#grow();
    const i = this.size++;
    this.slots[i] = slot;
    this.values[i] = 0;
    this.#enter(slot, i);
    return i;
  }

  /** Takes everything out. */
  clear(): void {
    if (this.slots.length > MAX_IDLE_CAPACITY) this.#resize(FIRST_CAPACITY);
    else this.#table.fill(0);
    this.size = 0;
  }

  #enter(slot: number, i: number): void {
    const mask = this.#table.length - 1;
    let at = mix(slot) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = i + 1;
  }

  #grow(): void {
    const { slots, values, size } = this;
    this.#resize(2 * slots.length);
    this.slots.set(slots);
    this.values.set(values);
    for (let i = 0; i < size; i++) this.#enter(slots[i] as number, i);
  }

  #resize(capacity: number): void {
    this.slots = new Int32Array(capacity);
    this.values = new Int32Array(capacity);
    this.#table = new Int32Array(2 * capacity);
  }
}

function mix(slot: number): number {
  return Math.imul(slot, 0x9e3779b1) >>> 15;
}
