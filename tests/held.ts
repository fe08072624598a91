/**
 * What this process holds, without the garbage that nobody has collected yet. How much garbage there
 * is depends on the machine's memory and on V8, so no test judges it.
 *
 * @module
 */

import { collector } from "../server/memory.ts";
import { settle } from "../overlay/transport/_testing.ts";

/** Collections, so that what finalizers let go of in one is gone after the next. */
const ROUNDS = 3;

/**
 * Collects garbage, then tells the bytes that this process holds in its heap and in buffers.
 *
 * @returns undefined where a program can't order a collection: in Deno 2.7 without
 * `--v8-flags=--expose-gc`, which `deno task test` sets. A test then judges nothing.
 */
export async function heldBytes(): Promise<number | undefined> {
  const collect = await collector();
  if (!collect) return undefined;
  for (let round = 0; round < ROUNDS; round++) {
    await settle();
    collect();
  }
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
