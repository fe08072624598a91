/**
 * The one way in which a server writes its log: a function that is passed in.
 *
 * @module
 */

/** How grave a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Writes a line. */
export type Log = (level: LogLevel, message: string) => void;
