/**
 * Keeps a file that mirrors a state which changes often.
 *
 * @module
 */

import { toCircuitError } from "../overlay/errors.ts";
import type { Log } from "./log.ts";

/** Milliseconds in which changes are gathered before they are written. */
const GATHER_MS = 100;

/** After a write this many times its duration passes before the next, so that it costs a tenth. */
const REST = 9;

/** Milliseconds before a write that failed is tried again, if nothing changes: 2 s. */
const RETRY_MS = 2_000;

/** Milliseconds that the last write may take: 500 ms. */
const CLOSE_MS = 500;

/**
 * Writes a state down soon after it has changed: never twice at a time, for a tenth of the time at
 * most, and again after a failure until it works. The log tells of the first failure of a row and of
 * its end.
 */
export class Recorder {
  readonly #write: () => Promise<void>;
  readonly #what: string;
  readonly #log: Log;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;
  #changed = false;
  #failing = false;
  #closed = false;
  /** When the next write may begin, in ms of `performance.now()`. */
  #restUntil = 0;

  /**
   * @param what The state, for the log.
   * @param write Writes down how it is now.
   */
  constructor(what: string, write: () => Promise<void>, log: Log) {
    this.#what = what;
    this.#write = write;
    this.#log = log;
  }

  /** The state has changed. */
  changed(): void {
    if (this.#changed || this.#closed) return;
    this.#changed = true;
    if (!this.#writing) this.#schedule(GATHER_MS);
  }

  /**
   * Writes the state for the last time, after the write that is under way. Resolves when that is done
   * or has failed, or after half a second. Changes from here on are written only if it is called again.
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    let timer;
    const late = new Promise((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    const last = (async () => {
      await this.#writing;
      await this.#record();
    })();
    await Promise.race([last, late]);
    clearTimeout(timer);
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    const wait = Math.max(ms, this.#restUntil - performance.now());
    this.#timer = setTimeout(() => this.#writing = this.#run(), wait);
  }

  async #run(): Promise<void> {
    this.#changed = false;
    const began = performance.now();
    await this.#record();
    const now = performance.now();
    this.#restUntil = now + REST * (now - began);
    this.#writing = undefined;
    if (this.#closed) return;
    if (this.#changed) this.#schedule(GATHER_MS);
    else if (this.#failing) this.#schedule(RETRY_MS);
  }

  async #record(): Promise<void> {
    try {
      await this.#write();
      if (this.#failing) this.#log("info", `${this.#what}: written down again`);
      this.#failing = false;
    } catch (error) {
      const { message } = toCircuitError(error);
      if (!this.#failing) this.#log("warn", `${this.#what}: cannot be written down: ${message}`);
      this.#failing = true;
    }
  }
}
