/**
 * A burst of allocations, of which a few stay, and what housekeeping makes of it: for a test, in a
 * process of its own.
 *
 * @module
 */

import { systemClock } from "../overlay/transport/clock.ts";
import { keepHouse, LOOK_MS } from "./memory.ts";

const PIECES = 4_000;
const PIECE_BYTES = 32 * 1024;
const LIVES_ON = 50;

/** Looks as often as the test wants; the time between them passes for the housekeeping alone. */
let passed = 0;
const looks: (() => void)[] = [];
const stop = await keepHouse({
  now: () => passed + performance.now(),
  every(_, callback) {
    looks.push(callback);
    return () => {};
  },
  after: systemClock.after,
}, () => 0);
const rss = () => Deno.memoryUsage().rss;

const before = rss();
const few: Uint8Array[] = [];
let all: Uint8Array[] = [];
for (let i = 0; i < PIECES; i++) {
  all.push(new Uint8Array(PIECE_BYTES).fill(1));
  if (i % LIVES_ON === 0) few.push(new Uint8Array(100).fill(1));
}
const full = rss();
all = [];
let after = full;
// Free memory comes some time after the look that asks for it.
for (let look = 0; look < 10 && after - before > (full - before) / 2; look++) {
  passed += LOOK_MS;
  looks.forEach((each) => each());
  for (let i = 0; i < 30 && after - before > (full - before) / 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    after = rss();
  }
}
stop();
console.log(JSON.stringify({ before, full, after, few: few.length + all.length }));
