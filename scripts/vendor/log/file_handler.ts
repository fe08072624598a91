// Lines in a file, through a buffer.

import { BaseHandler, type BaseHandlerOptions } from "./base_handler.ts";
import { type LevelName, LogLevels } from "./levels.ts";
import type { LogRecord } from "./logger.ts";

/** `a` appends, `w` empties the file first, `x` needs that there is none. */
export type LogMode = "a" | "w" | "x";

/** Settings of a {@linkcode FileHandler}. */
export interface FileHandlerOptions extends BaseHandlerOptions {
  /** The file's path. */
  filename: string;
  /** How it is opened, `a` by default. */
  mode?: LogMode;
  /** Bytes that are kept back until they are written, 4096 by default. */
  bufferSize?: number;
}

/**
 * Writes lines to a file when the buffer is full, at a CRITICAL record, on
 * `flush` and `destroy`, and when the program ends.
 */
export class FileHandler extends BaseHandler {
  readonly #filename: string;
  readonly #mode: LogMode;
  readonly #buffer: Uint8Array;
  readonly #encoder = new TextEncoder();
  readonly #atEnd = (): void => this.destroy();
  #used = 0;
  #file: Deno.FsFile | undefined;

  /** Makes a handler; `setup` opens the file. */
  constructor(levelName: LevelName, options: FileHandlerOptions) {
    super(levelName, options);
    this.#filename = options.filename;
    this.#mode = options.mode ?? "a";
    this.#buffer = new Uint8Array(options.bufferSize ?? 4096);
  }

  /** Opens the file. */
  override setup(): void {
    this.#file = Deno.openSync(this.#filename, {
      write: true,
      create: this.#mode !== "x",
      createNew: this.#mode === "x",
      append: this.#mode === "a",
      truncate: this.#mode !== "a",
    });
    this.#used = 0;
    addEventListener("unload", this.#atEnd);
  }

  /** Logs the record if its level is high enough. */
  override handle(logRecord: LogRecord): void {
    super.handle(logRecord);
    if (logRecord.level > LogLevels.ERROR) this.flush();
  }

  /** Puts the line into the buffer, or into the file if it is too long. */
  log(msg: string): void {
    const bytes = this.#encoder.encode(`${msg}\n`);
    if (bytes.length > this.#buffer.length - this.#used) this.flush();
    if (bytes.length > this.#buffer.length) {
      this.#write(bytes);
    } else {
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
  }

  /** Writes what is in the buffer. */
  flush(): void {
    if (this.#used === 0 || this.#file === undefined) return;
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  /** Writes what is in the buffer and closes the file. */
  override destroy(): void {
    this.flush();
    this.#file?.close();
    this.#file = undefined;
    removeEventListener("unload", this.#atEnd);
  }

  #write(bytes: Uint8Array): void {
    if (this.#file === undefined) {
      throw new TypeError(
        `Cannot log to ${this.#filename}: the handler is not set up`,
      );
    }
    for (let at = 0; at < bytes.length;) {
      at += this.#file.writeSync(bytes.subarray(at));
    }
  }
}
