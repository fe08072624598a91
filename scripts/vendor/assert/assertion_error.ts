// The error that every failed assertion throws, and what its message needs:
// readable values and a difference between two of them.

import assert from "node:assert/strict";

/** Thrown by every assertion of this package that does not hold. */
export class AssertionError extends Error {
  /** Makes the error with the given message and, as for `Error`, a cause. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Throws an {@linkcode AssertionError} with the caller's remark at its end. */
export function refuse(what: string, remark?: string): never {
  throw new AssertionError(remark ? `${what}: ${remark}` : `${what}.`);
}

/** The value as a reader of a failure wants to see it. */
export function show(value: unknown): string {
  return Deno.inspect(value, {
    depth: 100,
    sorted: true,
    trailingComma: true,
    compact: false,
    iterableLimit: 1000,
    getters: true,
    strAbbreviateSize: 100_000,
  });
}

/** What differs between two values, in the runtime's own words. */
export function difference(actual: unknown, expected: unknown): string {
  return new assert.AssertionError({
    actual,
    expected,
    operator: "deepStrictEqual",
  }).message;
}
