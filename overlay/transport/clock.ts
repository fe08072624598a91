/**
 * Time as sessions see it: an argument, so that a test can make it pass.
 *
 * @module
 */

/** Tells the time and calls back. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Calls back once, after `ms` milliseconds; returns what prevents it. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back every `ms` milliseconds; returns what ends that. */
  every(ms: number, callback: () => void): () => void;
}

/** The machine's own clock and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    return () => clearInterval(timer);
  },
};
