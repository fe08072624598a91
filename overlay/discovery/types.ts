/**
 * What the parts of discovery have in common.
 *
 * @module
 */

/** A server that was heard of. */
export interface FoundServer {
  /** Server ID: `X` and 16 lower-case hex digits. */
  readonly id: string;
  /** Where it can be dialled: `circuit://HOST:PORT/PID/Q…` or `HOST:PORT`. */
  readonly address: string;
}

/** Writes a line to the log of whoever uses this. */
export type Log = (level: "debug" | "info" | "warn" | "error", message: string) => void;
