/**
 * Which queries a server answers when there are many: of two clients the one that has no answer yet.
 *
 * @module
 */

import { RateLimit } from "./rate_limit.ts";

/** Queries that a server answers a second; the rest are ignored, for their senders ask again. */
export const ANSWERS_PER_SECOND = 100;

/** Milliseconds for which a query counts as answered: just less than a client waits to ask again. */
export const ANSWERED_MS = 900;

/**
 * Bounds the answers. A query comes once through each network that a client and the server share, and
 * again until the client has taken an answer in; all of these have one nonce. While there are enough
 * answers left each gets one, for nobody knows which of them arrives; else only the first does.
 */
export class Answers {
  readonly #limit = new RateLimit(ANSWERS_PER_SECOND);
  /** Nonces of queries, and when each was last answered; the oldest come first. */
  readonly #answered = new Map<bigint, number>();

  /** How many queries are remembered: at most some seconds' worth of answers. */
  get size(): number {
    return this.#answered.size;
  }

  /**
   * True if the query with that nonce is to be answered now, and counts it.
   *
   * @param now Monotonic time in ms.
   */
  take(nonce: bigint, now: number): boolean {
    for (const [old, at] of this.#answered) {
      if (now - at < ANSWERED_MS) break;
      this.#answered.delete(old);
    }
    if (this.#limit.isScarce(now) && this.#answered.has(nonce)) return false;
    if (!this.#limit.take(now)) return false;
    this.#answered.delete(nonce);
    this.#answered.set(nonce, now);
    return true;
  }
}
