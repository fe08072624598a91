/**
 * Finding another dial-in server when the one that there was is lost.
 *
 * @module
 */

import { rootDescription } from "../elements/anchor/description.ts";
import { delay } from "../overlay/delay.ts";
import type { Session } from "../overlay/transport/session.ts";
import { type Dial, first, type Seeds } from "./first.ts";
import { readPairs } from "./records.ts";

/** Milliseconds between two looks at who is in the circuit, at least: 5 s. */
const REFRESH_MS = 5_000;

/**
 * Milliseconds between two looks for each server that there is, so that a client of a large circuit
 * costs no more than some 2 kB/s: a server is about 70 bytes of a listing.
 */
const REFRESH_MS_PER_SERVER = 35;

/** Most servers of which the addresses are remembered. */
export const MAX_KNOWN = 1_024;

/** The first round of attempts begins after at most so many milliseconds, by chance: 100 ms. */
const FIRST_DELAY_MS = 100;

/** Later rounds wait for at most twice as long as the one before, and never longer than 5 s. */
const MAX_DELAY_MS = 5_000;

/** What it takes to find another server. */
export interface RedialOptions {
  readonly dial: Dial;
  /** Finds servers in the way in which the first one was found. */
  readonly seeds: Seeds;
  /** A number from 0 to 1, without 1; default `Math.random`. */
  readonly random?: () => number;
}

/**
 * The servers that could take the place of the dial-in server, and the search for one that does.
 * Chance decides which: so the clients of a server that dies spread over the others, and over time.
 */
export class Redialler {
  readonly #dial: Dial;
  readonly #seeds: Seeds;
  readonly #random: () => number;
  /** Those of the last look in an order of chance, then those of earlier ones. */
  #known: readonly string[] = [];

  constructor({ dial, seeds, random = Math.random }: RedialOptions) {
    this.#dial = dial;
    this.#seeds = seeds;
    this.#random = random;
  }

  /** The addresses that are remembered, in the order in which they would be tried. */
  get known(): readonly string[] {
    return this.#known;
  }

  /**
   * Asks a server who is in the circuit. If it does not say so, what is known stays.
   *
   * @returns milliseconds after which to ask again.
   */
  async refresh(session: Session): Promise<number> {
    let live: string[] = [];
    try {
      live = await listServers(session);
    } catch {
      // It was lost, or is too busy: there will be another one, or another time.
    }
    shuffle(live, this.#random);
    // Who is missing may be on the other side of a split network, and well.
    this.#known = [...new Set([...live, ...this.#known])].slice(0, MAX_KNOWN);
    const ms = Math.max(REFRESH_MS, live.length * REFRESH_MS_PER_SERVER);
    return ms * (0.75 + 0.5 * this.#random());
  }

  /**
   * Asks again and again, until the signal is aborted.
   *
   * @param wait Milliseconds before the first time.
   * @param root The dial-in server's connection at that time; fails once the signal is aborted.
   */
  async keepFresh(
    wait: number,
    root: () => Session | Promise<Session>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for (let ms = wait;; ms = await this.refresh(await root())) {
        await delay(ms, signal);
        signal.throwIfAborted();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /**
   * Connects to another server, however long it takes.
   *
   * @param lost The address of the server that was lost, which is tried last.
   * @throws the signal's reason, and nothing else.
   */
  async next(lost: string, signal: AbortSignal): Promise<Session> {
    for (let most = FIRST_DELAY_MS;; most = Math.min(most * 2, MAX_DELAY_MS)) {
      await delay(this.#random() * most, signal);
      signal.throwIfAborted();
      try {
        const seeds = (signal: AbortSignal) => this.#candidates(lost, signal);
        return await first(seeds, this.#dial, { signal, tolerant: true });
      } catch {
        signal.throwIfAborted();
      }
    }
  }

  async *#candidates(lost: string, signal: AbortSignal): AsyncGenerator<string> {
    const tried = new Set([lost]);
    for (const address of this.#known) {
      if (tried.has(address)) continue;
      tried.add(address);
      yield address;
    }
    yield lost;
    for await (const address of this.#seeds(signal)) if (!tried.has(address)) yield address;
  }
}

/** The addresses of the live servers, as one of them knows the circuit. */
async function listServers(session: Session): Promise<string[]> {
  const stream = session.open(`${rootDescription.name}.servers`, "/", { end: true });
  await stream.reply();
  const addresses: string[] = [];
  for await (const [, address] of readPairs(stream)) addresses.push(address);
  return addresses;
}

function shuffle(items: string[], random: () => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!]; // both are below the length
  }
}
