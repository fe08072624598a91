/**
 * Storm control: a server gives snapshots to a few newcomers at a time and sends the others on to
 * random members, so that a crowd spreads by itself.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Link } from "./link_set.ts";
import { MAX_RECORD_BYTES, type RecordReader, writeRecord } from "./records.ts";
import { isListed } from "./standing.ts";
import { FRAME, MAX_FRAME_BYTES, REASON } from "./wire.ts";

/** Serves newcomers. */
export class Storm {
  readonly #context: Context;
  /** Newcomers being served, and when they lose their places. */
  readonly #joiners = new Map<Link, number>();

  /** Nobody is being served. */
  constructor(context: Context) {
    this.#context = context;
  }

  /** When {@linkcode tick} has something to do. */
  get wakeAt(): number {
    if (this.#joiners.size === 0) return Infinity;
    for (const until of this.#joiners.values()) return until;
    return Infinity;
  }

  /** Takes their places from newcomers that are too slow. */
  tick(): void {
    if (this.#joiners.size === 0) return;
    for (const [link, until] of this.#joiners) {
      if (until > this.#context.now) break;
      this.done(link);
    }
  }

  /** A newcomer asks for a snapshot: gives it a place, or returns false where none is free. */
  admit(link: Link): boolean {
    const { tuning, now, links } = this.#context;
    this.done(link);
    if (this.#joiners.size >= tuning.joinersAtOnce || !links.flood(link)) return false;
    link.joiner = true;
    this.#joiners.set(link, now + tuning.joinerMs);
    link.keepUntil = Math.max(link.keepUntil, now + tuning.joinerMs);
    return true;
  }

  /** Gives a newcomer that has a place its snapshot, and sends any other on. */
  serve(link: Link): void {
    if (link.joiner) this.#sendSnapshot(link);
    else this.#redirect(link);
  }

  /** A newcomer has what it wanted, or is gone. */
  done(link: Link): void {
    this.#joiners.delete(link);
    link.joiner = false;
  }

  #sendSnapshot(link: Link): void {
    const { list, directory, counters } = this.#context;
    counters.snapshotsSent++;
    const frame = directory.scratch;
    frame[0] = FRAME.SNAPSHOT;
    frame[1] = 0;
    let at = 2;
    for (let slot = 0; slot < list.slots; slot++) {
      const s = list.get(slot);
      if (!isListed(s)) continue;
      if (at + MAX_RECORD_BYTES > MAX_FRAME_BYTES) {
        this.#context.send(link, directory.frames.copy(frame, at));
        at = 2;
      }
      at = writeRecord(frame, at, directory, slot, s, true, -1);
      counters.syncRecordsSent++;
    }
    frame[1] = 1;
    this.#context.send(link, directory.frames.copy(frame, at));
  }

  #redirect(link: Link): void {
    const { list, random, tuning, self } = this.#context;
    const frame = new Uint8Array(1 + tuning.redirects * MAX_RECORD_BYTES);
    frame[0] = FRAME.REDIRECT;
    let at = 1;
    const sent = new Set([self, link.slot]);
    for (let i = 0; i < tuning.redirects; i++) {
      const slot = list.randomListed(random, (s) => !sent.has(s));
      if (slot < 0) break;
      sent.add(slot);
      const s = list.get(slot);
      at = writeRecord(frame, at, list.directory, slot, s, true, -1);
    }
    this.#context.send(link, frame.subarray(0, at));
    this.#context.close(link, REASON.full);
  }
}

/** The servers in a run of records whose slots are known or can be made. */
export function slotsOf(context: Context, records: RecordReader): number[] {
  const slots: number[] = [];
  while (slots.length < context.tuning.redirects && records.next()) {
    const slot = records.slot(context.directory);
    if (slot >= 0 && slot !== context.self) slots.push(slot);
  }
  return slots;
}
