// Loggers and the records that they hand to their handlers.

import type { BaseHandler } from "./base_handler.ts";
import {
  getLevelByName,
  getLevelName,
  type LevelName,
  type LogLevel,
  LogLevels,
} from "./levels.ts";

/** Any function. */
// deno-lint-ignore no-explicit-any -- decides overloads, as in the real one
export type GenericFunction = (...args: any[]) => any;

/** What a {@linkcode LogRecord} is made of. */
export interface LogRecordOptions {
  /** The message. */
  msg: string;
  /** What came with it. */
  args: unknown[];
  /** Its level. */
  level: LogLevel;
  /** The name of the logger. */
  loggerName: string;
}

/** What is set about one logger; a class, as in the real package. */
export class LoggerConfig {
  /** The lowest level that is logged, INFO by default. */
  level?: LevelName;
  /** Names of handlers, none by default. */
  handlers?: string[];
}

/** All handlers and loggers by name. */
export interface LogConfig {
  /** The handlers; `default` is the console unless it is set here. */
  handlers?: {
    [name: string]: BaseHandler;
  };
  /** The loggers; `default` has the default handler unless it is set here. */
  loggers?: {
    [name: string]: LoggerConfig;
  };
}

/** One message on its way to the handlers. */
export class LogRecord {
  /** The message. */
  readonly msg: string;
  /** Its level. */
  readonly level: number;
  /** Its level's name. */
  readonly levelName: string;
  /** The name of the logger. */
  readonly loggerName: string;
  readonly #args: readonly unknown[];
  readonly #time: number = Date.now();

  /** Makes a record of now. */
  constructor(options: LogRecordOptions) {
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
    this.#args = [...options.args];
  }

  /** A copy of what came with the message. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When it was made. */
  get datetime(): Date {
    return new Date(this.#time);
  }
}

/** Settings of a {@linkcode Logger}. */
export interface LoggerOptions {
  /** Its handlers, none by default. */
  handlers?: BaseHandler[];
}

/** Turns messages into records and gives them to its handlers. */
export class Logger {
  /** Where records go. */
  handlers: BaseHandler[];
  readonly #name: string;
  #level: LogLevel;

  /** Makes a logger that drops what is below the level. */
  constructor(
    loggerName: string,
    levelName: LevelName,
    options: LoggerOptions = {},
  ) {
    this.#name = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
  }

  /** The lowest level that is logged. */
  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    if (!Object.values(LogLevels).includes(level)) {
      throw new TypeError(`Invalid log level: ${level}`);
    }
    this.#level = level;
  }

  /** The name of the lowest level that is logged. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }

  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** The logger's name. */
  get loggerName(): string {
    return this.#name;
  }

  /** Logs at DEBUG; a function is called only if its result is logged. */
  debug<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs at DEBUG and returns the message. */
  debug<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  debug(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.DEBUG, msg, args);
  }

  /** Logs at INFO; a function is called only if its result is logged. */
  info<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs at INFO and returns the message. */
  info<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  info(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.INFO, msg, args);
  }

  /** Logs at WARN; a function is called only if its result is logged. */
  warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs at WARN and returns the message. */
  warn<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  warn(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.WARN, msg, args);
  }

  /** Logs at ERROR; a function is called only if its result is logged. */
  error<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs at ERROR and returns the message. */
  error<T>(msg: T extends GenericFunction ? never : T, ...args: unknown[]): T;
  error(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  /** Logs at CRITICAL; a function is called only if its result is logged. */
  critical<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs at CRITICAL and returns the message. */
  critical<T>(
    msg: T extends GenericFunction ? never : T,
    ...args: unknown[]
  ): T;
  critical(msg: unknown, ...args: unknown[]): unknown {
    return this.#log(LogLevels.CRITICAL, msg, args);
  }

  #log(level: LogLevel, msg: unknown, args: unknown[]): unknown {
    const lazy = typeof msg === "function";
    if (level < this.#level) return lazy ? undefined : msg;
    const value: unknown = lazy ? msg() : msg;
    const record = new LogRecord({
      msg: toText(value),
      args,
      level,
      loggerName: this.#name,
    });
    for (const handler of this.handlers) handler.handle(record);
    return value;
  }
}

/** Text as it is; an error's stack; an object as nearly JSON. */
function toText(value: unknown): string {
  if (value instanceof Error) return value.stack ?? String(value);
  if (typeof value === "function") return "undefined";
  if (typeof value !== "object" || value === null) return String(value);
  const properties = Object.entries(value).map(([key, item]) =>
    `"${key}":${typeof item === "string" ? `"${item}"` : toText(item)}`
  );
  return `{${properties.join(",")}}`;
}
