/**
 * The buffer that a connection is read into: small while the connection is idle, large while it is
 * busy, and never larger than {@linkcode MAX_READ_BYTES} or than the frame that is coming needs.
 *
 * @module
 */

import { Budget, type Share } from "../budget.ts";
import { MAX_READ_BYTES, MIN_READ_BYTES, UNCOUNTED_READ_BYTES } from "./limits.ts";

/** Small reads in a row after which a large buffer is given back. */
const SMALL_READS = 4;

/** Collects bytes from reads until a frame is whole. */
export class ReadBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(MIN_READ_BYTES);
  #start = 0;
  #end = 0;
  #wanted = 0;
  #small = 0;
  readonly #share: Share;
  #counted = 0;

  /**
   * @param share Counts what the buffer has beyond {@linkcode UNCOUNTED_READ_BYTES}; default: without
   * a limit.
   */
  constructor(share: Share = new Budget().inflow) {
    this.#share = share;
  }

  /** The memory that the unread bytes are in, beginning at {@linkcode at}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Where the unread bytes begin. */
  get at(): number {
    return this.#start;
  }

  /** Unread bytes. */
  get available(): number {
    return this.#end - this.#start;
  }

  /**
   * Where the next read may put bytes: never empty. Invalidates views of earlier bytes.
   *
   * @throws {CircuitError} `BUSY` if the frame that is coming needs more than there is room for.
   */
  space(): Uint8Array<ArrayBuffer> {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#wanted > this.#bytes.length - this.#start || this.#end === this.#bytes.length) {
      this.#move(Math.max(this.#wanted, MIN_READ_BYTES));
    }
    return this.#bytes.subarray(this.#end);
  }

  /** A read has put this many bytes into {@linkcode space}. */
  filled(count: number): void {
    const full = this.#end + count === this.#bytes.length;
    this.#end += count;
    const larger = Math.min(this.#bytes.length * 4, MAX_READ_BYTES);
    if (full && this.#bytes.length < larger && this.#share.fits(larger)) {
      this.#small = 0;
      this.#resize(larger);
    } else if (count < MIN_READ_BYTES && this.#bytes.length > MIN_READ_BYTES) {
      if (++this.#small >= SMALL_READS && this.available <= MIN_READ_BYTES) {
        this.#small = 0;
        this.#resize(Math.max(MIN_READ_BYTES, this.#wanted));
      }
    } else {
      this.#small = 0;
    }
  }

  /** A frame needs this many bytes from {@linkcode at} on. */
  want(count: number): void {
    this.#wanted = count;
  }

  /** These bytes have been used. */
  take(count: number): void {
    this.#start += count;
    this.#wanted = 0;
  }

  #move(needed: number): void {
    if (needed > this.#bytes.length || this.available === this.#bytes.length) {
      this.#resize(Math.max(needed, this.#bytes.length * 2));
    } else {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
  }

  /** Gives back its part of the budget: it will not be used again. */
  [Symbol.dispose](): void {
    this.#share.add(-this.#counted);
    this.#counted = 0;
  }

  #resize(size: number): void {
    const bytes = Math.max(size, this.available);
    const more = Math.max(0, bytes - UNCOUNTED_READ_BYTES) - this.#counted;
    if (more > 0) this.#share.take(more);
    else this.#share.add(more);
    this.#counted += more;
    const larger = new Uint8Array(bytes);
    larger.set(this.#bytes.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    this.#bytes = larger;
  }
}
