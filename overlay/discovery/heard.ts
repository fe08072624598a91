/**
 * Which servers were reported lately, so that each is reported once in a while and not with every
 * datagram.
 *
 * @module
 */

import type { FoundServer } from "./types.ts";

/** Milliseconds after which a server is reported again: a join that failed is then tried again. */
export const REPORT_AGAIN_MS = 10_000;

/** Servers that are remembered; beyond that the one reported longest ago is forgotten. */
export const MAX_HEARD = 4_096;

/** The servers that were reported, with when and at which address. */
export class Heard {
  readonly #servers = new Map<string, { address: string; at: number }>();

  /** How many are remembered. */
  get size(): number {
    return this.#servers.size;
  }

  /**
   * True if the server is to be reported: new, at a new address, or not reported for a while.
   *
   * @param now Monotonic time in ms.
   */
  isNews(server: FoundServer, now: number): boolean {
    const known = this.#servers.get(server.id);
    return !known || known.address !== server.address || now - known.at >= REPORT_AGAIN_MS;
  }

  /** Remembers that the server was reported now. */
  reported(server: FoundServer, now: number): void {
    this.#servers.delete(server.id);
    this.#servers.set(server.id, { address: server.address, at: now });
    for (const oldest of this.#servers.keys()) {
      if (this.#servers.size <= MAX_HEARD) break;
      this.#servers.delete(oldest);
    }
  }
}
