/**
 * What all fuzzing shares: cases from a seed that is printed, and what must hold for each of them.
 *
 * CIRCUIT_TEST_SEED repeats a run, CIRCUIT_FUZZ says how many cases it has, and CIRCUIT_FUZZ_CASE
 * runs one case alone: a case depends on the seed and on its own number only.
 *
 * @module
 */

import { assert } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { settle } from "../../overlay/transport/_testing.ts";
import { heldBytes } from "../held.ts";
import { newSeed, Random } from "../random.ts";

export { Random };

/** Cases of each target where nobody says how many. */
const CASES = 10_000;

/** Bytes that may be in use at the end beyond those after a tenth of the run: 8 MiB. */
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;

/** Cases after which everything runs that waits to run, so that a lost rejection shows itself. */
const SETTLE_EVERY = 500;

/** Spreads the numbers of cases over all seeds. */
const GOLDEN_RATIO = 0x9e3779b1;

/** One case: it may fail with a `CircuitError` and with nothing else. */
export type Case = (random: Random) => void | Promise<void>;

/**
 * Registers a test that runs a target many times. It fails with the case's number if that throws
 * anything but a `CircuitError`, and if more memory is in use at the end, garbage not counted.
 *
 * @param what What is fuzzed, for the name of the test.
 * @param setUp Makes the target, with chance of its own; what it registers is disposed of at the end.
 */
export function fuzz(
  what: string,
  setUp: (random: Random, stack: AsyncDisposableStack) => Case | Promise<Case>,
): void {
  const cases = Number(Deno.env.get("CIRCUIT_FUZZ") ?? CASES);
  const only = Deno.env.get("CIRCUIT_FUZZ_CASE");
  Deno.test(`${what}: ${cases} cases do no harm`, async () => {
    const chosen = newSeed(what);
    await using stack = new AsyncDisposableStack();
    const run = await setUp(new Random(chosen), stack);
    if (only !== undefined) {
      await one(run, chosen, Number(only));
      return;
    }
    const start = performance.now();
    let refused = 0;
    let before: number | undefined;
    for (let number = 0; number < cases; number++) {
      if (number === Math.floor(cases / 10)) before = await heldBytes();
      if (await one(run, chosen, number)) refused++;
      if (number % SETTLE_EVERY === 0) await settle();
    }
    const after = await heldBytes();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${refused} of ${cases} refused, ${seconds} s`);
    if (before === undefined || after === undefined) return;
    const growth = after - before;
    console.log(`${(growth / 2 ** 20).toFixed(1)} MiB more`);
    assert(growth < MAX_GROWTH_BYTES, `${growth} bytes more are held than after a tenth`);
  });
}

/** Runs a case; true if it was refused. */
async function one(run: Case, seed: number, number: number): Promise<boolean> {
  try {
    const running = run(new Random(seed + Math.imul(number, GOLDEN_RATIO)));
    // Most are over by now; waiting for nothing takes longer than they do.
    if (running) await running;
    return false;
  } catch (error) {
    if (error instanceof CircuitError && error.code !== "INTERNAL") return true;
    const how = `CIRCUIT_TEST_SEED=${seed} CIRCUIT_FUZZ_CASE=${number}`;
    throw new Error(`case ${number} failed (${how} runs it again)`, { cause: error });
  }
}
