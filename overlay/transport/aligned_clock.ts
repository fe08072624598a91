/**
 * A clock whose repeating timers go off together. What a process that has little to do costs is the
 * number of times that it wakes up, and hardly what it does then: with cold caches a wake-up takes
 * some 0.3 ms of a core, as much as dozens of small frames.
 *
 * @module
 */

import { type Clock, systemClock } from "./clock.ts";

/** What one {@linkcode AlignedClock.every} asked for; the same callback may be there many times. */
interface Wish {
  readonly callback: () => void;
}

/** Whoever wants to be called back with one period. */
interface Group {
  readonly wishes: Set<Wish>;
  cancel: () => void;
}

/**
 * Shared by all that a process does regularly. Whoever asks for the same period is called back in the
 * same wake-up, at whole multiples of it from a common origin on; so the first time may come sooner
 * than after one period. Between two calls there is always about one period: what was missed while
 * the process stood still is left out.
 */
export class AlignedClock implements Clock {
  readonly #base: Clock;
  readonly #origin: number;
  readonly #groups = new Map<number, Group>();

  /**
   * @param origin Milliseconds of `base`: a moment at which timers of any period would go off.
   * @param base What really tells the time; default: the machine.
   */
  constructor(origin: number, base: Clock = systemClock) {
    this.#origin = origin;
    this.#base = base;
  }

  now(): number {
    return this.#base.now();
  }

  after(ms: number, callback: () => void): () => void {
    return this.#base.after(ms, callback);
  }

  every(ms: number, callback: () => void): () => void {
    let group = this.#groups.get(ms);
    if (!group) {
      group = { wishes: new Set(), cancel: () => {} };
      this.#groups.set(ms, group);
      this.#arm(ms, group);
    }
    const wish = { callback };
    group.wishes.add(wish);
    return () => {
      if (!group.wishes.delete(wish) || group.wishes.size > 0) return;
      group.cancel();
      this.#groups.delete(ms);
    };
  }

  #arm(ms: number, group: Group): void {
    const past = this.#base.now() - this.#origin;
    const wait = (Math.floor(past / ms) + 1) * ms - past;
    // Timers go by whole milliseconds; one that is early would have to be set again.
    group.cancel = this.#base.after(Math.ceil(wait), () => this.#ring(ms, group));
  }

  #ring(ms: number, group: Group): void {
    this.#arm(ms, group);
    const thrown: unknown[] = [];
    for (const wish of [...group.wishes]) {
      // One that was called before may have ended it.
      if (!group.wishes.has(wish)) continue;
      try {
        wish.callback();
      } catch (fault) {
        thrown.push(fault);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }
}

/** Milliseconds that all periods of a server are multiples of, or parts. */
const ROUND_MS = 1_000;

/**
 * A moment of the machine's clock that is the same, but for whole seconds, in every process of a host
 * and another on other hosts: many servers on one host wake up at the same time, which spares it most
 * of the wake-ups, and those of a whole network do not, which spares it bursts.
 *
 * @param host What names the host.
 * @param wall Milliseconds since 1970; @param now the same moment in milliseconds of `performance`.
 */
export function hostOrigin(
  host: string,
  now: number = performance.now(),
  wall: number = performance.timeOrigin + now,
): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(host)) hash = Math.imul(hash ^ byte, 0x01000193);
  const place = (hash >>> 0) % ROUND_MS;
  return now - ((wall - place) % ROUND_MS + ROUND_MS) % ROUND_MS;
}

/** The clock of a process on this host; see {@linkcode hostOrigin}. */
export function hostClock(host: string): AlignedClock {
  return new AlignedClock(hostOrigin(host));
}
