/**
 * A list whose items hold its links, so that an item costs nothing extra and can be taken out from
 * the middle without a search.
 *
 * @module
 */

/** What an item needs to be in a list. It can be in one at a time. */
export interface Linked<T> {
  /** The item before it; kept by the list. */
  before: T | undefined;
  /** The item behind it; kept by the list. */
  behind: T | undefined;
}

/** Items in the order in which they were added. Every operation takes the same time at any length. */
export class List<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  /** Number of items. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item, which must be in no list, behind all others. */
  push(item: T): void {
    item.before = this.#last;
    if (this.#last) this.#last.behind = item;
    else this.#first = item;
    this.#last = item;
    this.#size++;
  }

  /** Takes out the first item; undefined if there is none. */
  shift(): T | undefined {
    const item = this.#first;
    if (item) this.remove(item);
    return item;
  }

  /** Takes out an item, which must be in this list. */
  remove(item: T): void {
    const { before, behind } = item;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    item.before = item.behind = undefined;
    this.#size--;
  }

  /** Takes out all items. */
  clear(): T[] {
    const items: T[] = [];
    for (let item = this.shift(); item; item = this.shift()) items.push(item);
    return items;
  }
}
