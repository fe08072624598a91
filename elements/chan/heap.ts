/**
 * Messages that came back to a channel, oldest first.
 *
 * @module
 */

/** What an item needs to be in a heap. It can be in one at a time. */
export interface Ranked {
  /** The item with the lowest rank comes out first; no two have the same. */
  readonly rank: number;
  /** Where in the heap the item is; kept by the heap. */
  place: number;
}

/**
 * A binary heap: items go in in any order and come out by rank. Adding and removing take time in
 * proportion to the logarithm of the size.
 */
export class Heap<T extends Ranked> {
  readonly #items: T[] = [];

  /** Number of items. */
  get size(): number {
    return this.#items.length;
  }

  /** Adds an item, which must be in no heap. */
  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Takes out the item with the lowest rank; undefined if there is none. */
  shift(): T | undefined {
    const item = this.#items[0];
    if (item) this.remove(item);
    return item;
  }

  /** Takes out an item, which must be in this heap. */
  remove(item: T): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    // The last one fills the gap; from there it belongs further up or further down.
    this.#rise(last, item.place);
    this.#sink(last, last.place);
  }

  /** Takes out all items, in no order. */
  clear(): T[] {
    return this.#items.splice(0);
  }

  #rise(item: T, place: number): void {
    while (place > 0) {
      const above = this.#items[(place - 1) >> 1];
      if (above === undefined || above.rank < item.rank) break;
      const next = above.place;
      this.#put(above, place);
      place = next;
    }
    this.#put(item, place);
  }

  #sink(item: T, place: number): void {
    while (true) {
      const left = this.#items[2 * place + 1];
      const right = this.#items[2 * place + 2];
      const least = left && right && right.rank < left.rank ? right : left;
      if (least === undefined || item.rank < least.rank) break;
      const next = least.place;
      this.#put(least, place);
      place = next;
    }
    this.#put(item, place);
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}
