/**
 * The background probe: a look at a server that nobody may be watching, because all its neighbours
 * died with it.
 *
 * When all is quiet a random member is probed. After a mass loss each server also walks the ring of
 * all IDs from itself upwards until it meets a living one: so every member is looked at by its
 * nearest living predecessor, at once. (Random probes alone leave e^(−t/T) unseen: of 10,000 with
 * 80 % lost, a few dozen for more than 20 s.)
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Dials } from "./dials.ts";
import { isListed, statusOf, SUSPECT } from "./standing.ts";

/** Fewest losses that are a mass loss. */
const LEAST_LOSSES = 2;

/** Probes members in the background. */
export class Prober {
  readonly #context: Context;
  readonly #dials: Dials;
  #probeAt: number;
  #alarmUntil = -Infinity;
  #windowFrom = -Infinity;
  #windowLosses = 0;

  /** A prober whose first probe is within one and a half intervals. */
  constructor(context: Context, dials: Dials) {
    this.#context = context;
    this.#dials = dials;
    this.#probeAt = context.beatAfter(context.now + context.jitter(context.tuning.probeMs));
  }

  /** When {@linkcode tick} has something to do. */
  get wakeAt(): number {
    return this.#probeAt;
  }

  /** Makes the probes that are due. */
  tick(): void {
    const { now, tuning } = this.#context;
    if (this.#probeAt > now) return;
    const alarmed = this.#alarmed;
    const next = now + this.#context.jitter(alarmed ? tuning.probeAlarmMs : tuning.probeMs);
    this.#probeAt = alarmed ? next : this.#context.beatAfter(next);
    if (alarmed) this.#walk();
    this.#probeRandom();
  }

  /** A server was lost. */
  lost(): void {
    const { now, tuning, list } = this.#context;
    if (now - this.#windowFrom > tuning.alarmMs) {
      this.#windowFrom = now;
      this.#windowLosses = 0;
    }
    this.#windowLosses++;
    const before = list.alive + this.#windowLosses;
    const losses = Math.max(LEAST_LOSSES, tuning.alarmShare * before);
    if (this.#windowLosses <= losses) return;
    const alarm = now + this.#context.jitter(tuning.probeAlarmMs / 2);
    if (!this.#alarmed) this.#probeAt = Math.min(this.#probeAt, alarm);
    this.#alarmUntil = now + tuning.alarmMs;
  }

  /** A probe found nobody: after a mass loss the next one follows at once. */
  failed(): void {
    if (this.#alarmed) this.#walk();
  }

  get #alarmed(): boolean {
    return this.#alarmUntil > this.#context.now;
  }

  #walk(): void {
    const { list, self } = this.#context;
    const next = list.successor(self, (s) => statusOf(s) !== SUSPECT);
    if (next >= 0) this.#probe(next);
  }

  #probeRandom(): void {
    const { list, random, self, links } = this.#context;
    const slot = list.randomListed(
      random,
      (s) => s !== self && !links.agreedWith(s),
    );
    if (slot >= 0) this.#probe(slot);
  }

  #probe(slot: number): void {
    const { links, list } = this.#context;
    if (links.agreedWith(slot) || !isListed(list.get(slot))) return;
    // A contact has no heartbeats: that there is one does not tell whether its peer lives.
    this.#dials.dial(slot, { kind: "probe" });
  }
}
