/**
 * The connections that a server has accepted and that are no sessions yet.
 *
 * Nobody has proved anything on them, so they must not stand in the way of those who have: there is
 * room for so many, and a new one takes the place of another. That is the oldest one of the host that
 * has the most, so a host that floods a server crowds out itself before it does others.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { MAX_HANDSHAKES } from "./limits.ts";

/** One handshake: whatever its connection does, this ends it. */
type Handshake = AbortController;

/** Handshakes that are under way, at most so many at a time. */
export class Handshakes {
  readonly #most: number;
  /** By host, in the order in which they began. No set is empty. */
  readonly #hosts = new Map<string, Set<Handshake>>();
  #size = 0;

  /** @param most Handshakes at a time. */
  constructor(most = MAX_HANDSHAKES) {
    this.#most = most;
  }

  /** Handshakes that are under way. */
  get size(): number {
    return this.#size;
  }

  /**
   * Runs a handshake; where there is no room for one more, another one has to go.
   *
   * @param remote The peer, `HOST:PORT`.
   * @param work Ends soon when its signal is aborted. A reason that is a `CircuitError` is for the peer.
   * @returns what `work` comes to.
   */
  async run<T>(remote: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#size >= this.#most) this.drop();
    const host = remote.slice(0, remote.lastIndexOf(":"));
    const handshake: Handshake = new AbortController();
    const others = this.#hosts.get(host);
    if (others) others.add(handshake);
    else this.#hosts.set(host, new Set([handshake]));
    this.#size++;
    try {
      return await work(handshake.signal);
    } finally {
      this.#forget(host, handshake);
    }
  }

  /** Ends the oldest handshake of the host that has the most, and tells the peer; false for none. */
  drop(): boolean {
    let chosen: [string, Set<Handshake>] | undefined;
    for (const each of this.#hosts) {
      if (!chosen || each[1].size > chosen[1].size) chosen = each;
    }
    const [oldest] = chosen?.[1] ?? [];
    if (!chosen || !oldest) return false;
    this.#forget(chosen[0], oldest);
    oldest.abort(
      new CircuitError(
        "BUSY",
        "the server has too many connections that are not yet done with hello and key; try again",
      ),
    );
    return true;
  }

  /** Ends all of them without a word. */
  stop(): void {
    for (const handshakes of [...this.#hosts.values()]) {
      for (const handshake of handshakes) handshake.abort();
    }
  }

  #forget(host: string, handshake: Handshake): void {
    const others = this.#hosts.get(host);
    if (!others?.delete(handshake)) return;
    this.#size--;
    if (others.size === 0) this.#hosts.delete(host);
  }
}
