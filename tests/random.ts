/**
 * Chance that a seed reproduces.
 *
 * @module
 */

/** Random numbers that depend on nothing but a seed (the generator is known as mulberry32). */
export class Random {
  #state: number;

  /** @param seed A whole number; its lowest 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to but not including 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to but not including `below`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in `share` of all cases. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of the items; undefined if there are none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  /** So many random bytes, from a faster generator whose numbers are less random. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
      bytes[i] = this.#state >>> 24;
    }
    return bytes;
  }
}

/** A generator of numbers from 0 up to but not including 1, as {@linkcode Random.next}. */
export function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.next();
}

/** Some of the items, at random, each once. */
export function sample<T>(
  items: readonly T[],
  count: number,
  random: () => number,
): T[] {
  const pool = [...items];
  for (let i = 0; i < count && i < pool.length; i++) {
    const j = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[j]] = [pool[j] as T, pool[i] as T];
  }
  return pool.slice(0, count);
}

/**
 * A seed for this run, printed so that the run can be had again with CIRCUIT_TEST_SEED.
 *
 * @param what What it is for.
 */
export function newSeed(what: string): number {
  const given = Deno.env.get("CIRCUIT_TEST_SEED");
  const chosen = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  console.log(`${what}: CIRCUIT_TEST_SEED=${chosen}`);
  return chosen;
}
