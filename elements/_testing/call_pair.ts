/**
 * Calls in memory, for tests of any element: the element's end is a {@linkcode Call}, and the
 * caller's end is driven by the test.
 *
 * @module
 */

import { type CircuitError, toCircuitError } from "../../overlay/errors.ts";
import { type Call, INITIAL_WINDOW, MAX_INLINE_BYTES } from "../call.ts";
import type { Element } from "../describe.ts";
import { ByteStream, type Violate } from "./byte_stream.ts";
import { Caller, type Driven } from "./caller.ts";

export { Caller, concat } from "./caller.ts";

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

/** The element's end. */
class MemoryCall implements Call, Driven {
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

  /** Who looks at them all the same finds something else. */
  recycle(chunk: Uint8Array): void {
    chunk.fill(0xdb);
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

/** Throws where no one can catch it: the test runner reports it and fails. */
function failTest(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}
