import { assert, assertEquals } from "@std/assert";
import { ByteQueue } from "./byte_queue.ts";
import { newSeed, Random } from "../../tests/random.ts";

Deno.test("ByteQueue gives out what was put in, in order, whatever the pieces", () => {
  const random = new Random(newSeed("byte queue"));
  const sizes = [0, 1, 10, 2_000, 2_048, 5_000];
  for (let round = 0; round < 200; round++) {
    const queue = new ByteQueue();
    let value = 0;
    let wanted = 0;
    let length = 0;
    for (let step = 0; step < 300; step++) {
      if (random.below(2)) {
        const bytes = new Uint8Array(random.below(sizes[random.below(sizes.length)]! + 1));
        for (let i = 0; i < bytes.length; i++) bytes[i] = value++;
        queue.push(bytes);
        length += bytes.length;
        // The queue has a copy.
        bytes.fill(0xee);
      } else {
        const most = random.below(4) ? 1 + random.below(3_000) : Infinity;
        const bytes = queue.shift(most);
        assertEquals(bytes === undefined, length === 0);
        assert((bytes?.length ?? 0) <= most);
        assert(bytes?.every((byte) => byte === (wanted++ & 0xff)) ?? true);
        length -= bytes?.length ?? 0;
      }
      assertEquals(queue.length, length);
    }
  }
});

Deno.test("ByteQueue does not write to what it has given away", () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 10; i++) queue.push(new Uint8Array([i]));
  const first = queue.shift(1)!;
  const second = queue.shift(3)!;
  queue.push(new Uint8Array([99]));
  assertEquals([...first, ...second], [0, 1, 2, 3]);
});

Deno.test("ByteQueue packs small pieces", () => {
  const queue = new ByteQueue();
  for (let i = 0; i < 10_000; i++) queue.push(new Uint8Array([i]));
  let chunks = 0;
  while (queue.shift()) chunks++;
  assert(chunks < 10);
});
