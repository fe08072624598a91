import { assertAlmostEquals, assertEquals } from "@std/assert";
import { announceDelayMs, queryDelayMs, retryDelayMs } from "./schedule.ts";

Deno.test("announceDelayMs() is a burst of ten at growing intervals, then once a minute", () => {
  const table = [0, 1_000, 1_400, 1_960, 2_744, 3_841.6, 5_378.24, 7_529.536, 10_541.3504];
  table.push(14_757.89056, 60_000, 60_000);
  table.forEach((delay, sent) => assertAlmostEquals(announceDelayMs(sent), delay, 1e-6));
  assertEquals(announceDelayMs(1_000_000), 60_000);
});

Deno.test("announceDelayMs() is shortened by chance, by a tenth at most", () => {
  assertEquals(announceDelayMs(0, 0.99), 0);
  assertAlmostEquals(announceDelayMs(1, 0.5), 950, 1e-6);
  assertAlmostEquals(announceDelayMs(10, 1), 54_000, 1e-6);
});

Deno.test("queryDelayMs() is at once, then soon, then once a second", () => {
  assertEquals([0, 1, 2, 3, 4, 100].map(queryDelayMs), [0, 100, 300, 1_000, 1_000, 1_000]);
});

Deno.test("retryDelayMs() doubles up to a minute", () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((failures) => retryDelayMs(failures));
  assertEquals(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
  assertAlmostEquals(retryDelayMs(1, 0.5), 950, 1e-6);
});
