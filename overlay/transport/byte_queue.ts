/**
 * Bytes that wait to be read or passed on. What it takes of memory is bounded by the bytes in it,
 * however small the pieces were in which they came.
 *
 * @module
 */

import { SpareMemory } from "./spare_memory.ts";

/** Bytes of memory for pieces that are smaller, so that a thousand of them are not a thousand arrays. */
const SHARED_BYTES = 2 * 1024;

/** A queue of bytes: copies what is put in, and gives away what is taken out. */
export class ByteQueue {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #head = 0;
  /** The memory of the last chunk, which it may not fill. */
  #tail: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  readonly #memory: SpareMemory;

  /** @param memory Where large pieces are copied to; default: fresh memory. */
  constructor(memory: SpareMemory = new SpareMemory()) {
    this.#memory = memory;
  }

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Takes a copy of `bytes`, behind all that is there. */
  push(bytes: Uint8Array): void {
    const count = bytes.length;
    if (count === 0) return;
    this.#length += count;
    const last = this.#chunks.length - 1;
    // Most queues hold one piece at a time: that one has just the memory that it needs.
    if (last < this.#head) {
      this.#append(this.#memory.copy(bytes));
      return;
    }
    const chunk = this.#chunks[last];
    if (chunk && this.#tail && chunk.length + count <= this.#tail.length) {
      this.#tail.set(bytes, chunk.length);
      this.#chunks[last] = this.#tail.subarray(0, chunk.length + count);
      return;
    }
    if (count >= SHARED_BYTES) {
      this.#append(this.#memory.copy(bytes));
      return;
    }
    const shared = new Uint8Array(SHARED_BYTES);
    shared.set(bytes);
    this.#append(shared.subarray(0, count));
    this.#tail = shared;
  }

  /** The first bytes, at most `most` of them; undefined if there are none. The taker's to keep. */
  shift(most = Infinity): Uint8Array<ArrayBuffer> | undefined {
    const chunk = this.#chunks[this.#head];
    if (!chunk) return undefined;
    if (chunk.length > most) {
      this.#chunks[this.#head] = chunk.subarray(most);
      this.#length -= most;
      // The tail's free memory begins behind the chunk, wherever that begins.
      if (this.#head === this.#chunks.length - 1) this.#tail = undefined;
      return chunk.subarray(0, most);
    }
    this.#length -= chunk.length;
    this.#head++;
    if (this.#head === this.#chunks.length) this.clear();
    else if (this.#head >= COMPACT_AT) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    return chunk;
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#tail = undefined;
    this.#length = 0;
  }

  #append(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
    this.#tail = undefined;
  }
}

/** Taken chunks after which their places are given up. */
const COMPACT_AT = 64;
