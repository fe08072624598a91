/**
 * The reading end of a process's output pipe: nothing is read before somebody asks.
 *
 * @module
 */

/** Bytes asked for at first, so that a process that says little costs little: 4 KiB. */
const FIRST_READ_BYTES = 4 * 1024;

/** Bytes asked for once a read was filled: 64 KiB, as much as a pipe holds. */
export const READ_BYTES = 64 * 1024;

/**
 * Reads a pipe, one read at a time and only on demand, so that a process nobody reads from is held
 * back by its own pipe. At the end of the pipe its file descriptor is closed.
 */
export class Pipe {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #arrived: (bytes: Uint8Array) => void;
  readonly #ending = Promise.withResolvers<void>();
  #size = FIRST_READ_BYTES;
  #buffer: ArrayBuffer | undefined;
  #reading = false;
  #ended = false;

  /**
   * @param stream The pipe.
   * @param on `bytes` gets what was read and must copy what it keeps, before it asks again;
   * `end` is called once, when the last holder of the writing end has closed it.
   */
  constructor(
    stream: ReadableStream<Uint8Array>,
    on: { bytes: (bytes: Uint8Array) => void; end: () => void },
  ) {
    this.#reader = stream.getReader({ mode: "byob" });
    this.#arrived = on.bytes;
    this.closed.then(on.end);
  }

  /** True once the pipe was read to its end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the pipe was read to its end and its file descriptor is closed. */
  get closed(): Promise<void> {
    return this.#ending.promise;
  }

  /** Begins a read, unless one is under way or the pipe is at its end. */
  ask(): void {
    if (this.#reading || this.#ended) return;
    this.#reading = true;
    const buffer = this.#buffer ?? new ArrayBuffer(this.#size);
    this.#buffer = undefined;
    this.#reader.read(new Uint8Array(buffer, 0, this.#size)).then(
      (read) => read.done ? this.#finish() : this.#take(read.value),
      // A pipe that cannot be read has nothing more to give, which is all that a reader can use.
      () => this.#finish(),
    );
  }

  #take(bytes: Uint8Array<ArrayBuffer>): void {
    this.#reading = false;
    if (bytes.length === this.#size && this.#size < READ_BYTES) this.#size = READ_BYTES;
    else this.#buffer = bytes.buffer;
    this.#arrived(bytes);
    // Without another read under way nobody needs the buffer for now, unless there is much to read.
    if (!this.#reading && bytes.length < this.#size) this.#buffer = undefined;
  }

  #finish(): void {
    this.#reading = false;
    this.#ended = true;
    this.#ending.resolve();
  }
}
