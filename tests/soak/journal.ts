/**
 * What happened in a soak: figures, and the latest events, which are shown with a violation.
 *
 * @module
 */

/** Events that are kept. */
const KEPT = 300;

/** Something that the guarantees rule out. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** The record of one soak. */
export class Journal {
  /** Reproduces the sequence of faults and the choices of the workload. */
  readonly seed: number;
  /** Rejects when something went wrong that must not. */
  readonly failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  readonly #began = performance.now();
  readonly #events: string[] = [];
  readonly #figures = new Map<string, number>();

  /** @param seed Of all chance. */
  constructor(seed: number) {
    this.seed = seed;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.failed = promise;
    this.#fail = reject;
  }

  /** Remembers an event. */
  note(event: string): void {
    this.#events.push(`${this.seconds().padStart(8)} s  ${event}`);
    if (this.#events.length > KEPT) this.#events.shift();
  }

  /** Remembers an event and prints it. */
  say(event: string): void {
    this.note(event);
    console.log(`${this.seconds().padStart(8)} s  ${event}`);
  }

  /** Adds to a figure. */
  count(figure: string, by = 1): void {
    this.#figures.set(figure, this.figure(figure) + by);
  }

  /** A figure; 0 if nothing was added to it. */
  figure(figure: string): number {
    return this.#figures.get(figure) ?? 0;
  }

  /** The figures whose names begin so, by the rest of their names. */
  figures(prefix: string): [string, number][] {
    return [...this.#figures].filter(([name]) => name.startsWith(prefix))
      .map(([name, value]): [string, number] => [name.slice(prefix.length), value]).sort();
  }

  /** Has the soak end with this. */
  fail(error: unknown): void {
    this.note(`FAILED: ${error}`);
    this.#fail(error);
  }

  /** Has the soak end if this work fails. */
  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Seconds since the beginning. */
  seconds(): string {
    return ((performance.now() - this.#began) / 1000).toFixed(2);
  }

  /** The latest events. */
  toString(): string {
    return this.#events.join("\n");
  }
}
