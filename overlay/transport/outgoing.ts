/**
 * What goes out on a connection, and in which order: small frames first, then stream bytes in turns,
 * all that is queued in one turn of the event loop in one write.
 *
 * @module
 */

import { Budget, type Share } from "../budget.ts";
import { CircuitError } from "../errors.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import {
  BATCH_BYTES,
  FAIR_BYTES,
  KEPT_WRITE_BYTES,
  MAX_QUEUED_BYTES,
  MAX_UNSENT_BYTES,
  UNCOUNTED_UNSENT_BYTES,
} from "./limits.ts";
import type { Conn } from "./network.ts";

/** Has stream bytes to send, and is asked for them when the connection has room. */
export interface FrameSource {
  /** Puts at most one frame into the batch; true if it has another one ready. */
  produce(out: FrameBuffer): boolean;
}

/**
 * Microtasks between the first frame and the write that takes it along: 8. A program that gets an
 * answer makes its next call some awaits later, and what the answer's end has to say goes with that.
 */
const GATHER_TURNS = 8;

/** The writing end of a connection. */
export class Outgoing {
  readonly #conn: Conn;
  readonly #onError: (error: unknown) => void;
  readonly #ready = new Set<FrameSource>();
  #control = new FrameBuffer();
  #spare: FrameBuffer | undefined;
  #bodies = 0;
  #writing = 0;
  readonly #maxUnsent: number;
  readonly #share: Share;
  #counted = 0;
  #running = false;
  #stopped = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #bytes = 0;

  /**
   * The writing end of a connection on which nothing was written yet.
   *
   * @param onError Called when a write fails, or too much waits for a peer that does not read.
   * @param options `maxUnsent`: bytes that may wait to be written, default
   * {@linkcode MAX_UNSENT_BYTES}; `share`: counts those beyond {@linkcode UNCOUNTED_UNSENT_BYTES},
   * default: without a limit.
   */
  constructor(
    conn: Conn,
    onError: (error: unknown) => void,
    { maxUnsent = MAX_UNSENT_BYTES, share = new Budget().replies }: {
      maxUnsent?: number;
      share?: Share;
    } = {},
  ) {
    this.#conn = conn;
    this.#onError = onError;
    this.#maxUnsent = maxUnsent;
    this.#share = share;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that is held for writing, in bytes. */
  get capacity(): number {
    return this.#control.capacity + (this.#spare?.capacity ?? 0);
  }

  /** Where small frames are written; {@linkcode queued} says that there are some. */
  get control(): FrameBuffer {
    return this.#control;
  }

  /**
   * Frames were written into {@linkcode control}.
   *
   * @param bodyBytes Of them, stream bytes, which the limit of small frames does not count.
   */
  queued(bodyBytes = 0): void {
    this.#bodies += bodyBytes;
    const { length } = this.#control;
    const unsent = length + this.#writing;
    const tooMuch = length - this.#bodies > MAX_QUEUED_BYTES || unsent > this.#maxUnsent;
    if (tooMuch && !this.#stopped) {
      this.#onError(new CircuitError("BUSY", "it does not read what it is sent"));
    }
    if (unsent > UNCOUNTED_UNSENT_BYTES) this.#count(unsent);
    this.#run();
  }

  /** Asks `source` for frames when there is room. */
  ready(source: FrameSource): void {
    if (this.#stopped) return;
    this.#ready.add(source);
    this.#run();
  }

  /** Resolves when nothing is queued any more, or nothing can be written any more. */
  flushed(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** Forgets all that is queued, but for what is being written. No source is asked any more. */
  stop(): void {
    this.#stopped = true;
    this.#share.add(-this.#counted);
    this.#counted = 0;
    this.#ready.clear();
    this.#control = new FrameBuffer(0);
    this.#spare = undefined;
    this.#bodies = 0;
  }

  /** Gives back memory that a burst has needed, unless one is under way. */
  shrink(): void {
    if (this.#running || this.capacity <= KEPT_WRITE_BYTES) return;
    this.#control = new FrameBuffer();
    this.#spare = undefined;
  }

  /** What waits is the server's to hold until the peer reads it. */
  #count(unsent: number): void {
    if (this.#stopped) return;
    const more = Math.max(0, unsent - UNCOUNTED_UNSENT_BYTES) - this.#counted;
    if (more > 0 && !this.#share.fits(more)) {
      const { message } = this.#share.full(more);
      return this.#onError(
        new CircuitError("BUSY", `it does not read what it is sent; ${message}`),
      );
    }
    this.#share.add(more);
    this.#counted += more;
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    this.#soon(GATHER_TURNS);
  }

  /** Starts to write so many microtasks later. */
  #soon(turns: number): void {
    queueMicrotask(() => turns > 1 ? this.#soon(turns - 1) : this.#writeLoop());
  }

  async #writeLoop(): Promise<void> {
    try {
      while (this.#control.length > 0 || this.#ready.size > 0) {
        const batch = this.#control;
        this.#control = this.#spare ?? new FrameBuffer();
        this.#spare = undefined;
        this.#bodies = 0;
        this.#fill(batch);
        const bytes = batch.view();
        this.#writing = bytes.length;
        for (let at = 0; at < bytes.length;) {
          at += await this.#conn.write(at === 0 ? bytes : bytes.subarray(at));
        }
        this.#writing = 0;
        if (this.#counted > 0) this.#count(this.#control.length);
        this.#bytes += bytes.length;
        batch.clear();
        this.#spare = batch;
      }
      this.#running = false;
      this.#idle?.resolve();
      this.#idle = undefined;
    } catch (error) {
      // It stays "running": nothing can be written any more.
      this.#idle?.resolve();
      this.#onError(error);
    }
  }

  /** Streams take turns, a frame each, until the batch is full; a few get theirs in any case. */
  #fill(batch: FrameBuffer): void {
    const full = Math.max(BATCH_BYTES, batch.length + FAIR_BYTES);
    for (const source of this.#ready) {
      if (batch.length >= full) return;
      // Out and in again: behind all others.
      this.#ready.delete(source);
      if (source.produce(batch)) this.#ready.add(source);
    }
  }
}
