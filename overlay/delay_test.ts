import { assertEquals } from "@std/assert";
import { countListeners } from "../tests/listeners.ts";
import { delay } from "./delay.ts";

Deno.test("delay() ends early by its signal, whenever that is aborted", async () => {
  const controller = new AbortController();
  const waiting = delay(60_000, controller.signal);
  controller.abort();
  assertEquals(await waiting, undefined);
  assertEquals(await delay(60_000, controller.signal), undefined);
});

Deno.test("delay() takes its time, and lets go of its signal", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const before = performance.now();
  const waiting = delay(20, signal);
  assertEquals(listeners(), 1);
  await waiting;
  assertEquals([listeners(), performance.now() - before >= 19], [0, true]);
});
