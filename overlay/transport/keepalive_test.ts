import { assertEquals } from "@std/assert";
import { Keepalive } from "./keepalive.ts";
import { KEEPALIVE_MS } from "./limits.ts";

/** What comes of ticks every 2 s without a word, by the time in seconds. */
function silence(seconds: number, busy: boolean, eager = false): Record<number, string> {
  const keepalive = new Keepalive(0);
  const events: Record<number, string> = {};
  for (let now = KEEPALIVE_MS; now <= seconds * 1000; now += KEEPALIVE_MS) {
    const todo = keepalive.tick(now, busy, eager);
    if (todo) events[now / 1000] = todo;
  }
  return events;
}

Deno.test("tick() pings a silent peer and gives it up, sooner while calls are open", () => {
  assertEquals(silence(12, true), {
    2: "ping",
    4: "ping",
    6: "ping",
    8: "ping",
    10: "ping",
    12: "lost",
  });
  assertEquals(silence(34, false), { 30: "ping", 32: "ping", 34: "ping" });
  assertEquals(silence(42, false)[42], "lost");
  assertEquals(silence(4, false, true), { 2: "ping", 4: "ping" });
});

Deno.test("tick() leaves a peer alone that was heard", () => {
  const keepalive = new Keepalive(0);
  for (let now = KEEPALIVE_MS; now < 100_000; now += KEEPALIVE_MS) {
    keepalive.heard(now - 1);
    assertEquals(keepalive.tick(now, true), undefined);
  }
});

Deno.test("tick() that comes late asks first, since this process itself was stopped", () => {
  const keepalive = new Keepalive(0);
  assertEquals(keepalive.tick(2_000, true), "ping");
  assertEquals(keepalive.tick(100_000, true), "ping");
  assertEquals(keepalive.tick(110_000, true), "ping");
  assertEquals(silence(12, true)[12], "lost");
});

Deno.test("tick() does not blame a peer for the silence before there was a call", () => {
  const keepalive = new Keepalive(0);
  const events = [];
  for (let now = KEEPALIVE_MS; now <= 32_000; now += KEEPALIVE_MS) {
    events.push(keepalive.tick(now, now > 20_000));
  }
  // Idle until 20 s; then it is asked, and has 10 s to answer.
  assertEquals(events.slice(0, 10), Array(10).fill(undefined));
  assertEquals(events.slice(10), ["ping", "ping", "ping", "ping", "ping", "lost"]);
});
