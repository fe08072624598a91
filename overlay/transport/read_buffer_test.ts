import { assert, assertEquals } from "@std/assert";
import { MAX_READ_BYTES, MIN_READ_BYTES } from "./limits.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { newSeed, Random } from "../../tests/random.ts";

/** Reads `count` bytes that count up from `value`. */
function fill(buffer: ReadBuffer, count: number, value: number): number {
  const space = buffer.space();
  assert(space.length > 0);
  const read = Math.min(count, space.length);
  for (let i = 0; i < read; i++) space[i] = value + i;
  buffer.filled(read);
  return read;
}

Deno.test("ReadBuffer keeps bytes in order through growing, moving and shrinking", () => {
  const random = new Random(newSeed("read buffer"));
  for (let round = 0; round < 50; round++) {
    const buffer = new ReadBuffer();
    let written = 0;
    let taken = 0;
    for (let step = 0; step < 200; step++) {
      const wanted = random.below([20, 3_000, 100_000][random.below(3)]!);
      while (buffer.available < wanted) {
        buffer.want(wanted);
        written += fill(buffer, 1 + random.below(random.below(2) ? 100 : 300_000), written);
      }
      const { bytes, at } = buffer;
      for (const i of [0, wanted >> 1, wanted - 1]) {
        if (wanted > 0) assertEquals(bytes[at + i], (taken + i) & 0xff);
      }
      buffer.take(wanted);
      taken += wanted;
    }
    assertEquals(buffer.available, written - taken);
    assert(buffer.bytes.length <= 2 * MAX_READ_BYTES);
  }
});

Deno.test("ReadBuffer grows with large reads and shrinks with small ones", () => {
  const buffer = new ReadBuffer();
  assertEquals(buffer.bytes.length, MIN_READ_BYTES);
  for (let i = 0; i < 8; i++) buffer.take(fill(buffer, Infinity, 0));
  assertEquals(buffer.bytes.length, MAX_READ_BYTES);
  for (let i = 0; i < 8; i++) buffer.take(fill(buffer, 18, 0));
  assertEquals(buffer.bytes.length, MIN_READ_BYTES);
});
