/**
 * What an element sees of one call on it: byte streams and plain values, no sockets.
 *
 * @module
 */

import type { CircuitError } from "../overlay/errors.ts";

/**
 * One call on an element, from its request to its end.
 *
 * A call has two byte streams, up from the caller and down to it, each with credit-based
 * back-pressure. The caller may send up to {@linkcode INITIAL_WINDOW} bytes without being asked;
 * after that only what {@linkcode Call.grant} allows. A call ends when both directions have ended,
 * or at once when either side fails it or the connection breaks.
 */
export interface Call {
  /**
   * The next bytes from the caller; undefined once it has ended its stream in order. The bytes
   * belong to the reader. Does not grant credit: see {@linkcode Call.grant}. One read at a time.
   *
   * @throws {CircuitError} if the caller went away, cancelled, or the call was failed.
   */
  read(): Promise<Uint8Array | undefined>;
  /** Bytes that have arrived and were not read yet, without waiting; undefined if there are none. */
  poll(): Uint8Array | undefined;
  /**
   * The reader is done with bytes that {@linkcode Call.read} or {@linkcode Call.poll} gave it, whole
   * as they came: their memory may be used for what comes next. Nobody may look at them from here
   * on. Whoever keeps bytes, or does not know, leaves it out.
   */
  recycle(chunk: Uint8Array): void;
  /** True once the caller has ended its stream and all of it has been read. */
  readonly ended: boolean;
  /**
   * Lets the caller send this many bytes more. Grant what has been consumed, or extra bytes to widen
   * the window. No effect after the end.
   */
  grant(bytes: number): void;

  /**
   * Answers the call. At most once, and before {@linkcode Call.write}.
   *
   * @param options `first`: bytes to carry along in the same frame (at most
   * {@linkcode MAX_INLINE_BYTES}, and never more than {@linkcode Call.window}); `last`: nothing will
   * follow.
   */
  accept(options?: { result?: unknown; first?: Uint8Array; last?: boolean }): void;
  /** Bytes that the caller can take right now. */
  readonly window: number;
  /**
   * Sends bytes to the caller; resolves when all of them are on their way. They must not be changed
   * before. One write at a time.
   *
   * @throws {CircuitError} if the caller went away, cancelled, or the call was failed.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Nothing will follow what was written. */
  end(): void;
  /** Of the bytes written or sent along with `accept`, how many the caller has consumed for certain. */
  readonly acknowledged: number;

  /** Ends the call with an error, in both directions. No effect if it has ended. */
  fail(error: CircuitError): void;
  /**
   * Calls back once when the call is over: with the error that ended it, or undefined when both
   * directions ended in order. Calls back at once if it is over already. One callback a call: a new
   * one replaces the one before.
   */
  onOver(callback: (error: CircuitError | undefined) => void): void;
}

/** Bytes that a caller may send before the first grant: 32 KiB. */
export const INITIAL_WINDOW = 32 * 1024;

/** Most bytes that fit beside an answer in one frame: 32 KiB. */
export const MAX_INLINE_BYTES = 32 * 1024;

/** A signal that is aborted when the call is over: it takes the call's one `onOver` callback. */
export function signalOf(call: Call): AbortSignal {
  const over = new AbortController();
  call.onOver((error) => over.abort(error));
  return over.signal;
}
