import { assertEquals, assertRejects } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { encode } from "./fake_world_test.ts";
import { lines } from "./lines.ts";

Deno.test("lines() splits bytes however they are cut", async () => {
  const bytes = encode("/a\n\n/é·\nlast");
  for (let size = 1; size <= bytes.length; size++) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const found = await Array.fromAsync(lines(ReadableStream.from(chunks)));
    assertEquals(found, ["/a", "", "/é·", "last"]);
  }
});

Deno.test("lines() gives a line as soon as it is there", async () => {
  let enqueue: (text: string) => void = () => {};
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void (enqueue = (text) => controller.enqueue(encode(text))),
  });
  const iterator = lines(stream);
  enqueue("/a\n/b");
  assertEquals((await iterator.next()).value, "/a");
  await iterator.return(undefined);
});

Deno.test("lines() ends when it is told to, and cancels the stream", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const controller = new AbortController();
  const all = Array.fromAsync(lines(stream, controller.signal));
  controller.abort();
  assertEquals(await all, []);
  assertEquals(cancelled, true);
});

Deno.test("lines() bounds a line", async () => {
  const endless = new ReadableStream({ pull: (to) => to.enqueue(encode("x".repeat(1000))) });
  await assertRejects(() => Array.fromAsync(lines(endless)), CircuitError, "longer than 65536");
});
