/**
 * Time, as discovery needs it; a test passes its own.
 *
 * @module
 */

/** A source of time. */
export interface Clock {
  /** Milliseconds since 1970: the time that datagrams carry. It may jump. */
  wall(): number;
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls `action` once, after `ms`; the function that it returns prevents that. */
  after(ms: number, action: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};
