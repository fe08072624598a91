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
 * Writes a line, which has no end of line. It is called as things happen, and must neither wait nor
 * throw.
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
