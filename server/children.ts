/**
 * The processes and containers that a server has started: what becomes of them when it stops.
 *
 * @module
 */

import type { Element } from "../elements/mod.ts";
import { formatChild, isRunning, type RunningElement, startTimes } from "../elements/proc/mod.ts";
import { toCircuitError } from "../overlay/errors.ts";
import type { Log } from "./log.ts";
import { Recorder } from "./recorder.ts";
import type { VarDir } from "./var_dir.ts";

/** The children of one server. */
export class Children {
  /** What to record of each; undefined as long as that is not known. */
  readonly #records = new Map<RunningElement, string | undefined>();
  readonly #recorder: Recorder | undefined;
  readonly #log: Log;
  readonly #ending = new Set<Promise<void>>();
  readonly #graceMs: number;

  /**
   * @param graceMs Milliseconds between SIGTERM and SIGKILL when the server stops.
   * @param varDir Where the list is written down, so that a crash leaves a trace; none: nowhere.
   */
  constructor(graceMs: number, varDir: VarDir | undefined, log: Log) {
    this.#graceMs = graceMs;
    this.#log = log;
    this.#recorder = varDir && new Recorder(
      "the list of children",
      async () => varDir.recordChildren(await this.#list()),
      log,
    );
  }

  /** An element has come: a child is written down soon. */
  come(element: Element): void {
    if (!isRunning(element)) return;
    this.#records.set(element, undefined);
    this.#recorder?.changed();
  }

  /** An element has gone. */
  gone(element: Element): void {
    if (isRunning(element) && this.#records.delete(element)) this.#recorder?.changed();
  }

  /** Takes what is still to be done for an element that was removed, so that a stop waits for it. */
  ending(work: Promise<void>): void {
    this.#ending.add(work);
    work.catch((error) => this.#log("warn", toCircuitError(error).message))
      .finally(() => this.#ending.delete(work));
  }

  /** Ends all of them: SIGTERM, and SIGKILL after the grace. */
  async terminate(): Promise<void> {
    const all = [...this.#records.keys()];
    await Promise.all(all.map((each) => each.terminate(this.#graceMs)));
    await Promise.allSettled(this.#ending);
    await this.#recorder?.close();
  }

  /** Sends SIGKILL at once to those that are being ended. */
  hurry(): void {
    for (const each of this.#records.keys()) void each.terminate(0);
  }

  /** The records of those that have not ended. */
  async #list(): Promise<string[]> {
    await this.#learn();
    const list: string[] = [];
    for (const [element, record] of this.#records) {
      if (record !== undefined && !element.ended) list.push(record);
    }
    return list;
  }

  /** Finds out what to record of those that have come since the last time. */
  async #learn(): Promise<void> {
    const fresh = [];
    for (const [element, record] of this.#records) {
      if (record !== undefined || element.ended) continue;
      const identity = await element.identity();
      if (identity) fresh.push({ element, identity });
    }
    const starts = await startTimes(fresh.map(({ identity }) => identity.pid));
    for (const { element, identity } of fresh) {
      const start = starts.get(identity.pid) ?? "";
      // It may have gone meanwhile.
      if (this.#records.has(element)) {
        this.#records.set(element, formatChild({ ...identity, start }));
      }
    }
  }
}
