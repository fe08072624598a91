/**
 * A channel with its callers in memory, for the tests of this folder.
 *
 * @module
 */

import { Budget } from "../../overlay/budget.ts";
import type { CircuitError } from "../../overlay/errors.ts";
import { type Caller, type CallPairOptions, invoke } from "../_testing/call_pair.ts";
import { makeChan } from "./chan.ts";
import type { ChanStat } from "./description.ts";

/** The path that messages of a channel under test name. */
export const PATH = "/X0123456789abcdef/jobs";

/** A channel, called as a server calls it. */
export class TestChan {
  readonly #element;
  /** What its messages are counted in. */
  readonly budget: Budget;

  /** @param limit Of its budget, in bytes; default: none. */
  constructor(capacity: number, limit?: number) {
    this.budget = new Budget(limit);
    this.#element = makeChan(capacity, { path: PATH, budget: this.budget });
  }

  /** Begins a send. */
  send(options?: CallPairOptions): Caller {
    return invoke(this.#element, "send", undefined, options);
  }

  /** Sends a message that comes whole with its request. */
  sendWhole(body: Uint8Array): Caller {
    return this.send({ body, end: true });
  }

  /** Begins a receive. */
  recv(options?: CallPairOptions): Caller {
    return invoke(this.#element, "recv", undefined, options);
  }

  /** Closes the channel; the error if it refused. */
  close(): CircuitError | undefined {
    return invoke(this.#element, "close").error;
  }

  /** What `stat` tells. */
  async stat(): Promise<ChanStat> {
    return await invoke(this.#element, "stat").reply() as ChanStat;
  }

  /** Removes the element. */
  async scrub(): Promise<void> {
    await this.#element.dispose();
  }
}

/** Bytes that tell their place and whose they are. */
export function pattern(size: number, seed = 0): Uint8Array {
  // The period is no power of two, so that pieces in wrong order are seen.
  return Uint8Array.from({ length: size }, (_, i) => (i % 251) ^ seed);
}

/** Reads a message to its end and acknowledges it. */
export async function receive(receiver: Caller): Promise<Uint8Array> {
  const message = await receiver.readAll();
  receiver.end();
  return message;
}
