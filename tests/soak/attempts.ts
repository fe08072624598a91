/**
 * Doing things on a server that may be in trouble: again and again until they work, as long as the
 * server is there; and noticing when nothing moves any more.
 *
 * @module
 */

import { CircuitError, type Client } from "../../mod.ts";
import { FairClock } from "../until.ts";
import { type Circuit, type Member, PATIENCE_MS } from "./circuit.ts";
import { Violation } from "./journal.ts";
import type { Reach } from "./reach.ts";

/** Milliseconds after a failure before the next attempt. */
const RETRY_MS = 50;

/** What is attempted for one purpose. */
export class Attempts implements Disposable {
  /** Aborted when the server's end begins. */
  readonly ending: AbortSignal;
  /** Rejects when nothing has worked for too long, or a call does not fail though its server is gone. */
  readonly stopped: Promise<never>;
  readonly #what: string;
  readonly #circuit: Circuit;
  readonly #clock: FairClock;
  #progressed = 0;

  /**
   * @param what What it is for, for messages.
   * @param member The server that it is on.
   */
  constructor(what: string, circuit: Circuit, member: Member) {
    this.#what = what;
    this.#circuit = circuit;
    this.ending = member.ending.signal;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.stopped = promise;
    this.#clock = new FairClock((ms) => {
      if (ms - this.#progressed <= PATIENCE_MS) return;
      reject(new Violation(`${what}: nothing has moved for ${PATIENCE_MS} ms`));
    });
  }

  /** Something has worked. */
  moved(): void {
    this.#progressed = this.#clock.ms;
  }

  /** Calls until it works. Undefined: the server is gone. */
  async call<T>(reach: Reach, work: (client: Client) => Promise<T>): Promise<T | undefined> {
    while (!this.ending.aborted) {
      try {
        const result = await work(await reach.client(this.ending));
        this.moved();
        return result;
      } catch (error) {
        await this.failed("call", error);
      }
    }
    return undefined;
  }

  /** Makes an element. Where an attempt fails, the next one may find that it has worked. */
  async make(reach: Reach, make: (client: Client) => Promise<void>): Promise<void> {
    let unsure = false;
    await this.call(reach, async (client) => {
      try {
        await make(client);
      } catch (error) {
        if (unsure && error instanceof CircuitError && error.code === "EXISTS") return;
        unsure = true;
        throw error;
      }
    });
  }

  /**
   * Takes note of a failure, and waits before the next attempt.
   *
   * @returns the error's code.
   * @throws the error, if no fault explains it.
   */
  async failed(action: string, error: unknown): Promise<string> {
    const { journal } = this.#circuit;
    const code = this.#circuit.excuse(error);
    // Channels are closed when all is sent.
    if (code !== "CLOSED") {
      journal.note(`${this.#what}: ${action}: ${error}`);
      journal.count(`error ${code}`);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    return code;
  }

  /** Ends the watch. */
  [Symbol.dispose](): void {
    this.#clock[Symbol.dispose]();
  }
}
