/**
 * Failures that a test wants.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CircuitError, type ErrorCode } from "../mod.ts";

/**
 * Waits for a call to fail, with a `CircuitError` of this code.
 *
 * @returns the error.
 */
export async function assertFails(
  code: ErrorCode,
  call: Promise<unknown>,
): Promise<CircuitError> {
  let result: unknown;
  try {
    result = await call;
  } catch (error) {
    assert(error instanceof CircuitError, `want a CircuitError, not ${Deno.inspect(error)}`);
    assertEquals(error.code, code, error.message);
    return error;
  }
  throw new Error(`want ${code}, but the call returned ${Deno.inspect(result)}`);
}
