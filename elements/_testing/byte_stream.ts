/**
 * One direction of an in-memory call: bytes, credit and an end.
 *
 * @module
 */

import type { CircuitError } from "../../overlay/errors.ts";

/** Says loudly that one of the two sides broke the contract; it does not return. */
export type Violate = (what: string) => never;

/**
 * A byte stream with credit, as a transport carries it, but without delay: what one side sends has
 * arrived in the same moment. Bytes are copied on their way.
 */
export class ByteStream {
  readonly #violate: Violate;
  readonly #onEnd: () => void;
  #arrived: Uint8Array[] = [];
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  #rest: Uint8Array | undefined;
  #closing = false;
  #ended = false;
  #sent = 0;
  #allowed: number;
  #regranted = 0;
  #error: CircuitError | undefined;

  /**
   * @param window Bytes that may be sent before the first grant.
   * @param violate Told of everything that the contract forbids.
   * @param onEnd Called when the end has been sent, behind all bytes.
   */
  constructor(window: number, violate: Violate, onEnd: () => void) {
    this.#allowed = window;
    this.#violate = violate;
    this.#onEnd = onEnd;
  }

  // --- the sending side -------------------------------------------------------------------------

  /** Bytes that may be sent right now. */
  get credit(): number {
    return this.#allowed - this.#sent;
  }

  /** Bytes sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes that may be sent in all, from the beginning: the first window and every grant. */
  get allowed(): number {
    return this.#allowed;
  }

  /** Bytes granted so far, the first window apart. */
  get regranted(): number {
    return this.#regranted;
  }

  /** True once the sender has said that nothing more will follow. */
  get closing(): boolean {
    return this.#closing;
  }

  /** True once the end was sent. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends bytes at once, which the credit must allow. */
  push(bytes: Uint8Array): void {
    if (this.#error) return;
    if (this.#closing) this.#violate("bytes after the end");
    if (this.#rest) this.#violate("bytes during a write");
    if (bytes.length > this.credit) {
      this.#violate(`${bytes.length} bytes with credit for ${this.credit}`);
    }
    this.#pass(bytes);
  }

  /** Sends bytes as the credit allows; resolves when all are sent. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#closing) this.#violate("a write after the end");
    if (this.#rest) this.#violate("a write during another one");
    this.#rest = bytes;
    this.#advance();
    if (!this.#rest) return Promise.resolve();
    this.#writer = Promise.withResolvers();
    return this.#writer.promise;
  }

  /** Nothing will follow what was written. */
  end(): void {
    if (this.#error || this.#closing) return;
    this.#closing = true;
    this.#advance();
  }

  #advance(): void {
    if (this.#rest) {
      const part = this.#rest.subarray(0, this.credit);
      this.#rest = part.length === this.#rest.length ? undefined : this.#rest.subarray(part.length);
      this.#pass(part);
      if (this.#rest) return;
      this.#writer?.resolve();
      this.#writer = undefined;
    }
    if (!this.#closing || this.#ended) return;
    this.#ended = true;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
    this.#onEnd();
  }

  #pass(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#sent += bytes.length;
    const copy = bytes.slice();
    if (this.#reader) this.#reader.resolve(copy);
    else this.#arrived.push(copy);
    this.#reader = undefined;
  }

  // --- the receiving side -----------------------------------------------------------------------

  /** True once the end has come and everything before it was read. */
  get drained(): boolean {
    return this.#ended && this.#arrived.length === 0 && !this.#error;
  }

  /** Bytes that have arrived; undefined for none. */
  poll(): Uint8Array | undefined {
    if (this.#reader) this.#violate("a poll during a read");
    return this.#arrived.shift();
  }

  /** The next bytes; undefined for the end. */
  read(): Promise<Uint8Array | undefined> {
    if (this.#reader) this.#violate("a read during another one");
    if (this.#error) return Promise.reject(this.#error);
    const bytes = this.#arrived.shift();
    if (bytes || this.#ended) return Promise.resolve(bytes);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Lets the sender send so many bytes more. */
  grant(bytes: number): void {
    if (this.#error || this.#ended) return;
    if (!Number.isSafeInteger(bytes) || bytes < 0) this.#violate(`a grant of ${bytes} bytes`);
    this.#allowed += bytes;
    this.#regranted += bytes;
    this.#advance();
  }

  // --- both -------------------------------------------------------------------------------------

  /** Breaks the stream: what arrived and was not read is gone, and every wait ends with the error. */
  fail(error: CircuitError): void {
    if (this.#error) return;
    this.#error = error;
    this.#arrived = [];
    this.#rest = undefined;
    for (const waiting of [this.#reader, this.#writer]) {
      waiting?.promise.catch(() => {});
      waiting?.reject(error);
    }
    this.#reader = this.#writer = undefined;
  }
}
