/**
 * The standard input of a process, for one writer at a time.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../../overlay/errors.ts";
import { type Call, INITIAL_WINDOW } from "../call.ts";

/** Bytes that a writer may have on their way to the process: 256 KiB. */
export const STDIN_WINDOW_BYTES = 256 * 1024;

/** Bytes up to which small pieces are joined for one write to the pipe: 64 KiB, what it holds. */
const JOIN_BYTES = 64 * 1024;

/**
 * The writing end of a process's standard input.
 *
 * - One writer at a time; a second one gets BUSY.
 * - The writer's end closes it, and is answered by an end once it has been closed. Who comes later
 *   gets CLOSED.
 * - A writer that goes away without ending leaves it open for the next. What it had sent is written
 *   up to the piece that was being written; a rest that had only arrived is dropped.
 * - Only what the pipe took is granted again, so a process that does not read holds its writer back.
 * - When the process exits, or a write finds that it has closed its standard input, the writer
 *   gets CLOSED with the reason. A process that closes it is noticed by the next write, not before.
 */
export class Stdin {
  /** Resolves when the pipe's file descriptor is closed, whoever closed it. */
  readonly closed: Promise<void>;
  readonly #name: string;
  readonly #pipe: WritableStreamDefaultWriter<Uint8Array>;
  #writer: Call | undefined;
  /** Settles when the write under way is done, whoever began it; never fails. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  #writing = false;
  #closed: CircuitError | undefined;

  /**
   * @param name What it is, for messages: as `stdin of /X…/a`.
   * @param stream The pipe's writing end.
   */
  constructor(name: string, stream: WritableStream<Uint8Array>) {
    this.#name = name;
    this.#pipe = stream.getWriter();
    // Its failures are those of its writes, which are looked at.
    this.closed = this.#pipe.closed.catch(() => {});
  }

  /**
   * Lets the caller write, until its end or until it goes away.
   *
   * @throws {CircuitError} `BUSY`, `CLOSED` or `ABORTED`.
   */
  async serve(call: Call): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#writer !== undefined) {
      throw new CircuitError("BUSY", `cannot write to ${this.#name}: somebody else is writing`);
    }
    this.#writer = call;
    const leave = () => {
      if (this.#writer === call) this.#writer = undefined;
    };
    call.onOver(leave);
    call.accept();
    call.grant(STDIN_WINDOW_BYTES - INITIAL_WINDOW);
    try {
      // A writer before this one may have left in the middle of a write.
      await this.#lastWrite;
      for (let bytes = await call.read(); bytes !== undefined; bytes = await call.read()) {
        const joined = join(call, bytes);
        await this.#write(joined);
        if (joined === bytes) call.recycle(bytes);
        // Meanwhile it may have gone, and another writer come.
        if (this.#writer !== call) return;
        call.grant(joined.length);
        if (this.#closed !== undefined && !call.ended) throw this.#closed;
      }
      this.#close(new CircuitError("CLOSED", `cannot write to ${this.#name}: it has been closed`));
      await this.closed;
      leave();
      call.end();
    } catch (error) {
      call.fail(toCircuitError(error));
    }
  }

  /** The process has exited: closes it. `how` is for the message, as `exit status 1`. */
  exited(how: string): void {
    this.#close(
      new CircuitError("CLOSED", `cannot write to ${this.#name}: the process has exited: ${how}`),
    );
    // A write under way fails by itself, or reaches a heir of the process; both are the truth.
    if (!this.#writing && this.#closed !== undefined) this.#writer?.fail(this.#closed);
  }

  /** The element is going: closes it, and fails the writer with `error`. */
  abort(error: CircuitError): void {
    this.#close(error);
    this.#writer?.fail(error);
  }

  #close(why: CircuitError): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    // Waits for a write under way; fails only if that write does.
    this.#pipe.close().catch(() => {});
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    const write = this.#pipe.write(bytes);
    this.#writing = true;
    this.#lastWrite = write.catch(() => {}).finally(() => this.#writing = false);
    try {
      await write;
    } catch (error) {
      this.#closed ??= new CircuitError(
        "CLOSED",
        `cannot write to ${this.#name}: the process has exited or closed its standard input`,
        { cause: error },
      );
      throw this.#closed;
    }
  }
}

/** `bytes` and what else has arrived, as one piece where that saves writes. */
function join(call: Call, bytes: Uint8Array): Uint8Array {
  if (bytes.length >= JOIN_BYTES / 2) return bytes;
  const pieces = [bytes];
  let size = bytes.length;
  while (size < JOIN_BYTES) {
    const more = call.poll();
    if (more === undefined) break;
    pieces.push(more);
    size += more.length;
  }
  if (pieces.length === 1) return bytes;
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}
