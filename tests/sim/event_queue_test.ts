import { assertEquals } from "@std/assert";
import { EventQueue } from "./event_queue.ts";
import { seeded } from "../random.ts";

Deno.test("EventQueue gives events by time, and by order of entry at the same time", () => {
  const random = seeded(3);
  const queue = new EventQueue<[number, number]>();
  const expected: [number, number][] = [];
  for (let i = 0; i < 5000; i++) {
    const event: [number, number] = [Math.floor(random() * 100), i];
    queue.push(event[0], event);
    expected.push(event);
  }
  expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assertEquals(expected.map(() => queue.pop()), expected);
  assertEquals(queue.nextTime, Infinity);
});
