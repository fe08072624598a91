/**
 * A server with nothing to do.
 *
 * @module
 */

import { dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import { activity } from "./process.ts";
import type { Bench } from "./section.ts";

/** Milliseconds after the start in which a server may still be busy with itself: V8 is, mostly. */
const SETTLE_MS = 30_000;

/** Milliseconds for which it is watched. */
const WATCH_MS = 60_000;

/** The same with `--quick`. */
const QUICK_WATCH_MS = 10_000;

/** The processor time and the wake-ups of a server in a circuit of two, with a client connected. */
export async function idle(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using _other = await startServerProcess(["-j", server.address]);
  await using _client = await dial(server.address);
  await sleep(SETTLE_MS);
  const watch = bench.quick ? QUICK_WATCH_MS : WATCH_MS;
  const before = await activity(server.pid);
  const start = performance.now();
  await sleep(watch);
  const after = await activity(server.pid);
  const elapsed = (performance.now() - start) / 1000;
  if (!before || !after) {
    bench.skip("idle server", "this system has no /proc");
    return;
  }
  bench.add({
    work: "idle server, of two, with a client: processor",
    unit: "% core",
    value: (after.cpu - before.cpu) / elapsed * 100,
    target: { of: "value", atMost: 0.2 },
  });
  bench.add({
    work: "idle server: wake-ups of its threads",
    unit: "/s",
    value: (after.wakeups - before.wakeups) / elapsed,
    target: { of: "value", atMost: 10 },
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
