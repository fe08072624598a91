/**
 * Calls in memory, for tests of any element: the element's end is a {@linkcode Call}, and the
 * caller's end is driven by the test.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../../overlay/errors.ts";
import { type Call, INITIAL_WINDOW, MAX_INLINE_BYTES } from "../call.ts";
import type { Element } from "../describe.ts";
import { ByteStream, type Violate } from "./byte_stream.ts";

/** How a call begins. */
export interface CallPairOptions {
  /** Bytes that come along with the request, at most {@linkcode INITIAL_WINDOW}. */
  readonly body?: Uint8Array;
  /** True: the caller's stream ends with the request. Default false. */
  readonly end?: boolean;
  /** Bytes that the element may send before the caller grants more. Default 32 KiB. */
  readonly window?: number;
  /**
   * Gets what broke the contract of {@linkcode Call}. Default: it is thrown where it happened, and
   * once more where nothing can catch it, so that the test fails whatever the element does.
   */
  readonly onViolation?: (error: Error) => void;
}

/**
 * Both ends of a call. No timers and no chance: everything happens in the turn in which it was asked
 * for, and what waits is woken in order.
 */
export function callPair(options: CallPairOptions = {}): { call: Call; caller: Caller } {
  const call = new MemoryCall(options);
  return { call, caller: call.caller };
}

/**
 * Calls a method of an element as a server does: what the handler throws fails the call, and what a
 * method without streams returns is the answer. Arguments are not checked by the method's parser.
 *
 * @returns The caller's end.
 */
export function invoke(
  element: Element,
  method: string,
  args?: unknown,
  options: CallPairOptions = {},
): Caller {
  const handler = element.handlers[method];
  const description = element.description.methods[method];
  if (!handler || !description) throw new Error(`${element.kind} has no method ${method}`);
  const unary = description.streams === "none";
  const { call, caller } = callPair(unary ? { ...options, end: true } : options);
  const failed = (error: unknown) => call.fail(toCircuitError(error));
  try {
    const returned = handler(args, call);
    if (returned instanceof Promise) {
      returned.then((result) => unary && call.accept({ result, last: true }), failed);
    } else if (unary) {
      call.accept({ result: returned, last: true });
    }
  } catch (error) {
    failed(error);
  }
  return caller;
}

/** The end of a call that a test drives in the place of a client. */
export class Caller {
  readonly #call: MemoryCall;
  readonly #up: ByteStream;
  readonly #down: ByteStream;

  /** Made by {@linkcode callPair}. */
  constructor(call: MemoryCall, up: ByteStream, down: ByteStream) {
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

/** The element's end. */
class MemoryCall implements Call {
  readonly caller: Caller;
  readonly #up: ByteStream;
  readonly #down: ByteStream;
  readonly #violate: Violate;
  #answered = false;
  #result: unknown;
  #replied: PromiseWithResolvers<unknown> | undefined;
  #over = false;
  #error: CircuitError | undefined;
  #onOver: ((error: CircuitError | undefined) => void) | undefined;

  constructor(options: CallPairOptions) {
    const { onViolation = failTest } = options;
    this.#violate = (what) => {
      const error = new Error(`the contract of a call was broken: ${what}`);
      onViolation(error);
      throw error;
    };
    const finish = () => this.#finishIfDone();
    this.#up = new ByteStream(INITIAL_WINDOW, this.#violate, finish);
    this.#down = new ByteStream(options.window ?? INITIAL_WINDOW, this.#violate, finish);
    this.caller = new Caller(this, this.#up, this.#down);
    if (options.body) this.#up.push(options.body);
    if (options.end) this.#up.end();
  }

  get answered(): boolean {
    return this.#answered;
  }

  get over(): boolean {
    return this.#over;
  }

  get error(): CircuitError | undefined {
    return this.#error;
  }

  reply(): Promise<unknown> {
    if (this.#answered) return Promise.resolve(this.#result);
    if (this.#error) return Promise.reject(this.#error);
    this.#replied ??= Promise.withResolvers();
    return this.#replied.promise;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#up.read();
  }

  poll(): Uint8Array | undefined {
    return this.#up.poll();
  }

  get ended(): boolean {
    return this.#up.drained;
  }

  grant(bytes: number): void {
    this.#up.grant(bytes);
  }

  accept(options: { result?: unknown; first?: Uint8Array; last?: boolean } = {}): void {
    if (this.#answered) this.#violate("a call was answered twice");
    const size = options.first?.length ?? 0;
    const most = Math.min(MAX_INLINE_BYTES, this.window);
    if (size > most) this.#violate(`${size} bytes beside an answer, where ${most} are allowed`);
    if (this.#over) return;
    this.#answered = true;
    this.#result = options.result;
    this.#replied?.resolve(options.result);
    if (options.first) this.#down.push(options.first);
    if (options.last) this.#down.end();
  }

  get window(): number {
    return this.#down.credit;
  }

  write(chunk: Uint8Array): Promise<void> {
    if (!this.#answered && !this.#over) this.#violate("a write before the answer");
    return this.#down.write(chunk);
  }

  end(): void {
    if (!this.#answered && !this.#over) this.#violate("an end before the answer");
    this.#down.end();
  }

  get acknowledged(): number {
    return Math.min(this.#down.sent, this.#down.regranted);
  }

  fail(error: CircuitError): void {
    this.close(error);
  }

  onOver(callback: (error: CircuitError | undefined) => void): void {
    if (this.#over) callback(this.#error);
    else this.#onOver = callback;
  }

  /** Ends the call with an error, whichever side it comes from. */
  close(error: CircuitError): void {
    if (this.#over) return;
    this.#error = error;
    this.#up.fail(error);
    this.#down.fail(error);
    this.#replied?.promise.catch(() => {});
    this.#replied?.reject(error);
    this.#settle();
  }

  #finishIfDone(): void {
    if (this.#up.ended && this.#down.ended && !this.#over) this.#settle();
  }

  #settle(): void {
    this.#over = true;
    const callback = this.#onOver;
    this.#onOver = undefined;
    callback?.(this.#error);
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

/** Throws where no one can catch it: the test runner reports it and fails. */
function failTest(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}
