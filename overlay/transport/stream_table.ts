/**
 * Which streams are open on a session, by number.
 *
 * @module
 */

import { Budget, type Share } from "../budget.ts";
import { CircuitError } from "../errors.ts";
import { CALL_BYTES, FREE_CALLS } from "./limits.ts";
import type { FrameSink } from "./session_types.ts";

/** Largest stream number. */
const MAX_NUMBER = 0xffff_ffff;

/** The open streams of one session, those of both sides. */
export class StreamTable {
  readonly #sinks = new Map<number, FrameSink>();
  readonly #most: number;
  readonly #first: number;
  readonly #share: Share;
  #next: number;

  /**
   * @param dialled True on the side that numbers its streams oddly.
   * @param most Streams that may be open at a time.
   * @param share Each takes {@linkcode CALL_BYTES} of it, the first {@linkcode FREE_CALLS} without
   * asking; default: without a limit.
   */
  constructor(dialled: boolean, most: number, share: Share = new Budget().calls) {
    this.#first = this.#next = dialled ? 1 : 2;
    this.#most = most;
    this.#share = share;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#sinks.size;
  }

  /** The open streams. */
  sinks(): Iterable<FrameSink> {
    return this.#sinks.values();
  }

  /** The stream with this number. */
  get(stream: number): FrameSink | undefined {
    return this.#sinks.get(stream);
  }

  /** Opens the stream with this number, which is free. */
  set(stream: number, sink: FrameSink): void {
    this.#sinks.set(stream, sink);
    this.#share.add(CALL_BYTES);
  }

  /** The stream is over. */
  delete(stream: number): void {
    if (this.#sinks.delete(stream)) this.#share.add(-CALL_BYTES);
  }

  /** True if the peer may open a stream with this number now. */
  isFreeForPeer(stream: number): boolean {
    return stream % 2 !== this.#first % 2 && !this.#sinks.has(stream);
  }

  /**
   * A number for a new stream of this side. Numbers are used again after 2^31 streams; the odd and
   * the even ones never mix.
   *
   * @throws {CircuitError} `BUSY` if too many streams are open.
   */
  newNumber(): number {
    this.checkRoom();
    let number = this.#next;
    while (this.#sinks.has(number)) number = this.#after(number);
    this.#next = this.#after(number);
    return number;
  }

  /**
   * Makes sure that one more stream can be opened.
   *
   * @throws {CircuitError} `BUSY` if not.
   */
  checkRoom(): void {
    if (this.#sinks.size >= this.#most) {
      throw new CircuitError("BUSY", `limit reached: ${this.#most} calls on this connection`);
    }
    if (this.#sinks.size < FREE_CALLS) return;
    if (!this.#share.fits(CALL_BYTES)) throw this.#share.full(CALL_BYTES);
  }

  /** Empties the table and returns what was in it. */
  clear(): FrameSink[] {
    const sinks = [...this.#sinks.values()];
    this.#share.add(-CALL_BYTES * sinks.length);
    this.#sinks.clear();
    return sinks;
  }

  #after(number: number): number {
    return number + 2 > MAX_NUMBER ? this.#first : number + 2;
  }
}
