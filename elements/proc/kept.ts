/**
 * An output stream of a process whose last bytes the server keeps, for any number of readers.
 *
 * @module
 */

import type { Share } from "../../overlay/budget.ts";
import { CircuitError, toCircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";
import { ByteLog } from "./byte_log.ts";
import type { Output } from "./output.ts";
import { Pipe, READ_BYTES } from "./pipe.ts";

/**
 * An output stream that never holds its process back.
 *
 * - It is read all the time. The last `keep` bytes are kept until the element goes, also after the
 *   process's exit; with the packing and one read they take at most 256 KiB more than that.
 * - Where the server's budget has no room for more, fewer are kept: what was kept longest goes first,
 *   but for the last read. The process never waits and never fails for that.
 * - Any number of readers: each gets what is kept, then what comes, until the output's end.
 *   {@linkcode KeptOutput.dropped} tells how much came before what a new one gets.
 * - Nothing is missed in silence: a reader that falls behind by more than is kept (and one read of
 *   64 KiB) fails with ABORTED, and the message says how many bytes it missed. A reader that waits
 *   for more never falls behind by what comes next.
 */
export class KeptOutput implements Output {
  readonly #name: string;
  readonly #keep: number;
  readonly #share: Share;
  readonly #log: ByteLog;
  readonly #pipe: Pipe;
  readonly #readers = new Set<Call>();
  readonly #waiting = new Set<() => void>();
  #aborted: CircuitError | undefined;
  #released = false;

  /**
   * @param name What it is, for messages: as `stdout of /X…/a`.
   * @param stream The pipe's reading end.
   * @param keep How many bytes to keep.
   * @param share Its part of the server's budget.
   */
  constructor(name: string, stream: ReadableStream<Uint8Array>, keep: number, share: Share) {
    this.#name = name;
    this.#keep = keep;
    this.#share = share;
    this.#log = new ByteLog({ recycle: true, account: share });
    this.#pipe = new Pipe(stream, {
      bytes: (bytes) => this.#arrived(bytes),
      end: () => this.#changed(),
    });
    this.#pipe.ask();
  }

  get closed(): Promise<void> {
    return this.#pipe.closed;
  }

  get dropped(): number {
    return Math.max(this.#log.start, this.#log.end - this.#keep);
  }

  async serve(call: Call): Promise<void> {
    if (this.#aborted !== undefined) throw this.#aborted;
    let over = false;
    this.#readers.add(call);
    call.onOver(() => {
      over = true;
      this.#readers.delete(call);
      this.#changed();
      if (this.#released) this.release();
    });
    call.accept();
    let next = this.dropped;
    try {
      while (!over) {
        if (next < this.#log.start) throw this.#missed(this.#log.start - next);
        const piece = this.#log.at(next);
        if (piece.length > 0) {
          next += piece.length;
          // What is kept moves on while this is being written, and its memory is used again.
          await call.write(piece.slice());
        } else if (this.#pipe.ended) {
          call.end();
          while (await call.read() !== undefined);
          return;
        } else {
          await new Promise<void>((wake) => this.#waiting.add(wake));
        }
      }
    } catch (error) {
      call.fail(toCircuitError(error));
    }
  }

  exited(): void {}

  release(): void {
    this.#released = true;
    if (this.#readers.size > 0) return;
    this.abort(new CircuitError("ABORTED", `cannot read ${this.#name}: it has been removed`));
  }

  abort(error: CircuitError): void {
    this.#aborted ??= error;
    for (const call of [...this.#readers]) call.fail(error);
    this.#log.clear();
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#aborted === undefined) {
      this.#append(bytes);
    }
    this.#changed();
    this.#pipe.ask();
  }

  #append(bytes: Uint8Array): void {
    const log = this.#log;
    log.append(bytes);
    log.forget(log.end - this.#keep - READ_BYTES);
    // Without room for it, as much goes as has come.
    if (this.#share.fits(0)) return;
    log.forget(Math.min(log.start + bytes.length, log.end - READ_BYTES));
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #missed(bytes: number): CircuitError {
    return new CircuitError(
      "ABORTED",
      `cannot go on reading ${this.#name}: its reader fell behind and missed ${bytes} bytes, for ` +
        `the last ${
          this.#log.end - this.dropped
        } are kept; read faster, or make it with a larger "Keep"`,
    );
  }
}
