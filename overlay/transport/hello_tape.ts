/**
 * A hello as it came: the handshake of a connection that is encrypted covers every byte of it.
 *
 * @module
 */

import type { HelloSource } from "./hello.ts";

/** Reads from a connection and keeps what it has read. */
export class HelloTape implements HelloSource {
  readonly remote: string;
  readonly #source: HelloSource;
  readonly #bytes: number[] = [];

  constructor(source: HelloSource) {
    this.#source = source;
    this.remote = source.remote;
  }

  /** What was read so far: a hello, which is short. */
  get bytes(): readonly number[] {
    return this.#bytes;
  }

  async read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const count = await this.#source.read(buffer);
    this.#bytes.push(...buffer.subarray(0, count ?? 0));
    return count;
  }
}
