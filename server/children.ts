/**
 * The processes and containers that a server has started: what becomes of them when it stops.
 *
 * @module
 */

import type { Element } from "../elements/mod.ts";
import { isRunning, type RunningElement } from "../elements/proc/mod.ts";
import { toCircuitError } from "../overlay/errors.ts";
import type { Log } from "./log.ts";
import type { VarDir } from "./var_dir.ts";

/** Milliseconds between SIGTERM and SIGKILL when the server stops. */
const GRACE_MS = 1_000;

/** Milliseconds in which changes of the list are gathered before it is written down. */
const RECORD_MS = 100;

/** The children of one server. */
export class Children {
  readonly #elements: () => Iterable<Element>;
  readonly #varDir: VarDir | undefined;
  readonly #log: Log;
  readonly #ending = new Set<Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param elements All elements of the server.
   * @param varDir Where the list is written down, so that a crash leaves a trace; none: nowhere.
   */
  constructor(elements: () => Iterable<Element>, varDir: VarDir | undefined, log: Log) {
    this.#elements = elements;
    this.#varDir = varDir;
    this.#log = log;
  }

  /** An element has come or gone: if children did, the list is written down soon. */
  changed(element: Element): void {
    if (!this.#varDir || !isRunning(element) || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#record();
    }, RECORD_MS);
  }

  /** Takes what is still to be done for an element that was removed, so that a stop waits for it. */
  ending(work: Promise<void>): void {
    this.#ending.add(work);
    work.catch((error) => this.#log("warn", toCircuitError(error).message))
      .finally(() => this.#ending.delete(work));
  }

  /** Ends all of them: SIGTERM, and SIGKILL after {@linkcode GRACE_MS}. */
  async terminate(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#running().map((each) => each.terminate(GRACE_MS)));
    await Promise.allSettled(this.#ending);
    await this.#record();
  }

  async #record(): Promise<void> {
    try {
      const known = await Promise.all(this.#running().map((each) => each.identity()));
      await this.#varDir?.recordChildren(known.filter((each) => each !== undefined));
    } catch (error) {
      this.#log("warn", `cannot write down the children: ${toCircuitError(error).message}`);
    }
  }

  #running(): RunningElement[] {
    return [...this.#elements()].filter(isRunning);
  }
}
