/**
 * An output stream of a process, for one reader at a time.
 *
 * @module
 */

import type { Share } from "../../overlay/budget.ts";
import { CircuitError, toCircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";
import { ByteLog } from "./byte_log.ts";
import { Pipe, READ_BYTES } from "./pipe.ts";

/**
 * Bytes that are read from the pipe ahead of what the reader can take, and at most what is held of
 * an exited process's output that nobody reads: 64 KiB, what a pipe holds.
 */
export const READ_AHEAD_BYTES = 64 * 1024;

/**
 * Bytes that were sent to a reader, and that it has not acknowledged, which are held whatever the
 * server's budget says: 512 KiB, the windows of two usual readers.
 */
const UNCOUNTED_BYTES = 512 * 1024;

/** What the process element needs of an output stream, whoever may read it. */
export interface Output {
  /** Bytes from its beginning that nobody can read any more because they were not kept. */
  readonly dropped: number;
  /** Resolves when the pipe was read to its end and its file descriptor is closed. */
  readonly closed: Promise<void>;
  /**
   * Lets the caller read: answers, sends bytes as they come, and ends at the output's end.
   *
   * @throws {CircuitError} `BUSY` or `ABORTED`, before the call was answered.
   */
  serve(call: Call): Promise<void>;
  /** The process has exited; what it printed can still be read. */
  exited(): void;
  /** The element is going: who reads may read to the end, then everything is let go. */
  release(): void;
  /** The element is going: who reads gets `error`, and what comes from now on is discarded. */
  abort(error: CircuitError): void;
}

/**
 * An output stream that holds its process back when nobody reads.
 *
 * - One reader at a time; a second one gets BUSY.
 * - Nothing is lost: what a reader had not acknowledged when it went away is sent to the next one
 *   first. So bytes can be seen twice only if a reader went away without saying how far it got.
 * - Without a reader at most one pipe-full (64 KiB) is read, plus what the last reader left
 *   unacknowledged, whatever the process prints.
 * - Once the process has exited, up to 64 KiB are read without a reader, so that an exited process
 *   holds no file descriptor unless it left more behind than that or passed its output on.
 * - Where the server's budget has no room, an exited process's output stays in the pipe until
 *   somebody reads it, and a reader that acknowledges nothing of 512 KiB gets BUSY.
 * - A reader that comes after the end gets an empty stream.
 */
export class SingleReaderOutput implements Output {
  readonly dropped = 0;
  readonly #name: string;
  readonly #share: Share;
  readonly #log: ByteLog;
  readonly #pipe: Pipe;
  #reader: Call | undefined;
  /** Position in the stream up to which bytes were handed to the reader. */
  #sent = 0;
  #wake: (() => void) | undefined;
  #exited = false;
  #releasing = false;
  #aborted: CircuitError | undefined;

  /**
   * @param name What it is, for messages: as `stdout of /X…/a`.
   * @param stream The pipe's reading end.
   * @param share Its part of the server's budget.
   */
  constructor(name: string, stream: ReadableStream<Uint8Array>, share: Share) {
    this.#name = name;
    this.#share = share;
    this.#log = new ByteLog({ recycle: true, account: share });
    this.#pipe = new Pipe(stream, {
      bytes: (bytes) => this.#arrived(bytes),
      end: () => this.#changed(),
    });
  }

  get closed(): Promise<void> {
    return this.#pipe.closed;
  }

  async serve(call: Call): Promise<void> {
    if (this.#aborted !== undefined) throw this.#aborted;
    if (this.#reader !== undefined) {
      throw new CircuitError("BUSY", `cannot read ${this.#name}: somebody else is reading it`);
    }
    const base = this.#sent = this.#log.start;
    let over = false;
    this.#reader = call;
    call.onOver((error) => {
      over = true;
      this.#leave(error === undefined ? this.#sent : base + call.acknowledged);
    });
    call.accept();
    try {
      while (!over) {
        const piece = this.#log.at(this.#sent);
        if (piece.length > 0) {
          this.#sent += piece.length;
          this.#readOn();
          await call.write(piece);
          if (!over) this.#log.forget(base + call.acknowledged);
        } else if (this.#pipe.ended) {
          call.end();
          // The reader's own end says that it has read everything; onOver hears if it does not.
          while (await call.read() !== undefined);
          return;
        } else {
          this.#log.forget(base + call.acknowledged);
          if (!this.#hasRoom()) throw this.#share.full(READ_BYTES);
          this.#readOn();
          await new Promise<void>((wake) => this.#wake = wake);
        }
      }
    } catch (error) {
      call.fail(toCircuitError(error));
    }
  }

  exited(): void {
    this.#exited = true;
    this.#readOn();
  }

  release(): void {
    this.#releasing = true;
    if (this.#reader === undefined) {
      this.abort(new CircuitError("ABORTED", `cannot read ${this.#name}: it has been removed`));
    }
  }

  abort(error: CircuitError): void {
    this.#aborted ??= error;
    this.#reader?.fail(error);
    this.#log.clear();
    this.#readOn();
  }

  #leave(consumed: number): void {
    this.#reader = undefined;
    this.#log.forget(consumed);
    this.#changed();
    if (this.#releasing) this.release();
    else this.#readOn();
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#aborted === undefined) this.#log.append(bytes);
    this.#changed();
    this.#readOn();
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Begins a read if there is a use for more bytes. */
  #readOn(): void {
    if (this.#wanted()) this.#pipe.ask();
  }

  #wanted(): boolean {
    if (this.#aborted !== undefined) return true;
    if (this.#reader !== undefined) {
      return this.#log.end - this.#sent < READ_AHEAD_BYTES && this.#hasRoom();
    }
    // At exactly the limit one more read tells whether that was all.
    return this.#exited && this.#log.end - this.#log.start <= READ_AHEAD_BYTES &&
      this.#share.fits(READ_BYTES);
  }

  /** Whether one read more may be held for a reader. */
  #hasRoom(): boolean {
    return this.#log.end - this.#log.start < UNCOUNTED_BYTES || this.#share.fits(READ_BYTES, true);
  }
}
