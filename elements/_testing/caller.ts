/**
 * The caller's end of a call in memory.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { ByteStream } from "./byte_stream.ts";

/** The state of the call that both ends share. */
export interface Driven {
  readonly answered: boolean;
  readonly over: boolean;
  readonly error: CircuitError | undefined;
  reply(): Promise<unknown>;
  /** Ends the call with an error. */
  close(error: CircuitError): void;
}

/** The end of a call that a test drives in the place of a client. */
export class Caller {
  readonly #call: Driven;
  readonly #up: ByteStream;
  readonly #down: ByteStream;

  /** Made by `callPair`. */
  constructor(call: Driven, up: ByteStream, down: ByteStream) {
    this.#call = call;
    this.#up = up;
    this.#down = down;
  }

  /** True once the call was answered. */
  get answered(): boolean {
    return this.#call.answered;
  }

  /** True when the call is over, in order or with an error. */
  get over(): boolean {
    return this.#call.over;
  }

  /** The error that ended the call, if one did. */
  get error(): CircuitError | undefined {
    return this.#call.error;
  }

  /**
   * What the call was answered with.
   *
   * @throws {CircuitError} the error that ended the call before it was answered.
   */
  reply(): Promise<unknown> {
    return this.#call.reply();
  }

  // --- up -----------------------------------------------------------------------------------------

  /** Bytes that may be sent right now. */
  get credit(): number {
    return this.#up.credit;
  }

  /** Bytes that the element has let the caller send in all, the initial window included. */
  get allowed(): number {
    return this.#up.allowed;
  }

  /** Bytes sent so far. */
  get sent(): number {
    return this.#up.sent;
  }

  /** Sends bytes now; the test fails if {@linkcode Caller.credit} does not allow it. */
  push(bytes: Uint8Array): void {
    this.#up.push(bytes);
  }

  /**
   * Sends bytes as credit comes; resolves when all are sent.
   *
   * @throws {CircuitError} the error that ended the call.
   */
  write(bytes: Uint8Array): Promise<void> {
    return this.#up.write(bytes);
  }

  /** Ends the caller's stream. */
  end(): void {
    this.#up.end();
  }

  // --- down ---------------------------------------------------------------------------------------

  /** True once the element has ended its stream and all of it was read. */
  get ended(): boolean {
    return this.#down.drained;
  }

  /** True once the element has ended its stream, whether it was read or not. */
  get finished(): boolean {
    return this.#down.ended;
  }

  /** Bytes that have arrived, without waiting and without granting more; undefined for none. */
  poll(): Uint8Array | undefined {
    return this.#down.poll();
  }

  /** Lets the element send so many bytes more. */
  grant(bytes: number): void {
    this.#down.grant(bytes);
  }

  /**
   * The next bytes, which are granted again at once; undefined at the end.
   *
   * @throws {CircuitError} the error that ended the call.
   */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#down.read();
    if (bytes) this.#down.grant(bytes.length);
    return bytes;
  }

  /**
   * Everything up to the end.
   *
   * @throws {CircuitError} the error that ended the call.
   */
  async readAll(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let part = await this.read(); part; part = await this.read()) parts.push(part);
    return concat(parts);
  }

  // --- the end ------------------------------------------------------------------------------------

  /** Cancels the call, as a client's AbortSignal does. */
  cancel(): void {
    this.#call.close(new CircuitError("ABORTED", "cancelled by the caller"));
  }

  /** The caller's connection breaks. */
  goAway(): void {
    this.#call.close(new CircuitError("ABORTED", "lost client: the connection was closed"));
  }
}

/** The bytes of all parts, one behind the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
