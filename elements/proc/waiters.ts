/**
 * Calls that wait for something that happens once.
 *
 * @module
 */

import { type CircuitError, toCircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: CircuitError): void;
}

/** Calls that wait for a value. One that is over leaves nothing behind. */
export class Waiters<T> {
  readonly #waiting = new Set<Waiter<T>>();

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for the value.
   *
   * @throws {CircuitError} what {@linkcode Waiters.fail} was given, or what ended the call.
   */
  wait(call: Call): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiting.add(waiter);
      call.onOver((error) => {
        if (this.#waiting.delete(waiter)) {
          reject(toCircuitError(error ?? "the call is over", "ABORTED"));
        }
      });
    });
  }

  /** Gives everyone who waits the value. */
  settle(value: T): void {
    for (const waiter of this.#waiting) waiter.resolve(value);
    this.#waiting.clear();
  }

  /** Fails everyone who waits. */
  fail(error: CircuitError): void {
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }
}
