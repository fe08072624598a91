/**
 * Standard output and standard error of a command that writes whole lines to both, with a line on
 * the terminal that tells how far it is.
 *
 * @module
 */

import type { Context } from "./command.ts";
import type { Output } from "./output.ts";

/** Milliseconds between two looks at whether the line has to change. */
const REDRAW_MS = 100;

const encoder = new TextEncoder();

/** To the beginning of the line, and the line away. */
const ERASE = encoder.encode("\r\x1b[K");

/** Both streams. What is written to one is not cut by what is written to the other. */
export class Screen implements Disposable {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #progress: (() => string) | undefined;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #shown = "";
  #drawing = false;

  /**
   * @param context Has the streams.
   * @param progress What the line says now; none: there is no such line.
   */
  constructor({ stdout, stderr }: Pick<Context, "stdout" | "stderr">, progress?: () => string) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#progress = progress;
    if (progress) this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /** Writes whole lines to standard output. */
  async out(lines: Uint8Array): Promise<void> {
    if (this.#shown !== "") await this.#hide();
    await this.#stdout.write(lines);
  }

  /** Writes whole lines to standard error. */
  async err(lines: Uint8Array): Promise<void> {
    if (this.#shown !== "") await this.#hide();
    await this.#stderr.write(lines);
  }

  /** Resolves when everything is written, and the line is gone. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#hide();
    await this.#settled();
  }

  /** Ends the line's changes. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #hide(): Promise<void> {
    if (this.#shown === "") return;
    this.#shown = "";
    await this.#stderr.write(ERASE);
    // Standard output may be the same terminal, and must not overtake that.
    await this.#stderr.flush();
  }

  async #settled(): Promise<void> {
    await Promise.all([this.#stdout.flush(), this.#stderr.flush()]);
  }

  async #draw(): Promise<void> {
    if (this.#drawing) return;
    this.#drawing = true;
    try {
      await this.#settled();
      const text = this.#progress?.() ?? "";
      if (text === this.#shown) return;
      this.#shown = text;
      await this.#stderr.write(encoder.encode(`\r${text}\x1b[K`));
    } catch {
      // Who writes the output finds out too, and ends the command.
    } finally {
      this.#drawing = false;
    }
  }
}
