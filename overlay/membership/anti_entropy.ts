/**
 * Anti-entropy: two neighbours whose lists stay different compare the hashes of buckets of their
 * lists, and exchange the records of those buckets that differ.
 *
 *     A → B  digest   a hash for each bucket
 *     B → A  diff     B's records of the buckets that differ
 *     A → B  sync     A's records that B has not, or that are greater
 *
 * A death learned this way is only a doubt: whoever hears of it first makes the server a suspect,
 * so that it can object. Where two sides of a healed network doubt each other wholesale, all raise
 * their incarnations instead (see `healing.ts`).
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Link } from "./link_set.ts";
import { hashOf } from "./member_list.ts";
import { MAX_RECORD_BYTES, type RecordReader, write32, writeRecord } from "./records.ts";
import { incarnationOf, isListed, LEFT, standing, statusOf, SUSPECT, UNKNOWN } from "./standing.ts";
import type { Standing } from "./standing.ts";
import {
  DIFF_HEAD_BYTES,
  DIGEST_HEAD_BYTES,
  FRAME,
  MAX_BUCKET_BITS,
  MAX_FRAME_BYTES,
} from "./wire.ts";
import type { Beat, Diff, Digest } from "./messages.ts";

/** Records for each bucket that a digest aims at. */
const BUCKET_RECORDS = 8;
/** Fewest buckets, as a power of two. */
const LEAST_BITS = 4;

/** Finds and repairs differences between neighbours. */
export class AntiEntropy {
  /** Two sides doubt each other wholesale; true where all are raising their incarnations. */
  onRift: (link: Link) => boolean = () => false;
  readonly #context: Context;
  #lastDiff = -Infinity;

  /** No diff under way. */
  constructor(context: Context) {
    this.#context = context;
  }

  /** A heartbeat came: the time for a diff may have come, too. */
  beat(link: Link, beat: Beat): void {
    const { list, now, tuning, changedAt, me } = this.#context;
    link.peerDegree = beat.degree;
    if (beat.hashA === list.hashA && beat.hashB === list.hashB) {
      link.differSince = 0;
      return;
    }
    if (link.differSince === 0) link.differSince = now;
    const differing = now - link.differSince;
    if (me.id > link.peer.id || differing < tuning.differMs) return;
    const quiet = now - changedAt >= tuning.quietMs;
    if (!quiet && differing < tuning.differMaxMs) return;
    if (now - this.#lastDiff < tuning.diffGapMs) return;
    this.#lastDiff = now;
    link.differSince = now;
    this.start(link, false);
  }

  /** A probed server has another list; worth a diff only where this list is at rest. */
  probed(link: Link): boolean {
    const { now, tuning, changedAt } = this.#context;
    if (now - changedAt < tuning.differMs) return false;
    if (now - this.#lastDiff < tuning.diffGapMs) return false;
    this.#lastDiff = now;
    this.start(link, false);
    return true;
  }

  /**
   * Begins a diff.
   *
   * @param heal Whether the other end may be of a side that was split off.
   */
  start(link: Link, heal: boolean): void {
    const { list, counters } = this.#context;
    counters.diffs++;
    const wanted = Math.ceil(Math.log2(list.alive / BUCKET_RECORDS));
    const bits = Math.min(Math.max(wanted, LEAST_BITS), MAX_BUCKET_BITS);
    const hashes = this.#hashes(bits);
    const frame = new Uint8Array(DIGEST_HEAD_BYTES + 4 * hashes.length);
    frame[0] = FRAME.DIGEST;
    frame[1] = heal ? 1 : 0;
    frame[2] = bits;
    let at = DIGEST_HEAD_BYTES;
    for (const hash of hashes) at = write32(frame, at, hash);
    this.#context.send(link, frame);
  }

  /** Answers a digest with the records of all buckets that differ. */
  digest(link: Link, digest: Digest): void {
    const { list } = this.#context;
    const hashes = this.#hashes(digest.bits);
    const byBucket = new Map<number, number[]>();
    hashes.forEach((hash, i) => {
      if (hash !== digest.hash(i)) byBucket.set(i, []);
    });
    for (let slot = 0; slot < list.slots; slot++) {
      if (list.get(slot) === UNKNOWN) continue;
      byBucket.get(this.#bucketOf(slot, digest.bits))?.push(slot);
    }
    this.#sendDiffs(link, digest, byBucket);
  }

  /** Learns from a diff, and answers with what the other end lacks. */
  diff(link: Link, diff: Diff): void {
    const { list } = this.#context;
    const theirs = new Map<number, Standing>();
    const rift = this.learn(link, diff.records, diff.heal, theirs);
    if (diff.records.malformed) return;
    const buckets = new Set(diff.buckets);
    const slots: number[] = [];
    for (let slot = 0; slot < list.slots; slot++) {
      const mine = list.get(slot);
      if (mine === UNKNOWN || !buckets.has(this.#bucketOf(slot, diff.bits))) {
        continue;
      }
      const held = theirs.get(slot) ?? UNKNOWN;
      if (mine <= held) continue;
      if (isListed(mine) || (!rift && isListed(held))) slots.push(slot);
    }
    this.#sendSync(link, slots);
  }

  /**
   * Takes records that were not flooded.
   *
   * @param heal Whether they may come from a side that was split off.
   * @param seen Filled with what they say.
   * @returns True where the two sides doubt each other wholesale.
   */
  learn(
    link: Link,
    records: RecordReader,
    heal: boolean,
    seen?: Map<number, Standing>,
  ): boolean {
    const { directory, list, tuning, self } = this.#context;
    const doubts: [number, Standing][] = [];
    while (records.next()) {
      const slot = records.slot(directory);
      if (slot < 0) continue;
      const said = records.standing;
      seen?.set(slot, said);
      const held = list.get(slot);
      if (said <= held) continue;
      const gone = !isListed(said) && statusOf(said) !== LEFT;
      if (gone && slot !== self && isListed(held)) doubts.push([slot, said]);
      else this.#context.say(slot, said, { from: link });
    }
    if (heal && doubts.length > tuning.raiseDoubts && this.onRift(link)) {
      return true;
    }
    for (const [slot, said] of doubts) {
      const suspicion = standing(incarnationOf(said), SUSPECT);
      this.#context.say(slot, suspicion, { from: link, reporter: self });
    }
    return false;
  }

  #sendDiffs(
    link: Link,
    digest: Digest,
    byBucket: ReadonlyMap<number, readonly number[]>,
  ): void {
    let group: number[] = [];
    let slots: number[] = [];
    const room = MAX_FRAME_BYTES - DIFF_HEAD_BYTES;
    for (const [bucket, members] of byBucket) {
      const size = (slots.length + members.length) * MAX_RECORD_BYTES +
        2 * (group.length + 1);
      if (size > room && group.length > 0) {
        this.#sendDiff(link, digest, group, slots);
        group = [];
        slots = [];
      }
      group.push(bucket);
      slots.push(...members);
    }
    if (group.length > 0) this.#sendDiff(link, digest, group, slots);
  }

  #sendDiff(
    link: Link,
    digest: Digest,
    group: readonly number[],
    slots: readonly number[],
  ): void {
    const frame = this.#context.directory.scratch;
    frame[0] = FRAME.DIFF;
    frame[1] = digest.heal ? 1 : 0;
    frame[2] = digest.bits;
    frame[3] = group.length >>> 8;
    frame[4] = group.length;
    let at = DIFF_HEAD_BYTES;
    for (const bucket of group) {
      frame[at++] = bucket >>> 8;
      frame[at++] = bucket;
    }
    this.#sendFilled(link, at, slots);
  }

  #sendSync(link: Link, slots: readonly number[]): void {
    for (let sent = 0; sent < slots.length; sent += SYNC_RECORDS) {
      this.#context.directory.scratch[0] = FRAME.SYNC;
      this.#sendFilled(link, 1, slots.slice(sent, sent + SYNC_RECORDS));
    }
  }

  /** Sends what is in the scratch memory up to an offset, and the records that fit in behind it. */
  #sendFilled(link: Link, at: number, slots: readonly number[]): void {
    const { list, directory, counters } = this.#context;
    const frame = directory.scratch;
    for (const slot of slots) {
      if (at + MAX_RECORD_BYTES > MAX_FRAME_BYTES) break;
      at = writeRecord(frame, at, directory, slot, list.get(slot), true, -1);
      counters.syncRecordsSent++;
    }
    this.#context.send(link, directory.frames.copy(frame, at));
  }

  #hashes(bits: number): Int32Array {
    const { list, directory } = this.#context;
    const hashes = new Int32Array(2 ** bits);
    for (let slot = 0; slot < list.slots; slot++) {
      const s = list.get(slot);
      if (!isListed(s)) continue;
      const bucket = this.#bucketOf(slot, bits);
      const sum = (hashes[bucket] as number) + hashOf(directory, slot, s, 1);
      hashes[bucket] = sum;
    }
    return hashes;
  }

  #bucketOf(slot: number, bits: number): number {
    return (this.#context.directory.idHi[slot] as number) >>> (32 - bits);
  }
}

/** Records that fit into one frame at their longest. */
const SYNC_RECORDS = Math.floor((MAX_FRAME_BYTES - 1) / MAX_RECORD_BYTES);
