import { assertEquals } from "@std/assert";
import { RateLimit } from "./rate_limit.ts";

Deno.test("RateLimit.take() allows a second's worth at once, then so many a second", () => {
  const limit = new RateLimit(10);
  const taken = (now: number) => {
    let count = 0;
    while (limit.take(now)) count++;
    return count;
  };
  assertEquals([0, 0, 100, 350, 10_000].map(taken), [10, 0, 1, 2, 10]);
});
