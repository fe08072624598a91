// A stand-in for `@std/log`: a table of loggers and handlers.

const LEVELS = { NOTSET: 0, DEBUG: 10, INFO: 20, WARN: 30, ERROR: 40, CRITICAL: 50 } as const;

/** A level's name. */
export type LevelName = keyof typeof LEVELS;

/** One message on its way to the handlers. */
export interface LogRecord {
  /** The message. */
  readonly msg: string;
  /** Its level. */
  readonly level: number;
  /** Its level's name. */
  readonly levelName: string;
  /** When it was made. */
  readonly datetime: Date;
}

/** Settings of a handler. */
export interface BaseHandlerOptions {
  /** Makes a line of a record; by default the level's name, a space and the message. */
  formatter?: (logRecord: LogRecord) => string;
}

/** Takes records of its level and above, makes lines of them, logs those. */
export abstract class BaseHandler {
  readonly #level: number;
  readonly #formatter: (logRecord: LogRecord) => string;

  /** Makes a handler that drops what is below the level. */
  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = LEVELS[levelName];
    this.#formatter = options.formatter ?? (({ levelName, msg }) => `${levelName} ${msg}`);
  }

  /** Logs the record if its level is high enough. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.#level) this.log(this.#formatter(logRecord));
  }

  /** Logs the line. */
  abstract log(msg: string): void;

  /** Called by the package's {@linkcode setup} before the first record. */
  setup(): void {}

  /** Called when the handler is no longer used. */
  destroy(): void {}
}

/** Turns messages into records and gives them to its handlers. */
export class Logger {
  readonly #level: number;
  readonly #handlers: readonly BaseHandler[];

  /** Makes a logger that drops what is below the level. */
  constructor(_name: string, levelName: LevelName, options: { handlers?: BaseHandler[] } = {}) {
    this.#level = LEVELS[levelName];
    this.#handlers = options.handlers ?? [];
  }

  /** Logs at DEBUG and returns the message. */
  debug(msg: string): string {
    return this.#log("DEBUG", msg);
  }

  /** Logs at INFO and returns the message. */
  info(msg: string): string {
    return this.#log("INFO", msg);
  }

  /** Logs at WARN and returns the message. */
  warn(msg: string): string {
    return this.#log("WARN", msg);
  }

  /** Logs at ERROR and returns the message. */
  error(msg: string): string {
    return this.#log("ERROR", msg);
  }

  #log(levelName: LevelName, msg: string): string {
    const level = LEVELS[levelName];
    if (level < this.#level) return msg;
    const record: LogRecord = { msg, level, levelName, datetime: new Date() };
    for (const handler of this.#handlers) handler.handle(record);
    return msg;
  }
}

/** All handlers and loggers by name. */
export interface LogConfig {
  /** The handlers. */
  handlers?: { [name: string]: BaseHandler };
  /** The loggers: their level, INFO by default, and the names of their handlers. */
  loggers?: { [name: string]: { level?: LevelName; handlers?: string[] } };
}

let handlers: NonNullable<LogConfig["handlers"]> = {};
const loggers = new Map<string, Logger>();

/** Replaces all handlers and loggers; the old handlers are destroyed first. */
export function setup(config: LogConfig): void {
  for (const handler of Object.values(handlers)) handler.destroy();
  handlers = { ...config.handlers };
  loggers.clear();
  for (const handler of Object.values(handlers)) handler.setup();
  for (
    const [name, { level = "INFO", handlers: names = [] }] of Object.entries(config.loggers ?? {})
  ) {
    const found = names.flatMap((each) => handlers[each] ?? []);
    loggers.set(name, new Logger(name, level, { handlers: found }));
  }
}

/** The logger of the name, by default that named `default`; one without handlers if it is unknown. */
export function getLogger(name = "default"): Logger {
  const logger = loggers.get(name) ?? new Logger(name, "NOTSET");
  loggers.set(name, logger);
  return logger;
}
