import { assert, assertEquals } from "@std/assert";
import { connectPair } from "./_testing.ts";
import { newSeed, Random } from "../../tests/random.ts";
import { MAX_DATA_BYTES } from "./limits.ts";
import { SpareMemory } from "./spare_memory.ts";
import type { Stream } from "./stream.ts";

const LARGE = new Uint8Array(MAX_DATA_BYTES).fill(1);

Deno.test("SpareMemory.copy() copies into what was recycled, if that has room", () => {
  const memory = new SpareMemory();
  const first = memory.copy(LARGE);
  assertEquals(first, LARGE);
  memory.recycle(first);
  const next = new Uint8Array(MAX_DATA_BYTES - 1).fill(2);
  const second = memory.copy(next);
  assertEquals(second, next);
  assert(second.buffer === first.buffer);
  memory.recycle(memory.copy(next));
  const third = memory.copy(LARGE);
  assertEquals(third, LARGE);
  assert(third.buffer !== second.buffer);
});

Deno.test("SpareMemory keeps 512 KiB at most, and no memory of small copies", () => {
  const memory = new SpareMemory();
  const copies = Array.from({ length: 20 }, () => memory.copy(LARGE));
  for (const copy of copies) memory.recycle(copy);
  assertEquals(memory.capacity, 512 * 1024);
  memory.clear();
  memory.recycle(memory.copy(new Uint8Array(100)));
  memory.recycle(new Uint8Array(MAX_DATA_BYTES + 1));
  assertEquals(memory.capacity, 0);
});

Deno.test("Stream.recycle() changes no byte of what is read next, queued or not", async () => {
  const accepted = Promise.withResolvers<Stream>();
  await using pair = await connectPair({
    acceptor: { onRequest: (incoming) => accepted.resolve(incoming.session.accept(incoming)) },
  });
  const random = new Random(newSeed("recycled"));
  const bytes = random.bytes(4 * 1024 * 1024);
  const stream = pair.dialler.open("test", "/");
  const call = await accepted.promise;
  call.accept();
  call.grant(4 * MAX_DATA_BYTES);
  let recycled = 0;
  const reading = (async () => {
    for (let at = 0; at < bytes.length;) {
      const chunk = call.poll() ?? await call.read();
      assert(chunk);
      // Some is left to queue up behind it.
      if (random.below(4) === 0) await pair.dialler.ping();
      assertEquals(chunk, bytes.subarray(at, at + chunk.length));
      at += chunk.length;
      call.grant(chunk.length);
      if (random.below(3) === 0) continue;
      call.recycle(chunk);
      recycled++;
    }
  })();
  await stream.write(bytes);
  await reading;
  assert(recycled > 10);
});
