/**
 * The flood: news waits a moment for other news, then goes to all links but those it came by. A
 * statement that is no news ends there, so each link carries it about once. While much is new, the
 * moment is longer.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { copyBytes } from "./frame_pool.ts";
import type { Link } from "./link_set.ts";
import { MAX_RECORD_BYTES, writeRecord } from "./records.ts";
import { SlotMap } from "./slot_map.ts";
import { type Standing, statusOf, SUSPECT } from "./standing.ts";
import { FRAME, MAX_FRAME_BYTES } from "./wire.ts";

/** Set beside the link bits: the record goes out with its tail. */
const FULL = 1 << 30;
/** Set beside them: the record is a suspicion, and goes out as vetoed. */
const VETOED = 1 << 31;

/** News that is to be flooded. */
export class Outbox {
  /** When the news goes out; Infinity while there is none. */
  dueAt = Infinity;
  /** The server that first reported a suspicion, for the records that go out; −1 for none. */
  reporterOf: (slot: number) => number = () => -1;
  /** By slot: the links that need not be told, {@linkcode FULL} and {@linkcode VETOED}. */
  readonly #news = new SlotMap();
  readonly #context: Context;
  /** How long the batch at hand waits, in ms. */
  #waitMs: number;
  /** When the last batch went out. */
  #flushedAt = -Infinity;

  /** An empty outbox. */
  constructor(context: Context) {
    this.#context = context;
    this.#waitMs = context.tuning.batchMs;
  }

  /**
   * Takes in news.
   *
   * @param bit Flood target that it came from, or −1.
   * @param full Whether others may not know the server yet.
   */
  put(slot: number, bit: number, full: boolean): void {
    const i = this.#news.place(slot);
    const told = bit >= 0 ? 1 << bit : 0;
    this.#news.values[i] = told | (full ? FULL : (this.#news.values[i] as number) & FULL);
    if (this.dueAt === Infinity) this.#begin();
  }

  /**
   * Takes in that a suspicion is vetoed. That does not wait any longer where news is dense: it is to
   * come before the verdict.
   *
   * @param bit Flood target that it came from, or −1.
   */
  veto(slot: number, bit: number): void {
    const i = this.#news.place(slot);
    const told = bit >= 0 ? 1 << bit : 0;
    this.#news.values[i] = told | VETOED | (this.#news.values[i] as number) & FULL;
    const { now, tuning } = this.#context;
    this.dueAt = Math.min(this.dueAt, now + tuning.batchMs);
    this.#context.touched = true;
  }

  /** The same statement, vetoed or not, came from another flood target: it need not be told. */
  heardFrom(slot: number, bit: number, vetoed: boolean): void {
    if (bit < 0) return;
    const i = this.#news.find(slot);
    if (i < 0) return;
    const value = this.#news.values[i] as number;
    if (vetoed || (value & VETOED) === 0) this.#news.values[i] = value | (1 << bit);
  }

  /** A batch begins. */
  #begin(): void {
    const { now, tuning } = this.#context;
    if (now - this.#flushedAt > tuning.batchDenseMs) this.#waitMs = tuning.batchMs;
    this.dueAt = now + this.#waitMs;
  }

  /** Sends what has gathered. */
  flush(): void {
    this.dueAt = Infinity;
    const { links, now, tuning } = this.#context;
    const dense = this.#news.size * tuning.batchMs >= tuning.denseRecords * this.#waitMs;
    this.#waitMs = dense ? tuning.batchDenseMs : tuning.batchMs;
    this.#flushedAt = now;
    if (this.#news.size > 0 && links.flooded.length > 0) {
      if (this.#news.size === 1) this.#flushOne(links.flooded);
      else this.#flushMany(links.flooded);
    }
    this.#news.clear();
  }

  /** One record is the same for all: they share the bytes. */
  #flushOne(targets: readonly Link[]): void {
    const { directory, list, counters } = this.#context;
    const bytes = directory.scratch;
    bytes[0] = FRAME.RECORDS;
    const slot = this.#news.slots[0] as number;
    const mask = this.#news.values[0] as number;
    const reporter = isSuspect(list.get(slot)) ? this.reporterOf(slot) : -1;
    const frame = directory.frames.copy(bytes, this.#write(bytes, 1, slot, mask, reporter));
    for (const link of targets) {
      if (mask & (1 << link.bit)) continue;
      this.#context.send(link, frame);
      counters.recordsSent++;
    }
  }

  #flushMany(targets: readonly Link[]): void {
    const { directory, list } = this.#context;
    const { size, slots, values } = this.#news;
    const block = directory.block;
    const ends: number[] = [0];
    const masks: number[] = [];
    let at = 0;
    for (let i = 0; i < size; i++) {
      const slot = slots[i] as number;
      const mask = values[i] as number;
      if (at + MAX_RECORD_BYTES > MAX_FRAME_BYTES - 1) {
        this.#sendBlock(targets, block, ends, masks);
        masks.length = at = 0;
        ends.length = 1;
      }
      const reporter = isSuspect(list.get(slot)) ? this.reporterOf(slot) : -1;
      at = this.#write(block, at, slot, mask, reporter);
      ends.push(at);
      masks.push(mask);
    }
    this.#sendBlock(targets, block, ends, masks);
  }

  /** Sends each target those records of a block whose masks lack its bit. */
  #sendBlock(
    targets: readonly Link[],
    block: Uint8Array,
    ends: readonly number[],
    masks: readonly number[],
  ): void {
    const { directory, counters } = this.#context;
    const frame = directory.scratch;
    frame[0] = FRAME.RECORDS;
    for (const link of targets) {
      const bit = 1 << link.bit;
      let at = 1;
      // What came in one frame lies together, so most of the records go in long runs.
      for (let i = 0; i < masks.length; i++) {
        if ((masks[i] as number) & bit) continue;
        const first = i;
        while (i < masks.length && ((masks[i] as number) & bit) === 0) i++;
        counters.recordsSent += i - first;
        at = copyBytes(block, ends[first] as number, ends[i] as number, frame, at);
      }
      if (at > 1) this.#context.send(link, directory.frames.copy(frame, at));
    }
  }

  #write(out: Uint8Array, at: number, slot: number, mask: number, reporter: number): number {
    const { directory, list } = this.#context;
    const full = (mask & FULL) !== 0;
    const s = list.get(slot);
    const vetoed = (mask & VETOED) !== 0 && isSuspect(s);
    return writeRecord(out, at, directory, slot, s, full, reporter, vetoed);
  }
}

function isSuspect(s: Standing): boolean {
  return statusOf(s) === SUSPECT;
}
