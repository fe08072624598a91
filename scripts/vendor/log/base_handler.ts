// What all handlers have in common: a level and a formatter.

import { getLevelByName, getLevelName, type LevelName, type LogLevel } from "./levels.ts";
import type { LogRecord } from "./logger.ts";

// In the real package this makes `LogRecord` a mere type in mod.ts.
export type { LevelName, LogLevel, LogRecord };

/** Makes a line of a record. */
export type FormatterFunction = (logRecord: LogRecord) => string;

/** Settings of a handler. */
export interface BaseHandlerOptions {
  /** By default the level's name, a space and the message. */
  formatter?: FormatterFunction;
}

/** Takes records of its level and above, makes lines of them, logs those. */
export abstract class BaseHandler {
  /** Makes a line of a record. */
  formatter: FormatterFunction;
  #level: LogLevel;

  /** Makes a handler that drops what is below the level. */
  constructor(levelName: LevelName, options?: BaseHandlerOptions) {
    this.#level = getLevelByName(levelName);
    this.formatter = options?.formatter ??
      ((record) => `${record.levelName} ${record.msg}`);
  }

  /** The lowest level that is logged. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    getLevelName(level);
    this.#level = level;
  }

  /** The name of the lowest level that is logged. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Logs the record if its level is high enough. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.#level) this.log(this.format(logRecord));
  }

  /** Makes a line of the record. */
  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  /** Logs the line. */
  abstract log(msg: string): void;

  /** Called by the package's `setup` before the first record. */
  setup(): void {}

  /** Called when the handler is no longer used. */
  destroy(): void {}

  /** The same as `destroy`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}
