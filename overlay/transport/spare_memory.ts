/**
 * Memory that bytes are copied into when they arrive, used again when their reader is done with them.
 *
 * @module
 */

import { MAX_DATA_BYTES } from "./limits.ts";

/** Bytes from which on memory is worth keeping: 32 KiB. Half of it is in use then, at least. */
const WORTH_KEEPING = MAX_DATA_BYTES / 2;

/** Most pieces that are kept: 512 KiB together, twice of what a stream has on its way. */
const MAX_PIECES = 8;

/**
 * Copies of large pieces of bytes. Fresh memory costs several times what the copying does: the
 * system has to give and clear it page by page, and the collector to find out that it is free.
 */
export class SpareMemory {
  readonly #pieces: ArrayBuffer[] = [];

  /** Bytes that are kept. */
  get capacity(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  }

  /** A copy of `bytes`, the caller's to keep or to {@linkcode recycle}. */
  copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    if (bytes.length >= WORTH_KEEPING) {
      const piece = this.#pieces.pop();
      if (piece && piece.byteLength >= bytes.length) {
        const copy = new Uint8Array(piece, 0, bytes.length);
        copy.set(bytes);
        return copy;
      }
    }
    return bytes.slice() as Uint8Array<ArrayBuffer>;
  }

  /** Takes back a copy, whole as it was given out and once. Nobody may look at it from here on. */
  recycle(copy: Uint8Array): void {
    const { buffer } = copy;
    const worth = buffer.byteLength >= WORTH_KEEPING && buffer.byteLength <= MAX_DATA_BYTES;
    if (worth && buffer instanceof ArrayBuffer && this.#pieces.length < MAX_PIECES) {
      this.#pieces.push(buffer);
    }
  }

  /** Lets go of all that is kept. */
  clear(): void {
    this.#pieces.length = 0;
  }
}
