/**
 * Taking times: rounds, medians, and comparisons whose two sides take turns.
 *
 * @module
 */

/** Calls of a round of one at a time. */
const CALLS = 2_000;

/** Rounds before those that count, in which the programs' code is compiled. */
const WARM_UP = 2;

/** A value beside its raw limit. */
export interface Comparison {
  readonly value: number;
  readonly raw: number;
  readonly ratio: number;
}

/** One round of some work: its figure. */
export type Round = () => Promise<number>;

/**
 * Measures both sides in turns, so that a machine that does other things at the same time is as much
 * in the one as in the other.
 *
 * @param warmUp Rounds before those that count, fewer where the same work was done just before.
 */
export async function compare(
  rounds: number,
  ours: Round,
  raw: Round,
  warmUp: number = WARM_UP,
): Promise<Comparison> {
  const values: number[] = [];
  const raws: number[] = [];
  const ratios: number[] = [];
  for (let i = -warmUp; i < rounds; i++) {
    const below = await raw();
    const value = await ours();
    if (i < 0) continue;
    raws.push(below);
    values.push(value);
    ratios.push(value / below);
  }
  return { value: median(values), raw: median(raws), ratio: median(ratios) };
}

/** The median of so many rounds. */
export async function repeat(rounds: number, work: Round): Promise<number> {
  const values: number[] = [];
  for (let i = -WARM_UP; i < rounds; i++) {
    const value = await work();
    if (i >= 0) values.push(value);
  }
  return median(values);
}

/** Median microseconds of a call, one at a time. */
export async function latency(
  call: () => unknown,
  calls: number = CALLS,
): Promise<number> {
  const times = new Float64Array(calls);
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    await call();
    times[i] = performance.now() - start;
  }
  return median(times) * 1000;
}

/** Calls a second, so many at a time. */
export async function rate(
  calls: number,
  inFlight: number,
  call: () => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  let left = calls;
  const worker = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return calls / seconds(start);
}

/** Megabytes a second. */
export async function throughput(bytes: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return bytes / 1e6 / seconds(start);
}

/** The middle value. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Seconds since a time of `performance.now()`. */
export function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}
