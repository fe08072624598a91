/**
 * The sending half of a stream: what waits to go out, and how much may.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { Flag, FrameType } from "./frame.ts";
import type { FrameBuffer } from "./frame_buffer.ts";
import { MAX_DATA_BYTES, MAX_WINDOW } from "./limits.ts";

/** Bytes to the other side, as far as its credit goes. */
export class Outflow {
  #credit: number;
  #sent = 0;
  #credited = 0;
  #chunk: Uint8Array | undefined;
  #chunkAt = 0;
  #writer: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #endSent = false;

  /** @param credit Bytes that may be sent before more is granted. */
  constructor(credit: number) {
    this.#credit = credit;
  }

  /** Bytes that the other side can take right now. */
  get credit(): number {
    return this.#credit;
  }

  /** True once nothing may be written any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True once the end is on its way. */
  get endSent(): boolean {
    return this.#endSent;
  }

  /** True if all that was written is on its way. */
  get empty(): boolean {
    return !this.#chunk;
  }

  /** True if there is something that could go out now. */
  get ready(): boolean {
    return this.#chunk ? this.#credit > 0 : this.#ended && !this.#endSent;
  }

  /** Of the bytes sent, how many the other side has granted back, hence consumed. */
  get acknowledged(): number {
    return Math.min(this.#sent, this.#credited);
  }

  /** Bytes have gone out along with a request or an answer. */
  sentAlong(bytes: number, end: boolean): void {
    this.#credit -= bytes;
    this.#sent += bytes;
    if (end) this.#ended = this.#endSent = true;
  }

  /**
   * The other side can take more.
   *
   * @throws {CircuitError} `PROTOCOL` if that is more than a window may have.
   */
  addCredit(bytes: number): void {
    this.#credited += bytes;
    this.#credit += bytes;
    if (this.#credit > MAX_WINDOW) {
      throw new CircuitError(
        "PROTOCOL",
        `the peer granted ${this.#credit} bytes on a stream: at most ${MAX_WINDOW} are allowed`,
      );
    }
  }

  /** Takes bytes to send; resolves when all of them are on their way. */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#ended || this.#chunk) {
      const why = this.#chunk ? "during another write" : "after its end";
      return Promise.reject(new CircuitError("INTERNAL", `write to a stream ${why}`));
    }
    if (chunk.length === 0) return Promise.resolve();
    this.#chunk = chunk;
    this.#chunkAt = 0;
    this.#writer = Promise.withResolvers();
    return this.#writer.promise;
  }

  /** Nothing will follow what was written. */
  end(): void {
    this.#ended = true;
  }

  /** Puts at most one frame into the batch; true if another one could follow at once. */
  produce(out: FrameBuffer, stream: number): boolean {
    const chunk = this.#chunk;
    if (!chunk) {
      if (this.#ended && !this.#endSent) {
        this.#endSent = true;
        out.frame(FrameType.DATA, Flag.END, stream, EMPTY);
      }
      return false;
    }
    const rest = chunk.length - this.#chunkAt;
    const count = Math.min(rest, this.#credit, MAX_DATA_BYTES);
    if (count <= 0) return false;
    const from = this.#chunkAt;
    const done = count === rest;
    if (done && this.#ended) this.#endSent = true;
    const flags = this.#endSent ? Flag.END : 0;
    out.frame(FrameType.DATA, flags, stream, chunk.subarray(from, from + count));
    this.#credit -= count;
    this.#sent += count;
    this.#chunkAt += count;
    if (!done) return this.#credit > 0;
    this.#chunk = undefined;
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.resolve();
    return false;
  }

  /** Whoever waits gets `error`; what waits is dropped. */
  fail(error: CircuitError): void {
    this.#chunk = undefined;
    this.#writer?.promise.catch(ignore);
    this.#writer?.reject(error);
    this.#writer = undefined;
  }
}

/** Whoever holds the promise sees the rejection; where nobody does, there is nobody to tell. */
function ignore(): void {}
