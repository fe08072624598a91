/**
 * Lines of bytes that need not be text, whole, as they come.
 *
 * @module
 */

import { concat } from "./concat.ts";

/** Most bytes of a line that wait for its end: 1 MiB. What is longer is cut there. */
export const MAX_LINE_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. */
export class ByteLines {
  /** The beginning of a line whose end has not come yet. */
  #open: Uint8Array[] = [];
  #waiting = 0;

  /** The lines that these bytes complete, without their ends. The bytes must not change later. */
  *feed(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, at);
      const stop = end < 0 ? bytes.length : end;
      const room = MAX_LINE_BYTES - this.#waiting;
      const piece = bytes.subarray(at, Math.min(stop, at + room));
      this.#open.push(piece);
      this.#waiting += piece.length;
      at += piece.length;
      if (at === end) {
        at++;
        yield this.#take();
      } else if (this.#waiting === MAX_LINE_BYTES && at < bytes.length) {
        yield this.#take();
      }
    }
  }

  /** The last line, if it had no end. */
  end(): Uint8Array | undefined {
    return this.#waiting === 0 ? undefined : this.#take();
  }

  #take(): Uint8Array {
    const [first] = this.#open;
    const line = first && this.#open.length === 1 ? first : concat(this.#open);
    this.#open = [];
    this.#waiting = 0;
    return line;
  }
}

/** The lines, each behind the prefix and with its end, as one piece. */
export function prefixed(prefix: Uint8Array, lines: Iterable<Uint8Array>): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const line of lines) pieces.push(prefix, line, END);
  return concat(pieces);
}

const END = Uint8Array.of(NEWLINE);
