/**
 * Finding together: seeds to join, the dead who may only be behind a broken network, and the wave
 * by which all raise their incarnations, so that no side's tombstones bury the other.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Dials } from "./dials.ts";
import { placeOf } from "./directory.ts";
import type { Link } from "./link_set.ts";
import { ALIVE, MAX_INCARNATION, standing } from "./standing.ts";
import type { Swapper } from "./swap.ts";
import type { DialFailure } from "./types.ts";
import { FRAME } from "./wire.ts";

/** Most seeds that are remembered. */
export const MAX_SEEDS = 64;
/** Fewest servers gained at once that are a merge. */
const LEAST_GAIN = 4;

/** Joins, and heals splits. */
export class Healer {
  readonly #context: Context;
  readonly #dials: Dials;
  readonly #swapper: Swapper;
  /** Addresses given from outside, the last tried at the end. */
  readonly #seeds = new Set<string>();
  #healAt: number;
  #raisedAt = -Infinity;
  #windowFrom = -Infinity;
  #windowGain = 0;

  /** A healer that knows no seeds. */
  constructor(context: Context, dials: Dials, swapper: Swapper) {
    this.#context = context;
    this.#dials = dials;
    this.#swapper = swapper;
    this.#healAt = context.beatAfter(context.now + context.jitter(context.tuning.healMs));
  }

  /** When {@linkcode tick} has something to do. */
  get wakeAt(): number {
    return this.#healAt;
  }

  /** Dials a dead server or a seed, if chance has it. */
  tick(): void {
    const { now, tuning, alone, random, list, joining } = this.#context;
    if (this.#healAt > now) return;
    const hurried = alone && this.#seeds.size > 0;
    const next = now + this.#context.jitter(hurried ? tuning.aloneMs : tuning.healMs);
    this.#healAt = hurried ? next : this.#context.beatAfter(next);
    if (joining) return;
    if (hurried) return this.#dialSeed();
    if (random() * list.alive >= tuning.healDials) return;
    const slot = list.randomDead(random);
    if (slot < 0 || (this.#seeds.size > 0 && random() < 0.5)) {
      return this.#dialSeed();
    }
    this.#dials.start(slot, { kind: "heal" });
  }

  /** A seed was given from outside. */
  join(address: string): void {
    const { alone, me, now, tuning } = this.#context;
    if (placeOf(address) === placeOf(me.address)) return;
    this.#seeds.delete(address);
    this.#seeds.add(address);
    for (const oldest of this.#seeds) {
      if (this.#seeds.size <= MAX_SEEDS) break;
      this.#seeds.delete(oldest);
    }
    if (this.#isListed(address)) return;
    // A newcomer asks one at a time; when it has joined, the others are asked, too.
    if (alone && this.#dials.count((i) => i.kind === "join") > 0) return;
    this.#dials.startSeed(address);
    const retry = now + this.#context.jitter(tuning.aloneMs);
    if (alone) this.#healAt = Math.min(this.#healAt, retry);
  }

  /** This server has its first snapshot: are the other seeds in it? */
  joined(): void {
    for (const address of this.#seeds) {
      if (!this.#isListed(address)) this.#dials.startSeed(address);
    }
  }

  /** A dial to a dead server or to a seed failed. */
  dialFailed(address: string, slot: number, reason: DialFailure): void {
    if (slot < 0 || reason !== "superseded") return;
    // Someone else answers there: a server of this circuit, or one worth knowing.
    const place = placeOf(address);
    if (!this.#isListed(place)) this.#dials.startSeed(place);
  }

  /** A server was gained: many at once are a merge. */
  gained(): void {
    const { now, tuning, list } = this.#context;
    if (now - this.#windowFrom > tuning.mergeWindowMs) {
      this.#windowFrom = now;
      this.#windowGain = 0;
    }
    this.#windowGain++;
    const enough = Math.max(LEAST_GAIN, tuning.mergeShare * list.alive);
    if (this.#windowGain > enough) this.#swapper.merged();
  }

  /**
   * Raises this server's incarnation and asks all others on both sides to do the same.
   *
   * @returns True where that was done, now or lately.
   */
  raise(found: Link | undefined, from: Link | undefined): boolean {
    const { now, tuning, incarnation, links, counters } = this.#context;
    if (now - this.#raisedAt < tuning.raiseGapMs) return true;
    if (incarnation >= MAX_INCARNATION) return false;
    this.#raisedAt = now;
    counters.raises++;
    this.#context.setSelf(standing(incarnation + 1, ALIVE), false);
    this.#swapper.merged();
    const frame = Uint8Array.of(FRAME.RAISE);
    for (const link of links.flooded) {
      if (link !== from) this.#context.send(link, frame);
    }
    if (found && found.bit < 0) this.#context.send(found, frame);
    return true;
  }

  #dialSeed(): void {
    for (const address of [...this.#seeds]) {
      this.#seeds.delete(address);
      this.#seeds.add(address);
      if (this.#isListed(address)) continue;
      this.#dials.startSeed(address);
      return;
    }
  }

  #isListed(address: string): boolean {
    const { directory } = this.#context;
    return directory.atPlace(address).some((s) => this.#context.listed(s));
  }
}
