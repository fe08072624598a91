/**
 * Where frames are written before they go out.
 *
 * @module
 */

import { FrameType } from "./frame.ts";
import { HEADER_BYTES } from "./limits.ts";

const encoder = new TextEncoder();

/** Characters up to which a text is short. */
const SHORT_TEXT = 64;

/** A growing buffer that frames are written into, one after another, to go out in one write. */
export class FrameBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #frame = 0;

  /** @param capacity Bytes to begin with; it grows as needed. */
  constructor(capacity = 512) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that fit before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was written: a view that the next write or {@linkcode clear} invalidates. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Writes a header; the payload follows, then {@linkcode finish}. */
  begin(type: FrameType, flags: number, stream: number): void {
    this.#reserve(HEADER_BYTES);
    this.#frame = this.#length;
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at + 4] = type;
    bytes[at + 5] = flags;
    bytes[at + 6] = stream >>> 24;
    bytes[at + 7] = stream >>> 16;
    bytes[at + 8] = stream >>> 8;
    bytes[at + 9] = stream;
    this.#length = at + HEADER_BYTES;
  }

  /** Ends the frame that {@linkcode begin} began: its length is known now. */
  finish(): void {
    const length = this.#length - this.#frame - HEADER_BYTES;
    const at = this.#frame;
    this.#bytes[at] = length >>> 24;
    this.#bytes[at + 1] = length >>> 16;
    this.#bytes[at + 2] = length >>> 8;
    this.#bytes[at + 3] = length;
  }

  /** Gives up the frame that {@linkcode begin} began. */
  abandon(): void {
    this.#length = this.#frame;
  }

  /** Writes a whole frame. */
  frame(type: FrameType, flags: number, stream: number, payload: Uint8Array): void {
    this.begin(type, flags, stream);
    this.bytes(payload);
    this.finish();
  }

  /** Writes a CREDIT frame. */
  credit(stream: number, bytes: number): void {
    this.begin(FrameType.CREDIT, 0, stream);
    this.u32(bytes);
    this.finish();
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = value >>> 8;
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    const at = this.#length;
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    this.#length = at + 4;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes a string as UTF-8 and returns how many bytes that took. */
  text(value: string): number {
    this.#reserve(value.length * 3);
    // For short ASCII, a loop is several times faster than a call into the runtime.
    if (value.length <= SHORT_TEXT) {
      const bytes = this.#bytes;
      const start = this.#length;
      let at = 0;
      for (; at < value.length; at++) {
        const code = value.charCodeAt(at);
        if (code >= 0x80) break;
        bytes[start + at] = code;
      }
      if (at === value.length) {
        this.#length = start + at;
        return at;
      }
    }
    const written = encoder.encodeInto(value, this.#bytes.subarray(this.#length)).written;
    this.#length += written;
    return written;
  }

  /** Writes a string as UTF-8 behind its length in 8 (`wide` false) or 16 bits. */
  prefixedText(value: string, wide: boolean): number {
    const at = this.#length;
    if (wide) this.u16(0);
    else this.u8(0);
    const written = this.text(value);
    if (wide) this.#bytes[at] = written >>> 8;
    this.#bytes[wide ? at + 1 : at] = written;
    return written;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
