/**
 * The receiving half of a stream: what has arrived, and how much more may come.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { ByteQueue } from "./byte_queue.ts";
import { MAX_WINDOW } from "./limits.ts";
import type { SpareMemory } from "./spare_memory.ts";

/** Tells the other side of a stream that it may send so many bytes more, and has memory for them. */
interface CreditSender {
  readonly memory: SpareMemory;
  sendCredit(stream: number, bytes: number): void;
}

/** Counts bytes that wait; throws where they are too many. */
interface Holder {
  hold(bytes: number): void;
}

/** Bytes from the other side, bounded by the credit that it was given. */
export class Inflow {
  readonly #host: CreditSender;
  readonly #id: number;
  #holder: Holder | undefined;
  /** The first bytes that wait. Most of the time there are none, or no others. */
  #first: Uint8Array | undefined;
  /** Those behind them. */
  #queue: ByteQueue | undefined;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  /** The reader's own memory, if it has any. */
  #into: Uint8Array | undefined;
  #ended = false;
  #receivable: number;
  #window: number;
  #ungranted = 0;

  /**
   * @param host Tells the other side what it is granted.
   * @param id The stream's number.
   * @param window Bytes that the other side may send before it is granted more.
   * @param holder Is told how many bytes wait here, where anybody has to know.
   */
  constructor(host: CreditSender, id: number, window: number, holder?: Holder) {
    this.#holder = holder;
    this.#host = host;
    this.#id = id;
    this.#receivable = this.#window = window;
  }

  /** True once the other side has ended its stream, whether or not all of it was read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True once the other side has ended its stream and all of it was read. */
  get drained(): boolean {
    return this.#ended && !this.#first && !this.#queue;
  }

  /** True once the other side has ended its stream and one {@linkcode poll} gives what is left. */
  get whole(): boolean {
    return this.#ended && !this.#queue;
  }

  /**
   * Bytes have come; they are copied, since their memory is the read buffer's.
   *
   * @throws {CircuitError} `PROTOCOL` if they should not have.
   */
  take(bytes: Uint8Array, end: boolean): void {
    if (this.#ended && (bytes.length > 0 || end)) {
      throw new CircuitError("PROTOCOL", "the peer sent more on a stream after its end");
    }
    if (bytes.length > this.#receivable) {
      throw new CircuitError(
        "PROTOCOL",
        `the peer sent ${bytes.length} bytes on a stream where it had credit for ` +
          `${this.#receivable}`,
      );
    }
    this.#receivable -= bytes.length;
    this.#ended = end;
    const reader = this.#reader;
    if (reader && (bytes.length > 0 || end)) {
      this.#reader = undefined;
      reader.resolve(bytes.length > 0 ? this.#hand(bytes) : undefined);
    } else if (bytes.length > 0) {
      this.#holder?.hold(bytes.length);
      const { memory } = this.#host;
      if (this.#first || this.#queue) (this.#queue ??= new ByteQueue(memory)).push(bytes);
      else this.#first = memory.copy(bytes);
    }
    // What was granted already must not wait for the next grant when nothing can come before it.
    if (this.#receivable === 0 && !end) this.flush();
  }

  /**
   * Bytes that are there, without waiting; undefined for none.
   *
   * @param into See {@linkcode Inflow.read}.
   */
  poll(into?: Uint8Array): Uint8Array | undefined {
    const chunk = this.#first ?? this.#queue?.shift();
    if (!chunk) return undefined;
    this.#first = undefined;
    if (this.#queue?.length === 0) this.#queue = undefined;
    if (!into) {
      this.#holder?.hold(-chunk.length);
      return chunk;
    }
    const part = fill(into, chunk);
    if (part.length < chunk.length) this.#first = chunk.subarray(part.length);
    else this.#host.memory.recycle(chunk);
    this.#holder?.hold(-part.length);
    return part;
  }

  /**
   * The next bytes; undefined after the end.
   *
   * @param into Memory of the reader's for them, not empty; they are the first bytes of it then.
   * Default: memory of their own.
   */
  read(into?: Uint8Array): Promise<Uint8Array | undefined> {
    const chunk = this.poll(into);
    if (chunk || this.#ended) return Promise.resolve(chunk);
    if (this.#reader) {
      return Promise.reject(new CircuitError("INTERNAL", "read of a stream during another read"));
    }
    this.#into = into;
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Bytes for the reader that waits; what does not fit into its memory waits for the next. */
  #hand(bytes: Uint8Array): Uint8Array {
    const { memory } = this.#host;
    const into = this.#into;
    this.#into = undefined;
    if (!into) return memory.copy(bytes);
    const part = fill(into, bytes);
    if (part.length < bytes.length) {
      this.#holder?.hold(bytes.length - part.length);
      this.#first = memory.copy(bytes.subarray(part.length));
    }
    return part;
  }

  /**
   * Lets the other side send this many bytes more. Small grants are gathered into one frame of half
   * a window, unless the other side has run out.
   */
  grant(bytes: number): void {
    this.#ungranted += bytes;
    if (this.#ended) return;
    if (this.#ungranted * 2 >= this.#window || this.#receivable === 0) this.flush();
  }

  /** Tells the other side of all grants now. */
  flush(): void {
    const bytes = Math.min(this.#ungranted, MAX_WINDOW - this.#receivable);
    if (bytes <= 0) return;
    this.#receivable += bytes;
    this.#window = Math.max(this.#window, this.#receivable);
    this.#ungranted = 0;
    this.#host.sendCredit(this.#id, bytes);
  }

  /** The stream is over: what was not read yet counts no more, whoever still has the stream. */
  release(): void {
    const waiting = (this.#first?.length ?? 0) + (this.#queue?.length ?? 0);
    if (waiting > 0) this.#holder?.hold(-waiting);
    this.#holder = undefined;
  }

  /** Whoever waits gets `error`; what has arrived is dropped. */
  fail(error: CircuitError): void {
    this.release();
    this.#first = this.#queue = undefined;
    this.#reader?.promise.catch(ignore);
    this.#reader?.reject(error);
    this.#reader = this.#into = undefined;
  }
}

/** Copies the first bytes, as many as there is room for, into a reader's memory: that part of it. */
function fill(into: Uint8Array, bytes: Uint8Array): Uint8Array {
  const part = bytes.subarray(0, into.length);
  into.set(part);
  return into.subarray(0, part.length);
}

/** Whoever holds the promise sees the rejection; where nobody does, there is nobody to tell. */
function ignore(): void {}
