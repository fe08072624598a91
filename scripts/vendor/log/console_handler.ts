// Lines on standard output, in colours.

import { BaseHandler, type BaseHandlerOptions } from "./base_handler.ts";
import type { LevelName } from "./levels.ts";
import type { LogRecord } from "./logger.ts";

/** Settings of a {@linkcode ConsoleHandler}. */
export interface ConsoleHandlerOptions extends BaseHandlerOptions {
  /** Whether lines are coloured by level, true by default. */
  useColors?: boolean;
}

/** Terminal codes that begin and end a line of the level. */
const COLORS: Readonly<Record<string, readonly [string, string]>> = {
  INFO: ["\x1b[34m", "\x1b[39m"],
  WARN: ["\x1b[33m", "\x1b[39m"],
  ERROR: ["\x1b[31m", "\x1b[39m"],
  CRITICAL: ["\x1b[1m\x1b[31m", "\x1b[39m\x1b[22m"],
};

/** Logs with `console.log`. */
export class ConsoleHandler extends BaseHandler {
  readonly #useColors: boolean;

  /** Makes a handler that drops what is below the level. */
  constructor(levelName: LevelName, options: ConsoleHandlerOptions = {}) {
    super(levelName, options);
    this.#useColors = (options.useColors ?? true) && !Deno.noColor;
  }

  /** Makes a line of the record, in its level's colour. */
  override format(logRecord: LogRecord): string {
    const line = super.format(logRecord);
    const color = this.#useColors ? COLORS[logRecord.levelName] : undefined;
    return color === undefined ? line : `${color[0]}${line}${color[1]}`;
  }

  /** Prints the line. */
  log(msg: string): void {
    console.log(msg);
  }
}
