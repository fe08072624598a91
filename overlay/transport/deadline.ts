/**
 * A limit in time for work that waits on the network.
 *
 * @module
 */

import type { Clock } from "./clock.ts";

/** Aborts its signal when the time is up or the caller gives up, whichever is first. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #cancel: () => void;
  #passed = false;

  /**
   * @param ms Milliseconds from now.
   * @param outer The caller's own signal.
   */
  constructor(clock: Clock, ms: number, outer?: AbortSignal) {
    this.#outer = outer;
    this.#onAbort = () => this.#controller.abort(outer?.reason);
    this.#cancel = clock.after(ms, () => {
      this.#passed = true;
      this.#controller.abort(new DOMException("the time is up", "TimeoutError"));
    });
    if (outer?.aborted) this.#onAbort();
    else outer?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborted with the caller's reason, or with a `TimeoutError`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True once the time was up. */
  get passed(): boolean {
    return this.#passed;
  }

  /**
   * What `work` comes to, or the signal's reason if that is aborted first. The work is not stopped by
   * that: whoever owns what it waits for does so.
   */
  async race<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const working = work();
    working.catch(() => {});
    try {
      return await Promise.race([working, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** No limit any more. */
  [Symbol.dispose](): void {
    this.#cancel();
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}
