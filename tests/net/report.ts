/**
 * Measured values, for whoever reads the output of the tests, and the bounds that they must keep.
 *
 * @module
 */

import { assert } from "@std/assert";

/** Prints a measured value and its bound; fails if it is above that. */
export function assertAtMost(what: string, value: number, bound: number, unit: string): void {
  const shown = Number.isInteger(value) ? String(value) : value.toPrecision(3);
  console.log(`${what}: ${shown} ${unit}, at most ${bound} ${unit}`);
  assert(value <= bound, `${what}: ${shown} ${unit}, but at most ${bound} ${unit} were wanted`);
}
