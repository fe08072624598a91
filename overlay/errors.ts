/**
 * The one error class of the project, and the codes that callers switch on.
 *
 * @module
 */

/**
 * What went wrong, for programs.
 *
 * - `BAD_REQUEST`: the request makes no sense as it stands; the message says what was wanted.
 * - `NOT_FOUND`: there is no such element, program, directory or server.
 * - `EXISTS`: the anchor holds an element already; nothing was changed.
 * - `CLOSED`: the channel or stream was closed in order.
 * - `ABORTED`: the call was cancelled, or the other side of a message went away half-way.
 * - `BUSY`: somebody else holds it, or a limit is reached; trying again later may work.
 * - `DENIED`: not allowed.
 * - `SERVER_GONE`: the server that the call was on has left, died or lost its connection.
 * - `UNREACHABLE`: no connection could be made.
 * - `TIMEOUT`: no answer in the time given.
 * - `PROTOCOL`: the peer speaks something else, or broke the rules of the protocol.
 * - `UNSUPPORTED`: the server cannot do this, by its version or its configuration.
 * - `INTERNAL`: a fault of the circuit itself.
 *
 * @example Try again what may work later
 * ```ts
 * import { CircuitError, type ErrorCode } from "jsr:@circuit/cli/client";
 *
 * const passing: readonly ErrorCode[] = ["SERVER_GONE", "UNREACHABLE", "TIMEOUT", "BUSY"];
 * const mayWorkLater = (error: unknown) =>
 *   error instanceof CircuitError && passing.includes(error.code);
 * console.assert(mayWorkLater(new CircuitError("BUSY", "somebody else reads it")));
 * ```
 */
export type ErrorCode =
  | "INTERNAL"
  | "BAD_REQUEST"
  | "NOT_FOUND"
  | "EXISTS"
  | "CLOSED"
  | "ABORTED"
  | "BUSY"
  | "DENIED"
  | "SERVER_GONE"
  | "UNREACHABLE"
  | "TIMEOUT"
  | "PROTOCOL"
  | "UNSUPPORTED";

/**
 * Every code. The position of a code in this list is its number on the wire, so the order is part
 * of the protocol: new codes go at the end.
 */
export const ERROR_CODES: readonly ErrorCode[] = [
  "INTERNAL",
  "BAD_REQUEST",
  "NOT_FOUND",
  "EXISTS",
  "CLOSED",
  "ABORTED",
  "BUSY",
  "DENIED",
  "SERVER_GONE",
  "UNREACHABLE",
  "TIMEOUT",
  "PROTOCOL",
  "UNSUPPORTED",
];

/**
 * The only error that the circuit's own code lets out. Its `code` says what kind of failure it is
 * and travels between machines; its `message` is for people and may change between versions.
 *
 * @example Switch on the code
 * ```ts
 * import { CircuitError, dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const anchor = client.anchor(`/${server.serverId}/jobs`);
 * await anchor.makeChan();
 *
 * try {
 *   await anchor.makeChan();
 * } catch (error) {
 *   if (!(error instanceof CircuitError)) throw error;
 *   console.assert(error.code === "EXISTS" && error.message.includes(anchor.path));
 * }
 * ```
 */
export class CircuitError extends Error {
  /** Always `"CircuitError"`. */
  override readonly name = "CircuitError";
  /** The kind of failure. */
  readonly code: ErrorCode;

  /**
   * An error of this kind.
   *
   * @param code The kind of failure.
   * @param message The failed action, the path or address, what was found and what was needed.
   * @param options `cause`: the error that this one explains.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The error as a {@linkcode CircuitError}: itself if it is one, else one with `code` and the
 * original as its cause.
 *
 * @param error Anything that was thrown.
 * @param code The code for what is not a `CircuitError`; default `INTERNAL`.
 */
export function toCircuitError(error: unknown, code: ErrorCode = "INTERNAL"): CircuitError {
  if (error instanceof CircuitError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CircuitError(code, message, { cause: error });
}

/** The error for a call that its own caller cancelled through an `AbortSignal`. */
export function cancelled(action: string, signal?: AbortSignal): CircuitError {
  const reason: unknown = signal?.reason;
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new CircuitError("TIMEOUT", `${action}: the time that the caller gave ran out`, {
      cause: reason,
    });
  }
  return new CircuitError("ABORTED", `${action}: cancelled by the caller`, { cause: reason });
}
