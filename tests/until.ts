/**
 * Waiting for something that the other side does not announce, and for what must come in time.
 *
 * @module
 */

/** Milliseconds between two looks, and of a tick of the clock. */
const TICK_MS = 20;

/** Milliseconds after which it is too late where a test does not say: 20 s. */
const PATIENCE_MS = 20_000;

/** How to wait. */
export interface UntilOptions {
  /** Milliseconds after which it is too late; default 20 s, for a machine that is busy. */
  readonly within?: number;
}

/**
 * Looks again and again until what it sees is right.
 *
 * @param what What is waited for, for the error.
 * @param look Looks once.
 * @param right Whether that is it; default: anything but false, null and undefined.
 * @returns what was seen.
 * @throws {Error} with what was seen last, when it is too late.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  right: (seen: T) => boolean = (seen) => seen !== false && seen !== undefined && seen !== null,
  options: UntilOptions = {},
): Promise<T> {
  const { within: limit = PATIENCE_MS } = options;
  using clock = new FairClock();
  for (;;) {
    const seen = await look();
    if (clock.ms > limit) {
      throw new Error(`${what}: not within ${limit} ms; last seen: ${Deno.inspect(seen)}`);
    }
    if (right(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}

/**
 * Fails if a promise takes too long.
 *
 * @param ms How long it may take.
 * @param what What is waited for, for the error.
 */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  using _clock = new FairClock((now) => {
    if (now > ms) late.reject(new Error(`${what}: not within ${ms} ms`));
  });
  return await Promise.race([promise, late.promise]);
}

/**
 * A clock that runs while this process is served. Where a machine is so busy that this process has to
 * wait for a processor, so have those that it tests, and that time is nobody's fault.
 */
export class FairClock implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  #ms = 0;

  /** @param onTick Gets the time, again and again. */
  constructor(onTick: (ms: number) => void = () => {}) {
    this.#timer = setInterval(() => onTick(this.#ms += TICK_MS), TICK_MS);
  }

  /** Milliseconds since it was started. */
  get ms(): number {
    return this.#ms;
  }

  /** Stops it. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
