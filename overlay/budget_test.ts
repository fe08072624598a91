import { assertEquals, assertThrows } from "@std/assert";
import { Budget } from "./budget.ts";
import { CircuitError } from "./errors.ts";

Deno.test("Share.take() refuses what is more than the budget of all has left, and takes nothing", () => {
  const budget = new Budget(800);
  budget.inflow.take(300);
  budget.replies.take(400);
  const error = assertThrows(() => budget.calls.take(101), CircuitError);
  assertEquals(error.code, "BUSY");
  assertEquals(
    error.message,
    "no memory for 101 bytes more: the server holds 700 for its clients, at most 800 are allowed " +
      "(circuit start -memory)",
  );
  budget.calls.take(100);
  assertEquals([budget.used, budget.inflow.fits(0), budget.inflow.fits(1)], [800, true, false]);
  budget.replies.add(-400);
  assertEquals(budget.use, { channels: 0, outputs: 0, inflow: 300, replies: 0, calls: 100 });
});

Deno.test("channels and outputs leave an eighth to what passes through", () => {
  const budget = new Budget(800);
  budget.channels.take(600);
  const error = assertThrows(() => budget.outputs.take(101), CircuitError);
  assertEquals(
    error.message,
    "no memory for 101 bytes more: the server holds 600 for its clients, at most 800 are allowed, " +
      "100 of which stay free (circuit start -memory)",
  );
  budget.outputs.take(100);
  assertEquals([budget.channels.fits(1), budget.channels.fits(100, true)], [false, true]);
  budget.channels.take(50, true);
  budget.inflow.take(50);
  assertEquals([budget.used, budget.inflow.fits(1)], [800, false]);
});

Deno.test("Share.add() goes beyond the limit, and back", () => {
  const budget = new Budget(800);
  budget.outputs.add(1000);
  assertEquals([budget.used, budget.inflow.fits(0)], [1000, false]);
  budget.outputs.add(-1000);
  assertEquals([budget.used, budget.inflow.fits(800)], [0, true]);
});

Deno.test("a Budget without a limit counts, and refuses nothing", () => {
  const budget = new Budget();
  budget.channels.take(Number.MAX_SAFE_INTEGER);
  assertEquals([budget.limit, budget.inflow.fits(1e300)], [Infinity, true]);
});
