import { assertEquals, assertThrows } from "@std/assert";
import { FakeClock } from "./_testing.ts";
import { AlignedClock, hostOrigin } from "./aligned_clock.ts";

Deno.test("AlignedClock.every() calls all back at the same moments, whole periods from its origin", async () => {
  const time = new FakeClock();
  const clock = new AlignedClock(-300, time);
  const calls: [string, number][] = [];
  const stops = ["a", "b"].map((name) => clock.every(2_000, () => calls.push([name, time.now()])));
  await time.pass(1_000);
  stops.push(clock.every(2_000, () => calls.push(["c", time.now()])));
  assertEquals(time.pending, 1);
  await time.pass(3_000);
  assertEquals(calls, [
    ...["a", "b", "c"].map((name): [string, number] => [name, 1_700]),
    ...["a", "b", "c"].map((name): [string, number] => [name, 3_700]),
  ]);
  for (const stop of stops) stop();
  assertEquals(time.pending, 0);
});

Deno.test("AlignedClock.every() has a timer for each period", async () => {
  const time = new FakeClock();
  const clock = new AlignedClock(0, time);
  const calls: number[] = [];
  clock.every(1_000, () => calls.push(1));
  clock.every(2_000, () => calls.push(2));
  assertEquals(time.pending, 2);
  await time.pass(4_000);
  assertEquals(calls.toSorted(), [1, 1, 1, 1, 2, 2]);
});

Deno.test("AlignedClock.every() leaves out what a process that stood still has missed", async () => {
  const time = new FakeClock();
  const clock = new AlignedClock(0, time);
  const calls: number[] = [];
  clock.every(1_000, () => calls.push(time.now()));
  await time.pass(1_500);
  time.stop(3_700);
  await time.pass(1_000);
  assertEquals(calls, [1_000, 5_200, 6_000]);
});

Deno.test("what AlignedClock.every() returns ends it, also for one that is called back just now", async () => {
  const time = new FakeClock();
  const clock = new AlignedClock(0, time);
  const calls: string[] = [];
  const stops: (() => void)[] = [];
  stops.push(clock.every(100, () => {
    calls.push("first");
    for (const stop of stops) stop();
  }));
  stops.push(clock.every(100, () => calls.push("second")));
  await time.pass(1_000);
  assertEquals([calls, time.pending], [["first"], 0]);
  stops[0]?.();
  clock.every(100, () => calls.push("third"));
  stops[1]?.();
  await time.pass(100);
  assertEquals(calls, ["first", "third"]);
});

Deno.test("a callback that throws keeps AlignedClock.every() from no other, nor from going on", () => {
  let ring = () => {};
  const clock = new AlignedClock(0, {
    now: () => 0,
    after: (_, callback) => (ring = callback, () => {}),
    every: () => () => {},
  });
  let calls = 0;
  clock.every(100, () => {
    throw new Error("not me");
  });
  clock.every(100, () => calls++);
  assertThrows(() => ring(), Error, "not me");
  assertThrows(() => ring(), Error, "not me");
  assertEquals(calls, 2);
});

Deno.test("hostOrigin() is the same moment of a second for all processes of a host only", () => {
  const wall = 1_764_000_000_123.5;
  const place = (host: string, started: number, at: number) => {
    const now = at - started;
    const origin = hostOrigin(host, now, at);
    assertEquals(now - origin >= 0 && now - origin < 1_000, true);
    return (started + origin) % 1_000;
  };
  const here = place("10.0.0.1", wall - 5_000, wall);
  assertEquals(place("10.0.0.1", wall - 98_765.25, wall + 7_654.75), here);
  const hosts = Array.from({ length: 256 }, (_, i) => place(`10.0.0.${i}`, wall, wall));
  assertEquals(new Set(hosts.map((ms) => Math.floor(ms / 100))).size, 10);
});
