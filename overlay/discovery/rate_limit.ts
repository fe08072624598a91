/**
 * A bound on how often something is done because a datagram asks for it.
 *
 * @module
 */

/** A token bucket: so many at once, and so many a second in the long run. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at = -Infinity;

  /**
   * @param perSecond How many a second.
   * @param burst How many at once; default a second's worth.
   */
  constructor(perSecond: number, burst = perSecond) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /**
   * True if one more may be done now, and counts it.
   *
   * @param now Monotonic time in ms.
   */
  take(now: number): boolean {
    this.#gain(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /**
   * True if less than half of what may be done at once is left.
   *
   * @param now Monotonic time in ms.
   */
  isScarce(now: number): boolean {
    this.#gain(now);
    return this.#tokens < this.#burst / 2;
  }

  #gain(now: number): void {
    const gained = (now - this.#at) / 1000 * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#at = now;
  }
}
