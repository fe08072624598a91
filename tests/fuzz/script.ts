/**
 * A peer that says what it was given and then goes away.
 *
 * @module
 */

import type { Conn } from "../../overlay/transport/network.ts";

/** A connection to such a peer, which comes in pieces; what it is told is counted and dropped. */
export class Script implements Conn {
  readonly remote = "script:0";
  readonly localHost = "script";
  readonly #bytes: Uint8Array;
  readonly #piece: number;
  #at = 0;
  #closed = false;
  /** Bytes that the peer was told. */
  written = 0;

  /** @param piece Most bytes of one read. */
  constructor(bytes: Uint8Array, piece: number) {
    this.#bytes = bytes;
    this.#piece = piece;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    if (this.#closed || this.#at === this.#bytes.length) return Promise.resolve(null);
    const to = Math.min(this.#bytes.length, this.#at + Math.min(buffer.length, this.#piece));
    buffer.set(this.#bytes.subarray(this.#at, to));
    const count = to - this.#at;
    this.#at = to;
    return Promise.resolve(count);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.written += bytes.length;
    return Promise.resolve(bytes.length);
  }

  close(): void {
    this.#closed = true;
  }
}

/** A clock whose timers never come. */
export const NEVER = { now: () => 0, after: () => () => {}, every: () => () => {} };
