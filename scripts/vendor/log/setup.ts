// The process-wide table of handlers and loggers, and the shorthands for its
// default logger.

import type { BaseHandler } from "./base_handler.ts";
import { ConsoleHandler } from "./console_handler.ts";
import { type GenericFunction, type LogConfig, Logger } from "./logger.ts";

const handlers = new Map<string, BaseHandler>();
const loggers = new Map<string, Logger>();
const defaultHandler = new ConsoleHandler("INFO");

/** Replaces all handlers and loggers; the old handlers are destroyed first. */
export function setup(config: LogConfig): void {
  for (const handler of handlers.values()) handler.destroy();
  handlers.clear();
  loggers.clear();
  const chosen = { default: defaultHandler, ...config.handlers };
  for (const [name, handler] of Object.entries(chosen)) {
    handler.setup();
    handlers.set(name, handler);
  }
  const wanted: NonNullable<LogConfig["loggers"]> = {
    default: { level: "INFO", handlers: ["default"] },
    ...config.loggers,
  };
  for (
    const [name, { level = "INFO", handlers: names = [] }] of Object.entries(
      wanted,
    )
  ) {
    const found = names.map((name) => handlers.get(name));
    loggers.set(
      name,
      new Logger(name, level, {
        handlers: found.filter((handler) => handler !== undefined),
      }),
    );
  }
}

/**
 * The logger of the name, by default that named `default`.
 *
 * A name that was not set up gets a logger without handlers.
 */
export function getLogger(name?: string): Logger {
  const key = name || "default";
  const known = loggers.get(key);
  if (known !== undefined) return known;
  const made = new Logger(key, "NOTSET");
  loggers.set(key, made);
  return made;
}

/** Logs at DEBUG with the default logger. */
export function debug<T>(msg: () => T, ...args: unknown[]): T | undefined;
/** Logs at DEBUG with the default logger. */
export function debug<T>(
  msg: T extends GenericFunction ? never : T,
  ...args: unknown[]
): T;
export function debug(msg: unknown, ...args: unknown[]): unknown {
  return getLogger().debug(msg, ...args);
}

/** Logs at INFO with the default logger. */
export function info<T>(msg: () => T, ...args: unknown[]): T | undefined;
/** Logs at INFO with the default logger. */
export function info<T>(
  msg: T extends GenericFunction ? never : T,
  ...args: unknown[]
): T;
export function info(msg: unknown, ...args: unknown[]): unknown {
  return getLogger().info(msg, ...args);
}

/** Logs at WARN with the default logger. */
export function warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
/** Logs at WARN with the default logger. */
export function warn<T>(
  msg: T extends GenericFunction ? never : T,
  ...args: unknown[]
): T;
export function warn(msg: unknown, ...args: unknown[]): unknown {
  return getLogger().warn(msg, ...args);
}

/** Logs at ERROR with the default logger. */
export function error<T>(msg: () => T, ...args: unknown[]): T | undefined;
/** Logs at ERROR with the default logger. */
export function error<T>(
  msg: T extends GenericFunction ? never : T,
  ...args: unknown[]
): T;
export function error(msg: unknown, ...args: unknown[]): unknown {
  return getLogger().error(msg, ...args);
}

/** Logs at CRITICAL with the default logger. */
export function critical<T>(msg: () => T, ...args: unknown[]): T | undefined;
/** Logs at CRITICAL with the default logger. */
export function critical<T>(
  msg: T extends GenericFunction ? never : T,
  ...args: unknown[]
): T;
export function critical(msg: unknown, ...args: unknown[]): unknown {
  return getLogger().critical(msg, ...args);
}

setup({});
