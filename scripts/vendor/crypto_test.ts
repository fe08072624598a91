// What the project relies on in @std/crypto. It holds for the real package and for the stand-in.

import { assert, assertFalse, assertThrows } from "@std/assert";
// deno-lint-ignore no-import-prefix -- as the project imports it
import { timingSafeEqual } from "jsr:@std/crypto@^1.1.0/timing-safe-equal";

Deno.test("timingSafeEqual() compares bytes, whatever holds them", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const view = Uint8Array.of(0, 1, 2, 3, 4).subarray(1, 4);
  assert(timingSafeEqual(bytes, view));
  assert(timingSafeEqual(bytes.buffer, new DataView(view.buffer, 1, 3)));
  assertFalse(timingSafeEqual(bytes, Uint8Array.of(1, 2, 4)));
  assert(timingSafeEqual(new Uint8Array(), new ArrayBuffer(0)));
});

Deno.test("timingSafeEqual() refuses different lengths", () => {
  assertThrows(() => timingSafeEqual(Uint8Array.of(1), Uint8Array.of(1, 2)), Error);
});
