/**
 * How late the event loop is.
 *
 * @module
 */

/** Timers that are looked at. */
const TIMERS = 8;

/** Milliseconds of each. */
const TIMER_MS = 5;

/** How late timers went off, in milliseconds. */
export interface Lag {
  readonly mean: number;
  readonly most: number;
}

/** Measures for some 40 ms how late the event loop is; an idle one is about a millisecond late. */
export async function eventLoopLag(): Promise<Lag> {
  let sum = 0;
  let most = 0;
  for (let timer = 0; timer < TIMERS; timer++) {
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
    const late = Math.max(0, performance.now() - start - TIMER_MS);
    sum += late;
    most = Math.max(most, late);
  }
  return { mean: sum / TIMERS, most };
}
