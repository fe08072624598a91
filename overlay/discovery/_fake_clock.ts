/**
 * Time that passes only when a test says so.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** A clock for tests; starts at 1,000,000 s since 1970. */
export class FakeClock implements Clock {
  /** What {@linkcode Clock.wall} is ahead of the time that has passed, in ms. */
  wallOffset = 1_000_000_000;
  readonly #timers = new Set<{ at: number; action: () => void }>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.wallOffset;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and everything happen that follows from it without further time passing. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (!next || next.at > end) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.action();
    }
    this.#now = end;
  }
}

/** Lets all promises that can be settled now settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
