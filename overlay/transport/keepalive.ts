/**
 * When a connection counts as lost, and when its peer is asked whether it is there: the arithmetic,
 * without a timer.
 *
 * @module
 */

import { IDLE_PING_MS, KEEPALIVE_MS, SILENCE_MS } from "./limits.ts";

/** Watches one connection. Asked every {@linkcode KEEPALIVE_MS}. */
export class Keepalive {
  #lastHeard: number;
  #lastTick: number;
  /** The last tick at which no calls were open. */
  #lastIdle: number;

  /** @param now Milliseconds of the clock that all its methods are told. */
  constructor(now: number) {
    this.#lastHeard = this.#lastTick = this.#lastIdle = now;
  }

  /** Something came. */
  heard(now: number): void {
    this.#lastHeard = now;
  }

  /**
   * What to do now: `lost` after {@linkcode SILENCE_MS} of silence on a connection that was busy all
   * that time, and as much after the first unanswered ping on an idle one.
   *
   * @param busy Calls are open.
   * @param eager True to ping an idle connection as soon as a busy one.
   */
  tick(now: number, busy: boolean, eager = false): "ping" | "lost" | undefined {
    const late = now - this.#lastTick > 2 * KEEPALIVE_MS;
    this.#lastTick = now;
    // This process itself was stopped: what the peer sent in the meantime has not been read yet.
    if (late) this.#lastHeard = now;
    if (!busy) this.#lastIdle = now;
    const silent = now - this.#lastHeard;
    // Until there was a call, the peer was not asked and had nothing to say.
    const owed = now - Math.max(this.#lastHeard, this.#lastIdle);
    if (owed > SILENCE_MS || silent > IDLE_PING_MS + SILENCE_MS) return "lost";
    return late || silent >= (busy || eager ? KEEPALIVE_MS : IDLE_PING_MS) ? "ping" : undefined;
  }
}
