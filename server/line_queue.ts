/**
 * Lines on their way to a place that may be slow, full or gone.
 *
 * @module
 */

/** Most characters that wait for one place: 1 Mi. Lines that come on top are dropped and counted. */
export const MAX_WAITING_CHARS = 1024 * 1024;

/** Most bytes of one write: 64 KiB, what a pipe holds. */
const WRITE_BYTES = 64 * 1024;

/** Milliseconds before a write that failed is tried again: at first, and at most, doubling. */
const RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

/** Milliseconds between two reports of trouble: 1 min. */
const REPORT_MS = 60_000;

const END_OF_LINE = 0x0a;
const encoder = new TextEncoder();

/** Where lines go. */
export interface Outlet {
  /**
   * Writes bytes. Called again only when the promise has settled.
   *
   * @returns how many of them were written.
   */
  write(bytes: Uint8Array): Promise<number>;
}

/** How to write. */
export interface LineQueueOptions {
  /** Makes the line that tells how many were dropped. */
  readonly dropped: (count: number) => string;
  /** Called with why a write has failed, at most once a minute, and not where it only has to wait. */
  readonly failed: (error: unknown) => void;
  /** Default {@linkcode MAX_WAITING_CHARS}. */
  readonly maxWaiting?: number;
}

/**
 * Writes lines in their order, one write at a time. What cannot be written waits and is tried again
 * at least every second; beyond {@linkcode MAX_WAITING_CHARS} new lines are dropped until something
 * was written, and a line in their place tells how many. Nothing here blocks or throws.
 */
export class LineQueue {
  readonly #outlet: Outlet;
  readonly #options: LineQueueOptions;
  /** Bytes that are being written, or were tried in vain. */
  #bytes: Uint8Array = new Uint8Array();
  #text = "";
  #dropped = 0;
  #failures = 0;
  #reportedAt = -Infinity;
  #writing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(outlet: Outlet, options: LineQueueOptions) {
    this.#outlet = outlet;
    this.#options = options;
  }

  /** Takes a line, without its end. */
  add(line: string): void {
    if (this.#closed) return;
    const { maxWaiting = MAX_WAITING_CHARS } = this.#options;
    const waiting = this.#bytes.length + this.#text.length;
    // While lines are being dropped all are, so that the count stands where they are missing.
    if (this.#dropped > 0 || waiting + line.length >= maxWaiting) this.#dropped++;
    else this.#text += line + "\n";
    if (this.#timer === undefined) this.#run();
  }

  /** Writes what waits for at most so many milliseconds, then takes no more lines. */
  async close(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    const timer = setTimeout(resolve, ms);
    this.#retry();
    await promise;
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#closed = true;
  }

  get #empty(): boolean {
    return this.#bytes.length + this.#text.length === 0;
  }

  async #run(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    while (!this.#empty && !this.#closed) {
      if (!await this.#write()) break;
    }
    this.#writing = false;
    if (this.#empty) this.#idle?.();
  }

  /** Writes once; false if it has to be tried again later. */
  async #write(): Promise<boolean> {
    if (this.#bytes.length === 0) {
      this.#bytes = encoder.encode(this.#text);
      this.#text = "";
    }
    try {
      const written = await this.#outlet.write(wholeLines(this.#bytes));
      if (written === 0) throw new Error("nothing was written");
      this.#bytes = this.#bytes.subarray(written);
      this.#failures = 0;
      if (this.#dropped > 0) this.#text += this.#options.dropped(this.#dropped) + "\n";
      this.#dropped = 0;
      return true;
    } catch (error) {
      this.#retryLater(error);
      return false;
    }
  }

  #retryLater(error: unknown): void {
    if (this.#closed) return;
    const delay = Math.min(RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
    this.#timer = setTimeout(() => this.#retry(), delay);
    const now = performance.now();
    if (error instanceof Deno.errors.WouldBlock || now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    this.#options.failed(error);
  }

  #retry(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#run();
  }
}

/** As many of the first lines as fit into a write, or a part of the first. */
function wholeLines(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= WRITE_BYTES) return bytes;
  const end = bytes.lastIndexOf(END_OF_LINE, WRITE_BYTES - 1) + 1;
  return bytes.subarray(0, end || WRITE_BYTES);
}
