/**
 * Where the lines of a server's log go: standard error, and a file in the server's directory. Built
 * on `@std/log`, whose global setup happens here and is called once, by `circuit start`.
 *
 * @module
 */

import * as log from "@std/log";
import type { Log, LogLevel } from "./log.ts";

const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR" } as const;

/** A log, and what ends it: whatever is written until then reaches the file. */
export interface Logger {
  readonly log: Log;
  close(): void;
}

/**
 * Sets up logging.
 *
 * @param options `level`: what is less grave is left out; `file`: also write there.
 */
export function setUpLog(options: { level: LogLevel; file?: string }): Logger {
  const level = LEVELS[options.level];
  const formatter = (record: log.LogRecord) =>
    `${record.datetime.toISOString()} ${record.levelName.padEnd(5)} ${oneLine(record.msg)}`;
  const handlers: Record<string, log.BaseHandler> = {
    stderr: new StderrHandler(level, { formatter }),
  };
  if (options.file !== undefined) {
    handlers["file"] = new PromptFileHandler(level, { filename: options.file, formatter });
  }
  log.setup({ handlers, loggers: { default: { level, handlers: Object.keys(handlers) } } });
  const logger = log.getLogger();
  return {
    log: (level, message) => void logger[level](message),
    close() {
      for (const handler of Object.values(handlers)) handler.destroy();
    },
  };
}

/**
 * What peers say of themselves is in some lines. They must not make up others, nor speak to the
 * terminal that the log is read on.
 */
export function oneLine(message: string): string {
  return message.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** `ConsoleHandler` writes through console, of which a part goes to standard output. */
class StderrHandler extends log.BaseHandler {
  readonly #encoder = new TextEncoder();

  override log(message: string): void {
    const bytes = this.#encoder.encode(message + "\n");
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  }
}

/** `FileHandler` gathers lines; a log is most wanted when the next line never comes. */
class PromptFileHandler extends log.FileHandler {
  override log(message: string): void {
    super.log(message);
    this.flush();
  }
}
