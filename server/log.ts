/**
 * The one way in which a server writes its log: a function that is passed in.
 *
 * @module
 */

/**
 * How grave a line is, from least to most.
 *
 * @example Only what is grave
 * ```ts
 * import { type LogLevel, startServer } from "jsr:@circuit/cli/server";
 *
 * const grave: readonly LogLevel[] = ["warn", "error"];
 * await using _server = await startServer({
 *   addr: "127.0.0.1:0",
 *   log: (level, message) => grave.includes(level) && console.error(message),
 * });
 * ```
 */
export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * Writes a line, which has no end of line and no control characters. It is called as things happen,
 * and should not wait. What it throws, or rejects with, is ignored.
 *
 * @example
 * ```ts
 * import { type Log, startServer } from "jsr:@circuit/cli/server";
 *
 * const log: Log = (level, message) => console.log(new Date().toISOString(), level, message);
 * await using _server = await startServer({ addr: "127.0.0.1:0", log });
 * ```
 */
export type Log = (level: LogLevel, message: string) => void;

/** Most characters of a line: 16 Ki. */
const MAX_LINE_CHARS = 16 * 1024;

/**
 * What peers say of themselves is in some lines. They must not make up others, nor speak to the
 * terminal that the log is read on, nor fill the disk.
 */
export function oneLine(message: string): string {
  const cut = message.length - MAX_LINE_CHARS;
  const kept = cut > 0 ? `${message.slice(0, MAX_LINE_CHARS)}… and ${cut} more` : message;
  return kept.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** A log that somebody else wrote, as one that does no harm: it gets single lines and never throws. */
export function harmless(log: Log): Log {
  return (level, message) => {
    try {
      const result: unknown = log(level, oneLine(message));
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // The server goes on; there is no other place to say it.
    }
  };
}
