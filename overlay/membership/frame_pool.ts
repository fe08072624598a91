/**
 * Bytes for frames, cut from larger pieces: an allocation of its own for each of the small frames,
 * of which there are many, costs more than to write it.
 *
 * @module
 */

/** Bytes of a piece. The frames of a piece keep it in memory until the last of them is gone. */
const PIECE_BYTES = 64 * 1024;
/** Frames beyond this get an allocation of their own. */
const MAX_POOLED_BYTES = PIECE_BYTES / 8;
/** Up to this length bytes are copied faster one by one. */
const LONG_BYTES = 128;

/** Hands out bytes for frames. */
export class FramePool {
  #piece = new ArrayBuffer(0);
  #used = 0;

  /** The first `length` bytes of `from`, as a frame of their own that nobody writes to again. */
  copy(from: Uint8Array<ArrayBuffer>, length: number): Uint8Array {
    if (length > MAX_POOLED_BYTES) return from.slice(0, length);
    if (this.#used + length > this.#piece.byteLength) {
      this.#piece = new ArrayBuffer(PIECE_BYTES);
      this.#used = 0;
    }
    const frame = new Uint8Array(this.#piece, this.#used, length);
    copyBytes(from, 0, length, frame, 0);
    this.#used += length;
    return frame;
  }
}

/** Copies bytes to `at` and returns the offset after them. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): number {
  if (end - start > LONG_BYTES) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at + i - start] = from[i] as number;
  return at + end - start;
}
