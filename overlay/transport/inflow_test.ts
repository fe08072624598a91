import { assert, assertEquals } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { newSeed, Random } from "../../tests/random.ts";
import { Inflow } from "./inflow.ts";
import { SpareMemory } from "./spare_memory.ts";

const WINDOW = 1_000_000;

Deno.test("Inflow.read() gives what has come, in order, in the reader's memory or in its own", async () => {
  const random = new Random(newSeed("inflow"));
  const sizes = [1, 10, 3_000, 40_000, 65_536];
  for (let round = 0; round < 100; round++) {
    const memory = new SpareMemory();
    let held = 0;
    const holder = { hold: (bytes: number) => void (held += bytes) };
    const inflow = new Inflow({ memory, sendCredit() {} }, 1, WINDOW, holder);
    const [sent, read] = [{ bytes: 0 }, { bytes: 0 }];
    const send = () => {
      const bytes = new Uint8Array(1 + random.below(sizes[random.below(sizes.length)]!));
      for (let i = 0; i < bytes.length; i++) bytes[i] = sent.bytes++ % 251;
      inflow.take(bytes, false);
      // The read buffer is used again.
      bytes.fill(0xff);
    };
    for (let step = 0; step < 40 && sent.bytes < WINDOW - 65_536; step++) {
      const first = random.below(2) === 1;
      if (first) send();
      const own = random.below(2) ? new Uint8Array(1 + random.below(100_000)) : undefined;
      const reading = inflow.read(own);
      if (read.bytes === sent.bytes) send();
      const chunk = await reading;
      assert(chunk && chunk.length > 0);
      if (own) assertEquals([chunk.buffer, chunk.byteOffset], [own.buffer, 0]);
      assert(chunk.every((byte) => byte === read.bytes++ % 251));
      assertEquals(held, sent.bytes - read.bytes);
      if (!own && random.below(2)) memory.recycle(chunk);
    }
    inflow.take(new Uint8Array(0), true);
    for (;;) {
      const chunk = await inflow.read(new Uint8Array(50_000));
      if (!chunk) break;
      assert(chunk.every((byte) => byte === read.bytes++ % 251));
    }
    assertEquals([read.bytes, held], [sent.bytes, 0]);
    assert(inflow.drained);
  }
});

Deno.test("Inflow.fail() ends a read into the reader's memory, which is left alone from then on", async () => {
  const memory = new SpareMemory();
  const inflow = new Inflow({ memory, sendCredit() {} }, 1, WINDOW);
  const own = new Uint8Array(10);
  const reading = inflow.read(own).catch(() => "failed");
  inflow.fail(new CircuitError("ABORTED", "over"));
  assertEquals(await reading, "failed");
  const next = inflow.read();
  inflow.take(new Uint8Array([1, 2]), false);
  assertEquals(await next, new Uint8Array([1, 2]));
  assertEquals(own, new Uint8Array(10));
});
