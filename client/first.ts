/**
 * Connecting to one of several servers: whichever answers first.
 *
 * @module
 */

import { type Address, parseAddress } from "../overlay/address.ts";
import { delay } from "../overlay/delay.ts";
import { cancelled, CircuitError, type ErrorCode } from "../overlay/errors.ts";
import type { Session } from "../overlay/transport/session.ts";

/**
 * Finds addresses of servers, in the order in which to try them. The signal says that no more are
 * wanted.
 */
export type Seeds = (signal: AbortSignal) => Iterable<string> | AsyncIterable<string>;

/** Connects to the server at an address. */
export type Dial = (address: Address, signal: AbortSignal) => Promise<Session>;

/** Milliseconds that a server has to answer before the next one is tried beside it: 250 ms. */
export const NEXT_AFTER_MS = 250;

/** Failures that another server may not have. */
const TRY_NEXT: readonly ErrorCode[] = [
  "UNREACHABLE",
  "TIMEOUT",
  "SERVER_GONE",
  "BUSY",
  // The port is another program's now.
  "PROTOCOL",
];

/** How to go about it. */
export interface FirstOptions {
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds that those which are being dialled have to answer once there are no more to find;
   * default: as many as dialling takes.
   */
  readonly answerMs?: number | undefined;
  /** True: any failure of a server, and of finding more of them, is a reason to try the next. */
  readonly tolerant?: boolean;
}

/**
 * Connects to the first of these servers that answers. The next one is tried when one fails, and when
 * it keeps silent for {@linkcode NEXT_AFTER_MS}; the others are given up once there is a connection.
 *
 * @throws {CircuitError} why the last one failed, or at once a failure that another server would have
 * too; `TIMEOUT` if none answers in time; `ABORTED` or `TIMEOUT` by the signal.
 */
export async function first(
  seeds: Seeds,
  dial: Dial,
  { signal, answerMs, tolerant = false }: FirstOptions = {},
): Promise<Session> {
  const attempts = new Attempts(dial, tolerant);
  const onAbort = () => signal && attempts.end(cancelled(attempts.action, signal));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await attempts.first(seeds, answerMs);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

class Attempts {
  readonly #dial: Dial;
  readonly #tolerant: boolean;
  readonly #ending = new AbortController();
  readonly #won = Promise.withResolvers<Session>();
  /** Addresses that are being dialled. */
  readonly #running = new Map<string, Promise<void>>();
  #last: unknown;

  constructor(dial: Dial, tolerant: boolean) {
    this.#dial = dial;
    this.#tolerant = tolerant;
    this.#won.promise.catch(() => {});
  }

  /** What is being done, for an error. */
  get action(): string {
    const addresses = [...this.#running.keys()];
    return addresses.length > 0 ? `cannot dial ${addresses.join(", ")}` : "cannot find a server";
  }

  /** Gives up; no effect if there is a connection. */
  end(error: unknown): void {
    this.#won.reject(error);
    this.#ending.abort(error);
  }

  async first(seeds: Seeds, answerMs: number | undefined): Promise<Session> {
    const trying = this.#tryAll(seeds, answerMs);
    try {
      return await this.#won.promise;
    } finally {
      // What looks for further addresses has let go of its sockets then.
      await trying;
    }
  }

  async #tryAll(seeds: Seeds, answerMs: number | undefined): Promise<void> {
    const { signal } = this.#ending;
    try {
      if (signal.aborted) return;
      for await (const address of seeds(signal)) {
        if (signal.aborted) return;
        await this.#answerOrSilence(this.#start(address));
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!this.#tolerant) return this.end(error);
      this.#last = error;
    }
    const late = answerMs === undefined ? [] : [this.#late(answerMs)];
    await Promise.race([Promise.all(this.#running.values()), ...late]);
    this.end(this.#last ?? new CircuitError("UNREACHABLE", "there is no server to connect to"));
  }

  async #start(address: string): Promise<void> {
    const attempt = this.#try(address);
    this.#running.set(address, attempt);
    await attempt;
    this.#running.delete(address);
  }

  async #try(address: string): Promise<void> {
    const { signal } = this.#ending;
    try {
      const session = await this.#dial(parseAddress(address), signal);
      // Another one was there first.
      if (signal.aborted) return void session.close();
      this.#won.resolve(session);
      this.#ending.abort(new CircuitError("ABORTED", `${address} answered first`));
    } catch (error) {
      if (signal.aborted) return;
      this.#last = error;
      const hopeless = !(error instanceof CircuitError) || !TRY_NEXT.includes(error.code);
      if (hopeless && !this.#tolerant) this.end(error);
    }
  }

  /** Gives up after so long, unless all is over before that. */
  async #late(ms: number): Promise<void> {
    await delay(ms, this.#ending.signal);
    const addresses = [...this.#running.keys()].join(", ");
    this.end(
      new CircuitError("TIMEOUT", `cannot reach ${addresses}: no answer within ${ms / 1000} s`),
    );
  }

  /** Resolves when an attempt is over, or it is time for another one beside it. */
  async #answerOrSilence(attempt: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, NEXT_AFTER_MS);
    await Promise.race([attempt, late.promise, this.#won.promise.then(() => {}, () => {})]);
    clearTimeout(timer);
  }
}
