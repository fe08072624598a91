/**
 * Writing to standard output: in large pieces, without holding up who produces them, and without
 * noise when the reader has gone.
 *
 * @module
 */

import { concat } from "./concat.ts";

/** Where output goes; `Deno.stdout` is one. */
export interface Sink {
  /** Writes some of the bytes, one at least, and resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Bytes that may wait for the sink before {@linkcode Output.write} holds its caller: 256 KiB. */
export const HIGH_WATER_BYTES = 256 * 1024;

/**
 * Pieces below this size, 128 KiB, are gathered: copying them costs less than writing each. Larger
 * ones are written as they are.
 */
const GATHER_BYTES = 128 * 1024;

/** Nobody reads the output any more, as when it goes to `head`. Ends the tool quietly. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/**
 * A queue before a sink. While one write is under way, what comes is gathered for the next: nothing
 * waits longer than it must, and many small pieces become few writes.
 */
export class Output {
  readonly #sink: Sink;
  readonly #name: string;
  readonly #encoder = new TextEncoder();
  #queue: Uint8Array[] = [];
  #text = "";
  #waiting = 0;
  #pump: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;
  /** Who waits for any of this to change. */
  #held: (() => void)[] = [];

  /**
   * @param sink Where it all goes.
   * @param name What it is, for messages.
   */
  constructor(sink: Sink, name = "standard output") {
    this.#sink = sink;
    this.#name = name;
  }

  /**
   * Takes bytes, which must not be changed afterwards. Resolves at once while there is room.
   *
   * @throws {OutputClosed} if the reader has gone; else what the sink threw. Not necessarily at the
   * write that failed, but at a later one or at {@linkcode flush}.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    this.#endText();
    this.#queue.push(bytes);
    this.#waiting += bytes.length;
    await this.#written();
  }

  /** Takes a line and ends it. Undefined while there is room, else to be awaited, as `write`. */
  line(text: string): Promise<void> | undefined {
    this.#check();
    this.#text += text + "\n";
    // Three bytes a UTF-16 unit at most; the estimate need not be exact.
    this.#waiting += text.length + 1;
    this.#pump ??= this.#drain();
    return this.#waiting >= HIGH_WATER_BYTES ? this.#written() : undefined;
  }

  /** Resolves when all that was written has reached the sink; throws as `write` does. */
  async flush(): Promise<void> {
    while (this.#pump && !this.#failure) await this.#change();
    this.#check();
  }

  /** Gives up the output: who writes or waits gets {@linkcode OutputClosed}. */
  abandon(): void {
    this.#fail(new OutputClosed("the output was given up"));
  }

  async #written(): Promise<void> {
    this.#pump ??= this.#drain();
    while (this.#waiting >= HIGH_WATER_BYTES && !this.#failure) {
      await this.#change();
    }
    this.#check();
  }

  async #drain(): Promise<void> {
    try {
      // What the caller writes in the same turn goes along.
      await Promise.resolve();
      for (let batch = this.#take(); batch; batch = this.#take()) {
        for (let done = 0; done < batch.length;) {
          done += await this.#sink.write(done === 0 ? batch : batch.subarray(done));
        }
        this.#changed();
      }
    } catch (error) {
      this.#fail(
        isBrokenPipe(error)
          ? new OutputClosed("nobody reads the output", { cause: error })
          : new Error(`cannot write to ${this.#name}: ${reason(error)}`, { cause: error }),
      );
    } finally {
      this.#pump = undefined;
      this.#changed();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#queue = [];
    this.#text = "";
    this.#changed();
  }

  /** What to write next; undefined if nothing waits. */
  #take(): Uint8Array | undefined {
    this.#endText();
    const first = this.#queue.shift();
    if (!first || first.length >= GATHER_BYTES || this.#queue.length === 0) {
      this.#waiting -= first?.length ?? 0;
      return first;
    }
    const small = [first];
    for (let next = this.#queue[0]; next && next.length < GATHER_BYTES; next = this.#queue[0]) {
      small.push(next);
      this.#queue.shift();
    }
    const batch = concat(small);
    this.#waiting -= batch.length;
    return batch;
  }

  #endText(): void {
    if (this.#text === "") return;
    const bytes = this.#encoder.encode(this.#text);
    this.#queue.push(bytes);
    this.#waiting += bytes.length - this.#text.length;
    this.#text = "";
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#held.push(resolve));
  }

  #changed(): void {
    const held = this.#held;
    this.#held = [];
    for (const resolve of held) resolve();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    (error instanceof Error && "code" in error && error.code === "EPIPE");
}
