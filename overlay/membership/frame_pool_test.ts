import { assertEquals } from "@std/assert";
import { FramePool } from "./frame_pool.ts";

Deno.test("FramePool.copy() gives frames that stay as they were, small and large", () => {
  const pool = new FramePool();
  const scratch = new Uint8Array(2000);
  const frames: Uint8Array[] = [];
  const lengths = Array.from({ length: 300 }, (_, i) => i * 37 % 2000);
  lengths.forEach((length, i) => {
    scratch.fill(i);
    frames.push(pool.copy(scratch, length));
  });
  scratch.fill(255);
  frames.forEach((frame, i) => {
    assertEquals(frame.length, lengths[i]);
    assertEquals(frame.every((byte) => byte === i % 256), true, `frame ${i}`);
  });
});
