/**
 * What processes take of the machine they run on, and what is left for them: by Linux's counters.
 *
 * @module
 */

import { statFields } from "../../elements/proc/os_state.ts";
import { output } from "./ip.ts";

/** Milliseconds of a core in a tick of the counters: Linux counts 100 a second. */
const TICK_MS = 10;

/** The counters of a moment. */
export interface Reading {
  /** Of `performance.now()`. */
  readonly at: number;
  /** Milliseconds that a core has worked so far, all cores together, for whomever. */
  readonly busyMs: number;
  /** Milliseconds that this process, and programs it has waited for, have worked so far. */
  readonly ownMs: number;
  /** The same for each of the processes that were asked for. */
  readonly processMs: readonly number[];
}

/** Reads the counters of the machine and of these processes. */
export async function readCounters(pids: readonly number[]): Promise<Reading> {
  const files = [Deno.pid, ...pids].map((pid) => `/proc/${pid}/stat`);
  const at = performance.now();
  const text = await output("sed", ["-s", "-n", "1p", "/proc/stat", ...files]);
  const [all = "", own = "", ...each] = text.trim().split("\n");
  // Of all that a core does, the fourth and the fifth number are its waiting.
  const kinds = all.split(/ +/).slice(1, 9).map(Number);
  const busy = sum(kinds.filter((_, i) => i !== 3 && i !== 4));
  return {
    at,
    busyMs: busy * TICK_MS,
    ownMs: workMs(own, 4),
    processMs: each.map((stat) => workMs(stat, 2)),
  };
}

/**
 * Milliseconds between two moments, without the share of the machine that others took meanwhile:
 * what it would have taken on a machine where nothing else runs.
 *
 * @param before The processes of which it read the counters count as none of the others.
 * @param after May have read those of further processes, which were started in the meantime.
 */
export function undisturbedMs(before: Reading, after: Reading): number {
  const ms = after.at - before.at;
  const own = after.ownMs - before.ownMs + sum(after.processMs) - sum(before.processMs);
  const others = Math.max(0, after.busyMs - before.busyMs - own);
  return Math.max(0, ms - others / navigator.hardwareConcurrency);
}

/** The sum of so many counters, from user time on, of a line in `/proc/PID/stat`. */
function workMs(stat: string, count: number): number {
  return sum(statFields(stat).slice(14, 14 + count).map(Number)) * TICK_MS;
}

/** Adds them up. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
