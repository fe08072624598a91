/**
 * Giving memory back after a burst. V8 collects garbage when memory is asked for, so a process that
 * was busy and then has little to do keeps what it had for as long as that lasts; and of what V8 has
 * let go, the C library gives the system back only what lies at the end of its own memory.
 *
 * @module
 */

import { memoryTrimmer } from "./libc.ts";
import type { Clock } from "../overlay/transport/clock.ts";

/** Milliseconds between two looks. */
export const LOOK_MS = 10_000;

/** Bytes by which the process has to have grown for a collection to be worth its time: 8 MiB. */
export const WORTHWHILE_BYTES = 8 * 1024 * 1024;

/** Share of a processor below which the process counts as idle: a pause harms nobody then. */
export const IDLE_SHARE = 0.2;

/**
 * Bytes of JavaScript objects above which no collection is ordered: 512 MiB, half a second if all of
 * them live. Other servers notice a silence of 1.4 s. What messages and output hold is no part of it.
 */
export const LARGE_HEAP_BYTES = 512 * 1024 * 1024;

/**
 * Milliseconds from a collection until free memory is given back: 2 s. V8 frees what it has found
 * dead on other threads, after the collection has returned.
 */
const FREEING_MS = 2_000;

/** What is looked at. */
export interface Reading {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number;
  /** Milliseconds of processor time that the process has used so far. */
  readonly busy: number;
  /** Its resident memory, in bytes. */
  readonly rss: number;
  /** Of it, JavaScript objects, dead ones included. */
  readonly heap: number;
  /** Of it, what the process knows that it holds for others; garbage, once it is less. */
  readonly held: number;
}

/** What to do now: collect garbage, and give free memory back to the system; or only the latter. */
export type Chore = "collect" | "trim";

/**
 * Looks after which what gave nothing is tried again: 2 at first, then twice as many each time, 32 at
 * most. What the process needed may be garbage by then.
 */
const AGAIN_LOOKS = 2;
const MAX_AGAIN_LOOKS = 32;

/** Bytes of JavaScript objects that make it a look more. */
const AGAIN_HEAP_BYTES = 16 * 1024 * 1024;

/** Decides when to give memory back, without doing it. */
export class Housekeeping {
  #last: Reading;
  #low = 0;
  /** The least that was ever left. */
  #least: number;
  /** The most that was held since the last collection. */
  #held = 0;
  /** Looks until what gave nothing is tried again, and how many that were the last time. */
  #wait = 0;
  #waited = AGAIN_LOOKS / 2;
  /** Resident bytes before what was done at the last look, if anything was. */
  #before: number | undefined;

  /** @param first A first look, from which time is counted. */
  constructor(first: Reading) {
    this.#last = first;
    this.#least = first.rss;
  }

  /** What now is a good time for; undefined for nothing. Called every {@linkcode LOOK_MS}. */
  due(reading: Reading): Chore | undefined {
    const { now, busy, rss, heap, held } = reading;
    const share = (busy - this.#last.busy) / Math.max(1, now - this.#last.now);
    this.#last = reading;
    this.#held = Math.max(this.#held, held);
    if (this.#before !== undefined) this.#judge(this.#before - rss, reading);
    else if (this.#wait > 0) this.#wait--;
    this.#low = Math.min(this.#low, rss);
    const usual = this.#wait > 0 ? this.#low : Math.min(this.#low, this.#least);
    const due = share < IDLE_SHARE &&
      (rss - usual >= WORTHWHILE_BYTES || this.#held - held >= WORTHWHILE_BYTES);
    this.#before = due ? rss : undefined;
    if (!due) return undefined;
    this.#held = held;
    return heap <= LARGE_HEAP_BYTES ? "collect" : "trim";
  }

  /** So much has come back by what was done at the last look. */
  #judge(bytes: number, { rss, heap }: Reading): void {
    if (bytes >= WORTHWHILE_BYTES) {
      this.#waited = AGAIN_LOOKS / 2;
      return;
    }
    // What is left once that gives nothing more is what the process needs.
    this.#low = rss;
    this.#least = Math.min(this.#least, rss);
    this.#waited = Math.min(2 * this.#waited, MAX_AGAIN_LOOKS);
    this.#wait = Math.max(this.#waited, Math.ceil(heap / AGAIN_HEAP_BYTES));
  }
}

/**
 * Looks at this process every {@linkcode LOOK_MS} and gives memory back where that does no harm.
 * Without effect where neither V8 nor the C library can be asked.
 *
 * @param clock Calls back for the looks.
 * @param held Tells what the process holds for others, in bytes.
 * @returns what ends it.
 */
export async function keepHouse(clock: Clock, held: () => number): Promise<() => void> {
  const collect = await collector();
  const trim = memoryTrimmer();
  if (!collect && !trim) return () => {};
  const { default: process } = await import("node:process");
  const read = (): Reading => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = Deno.memoryUsage();
    return { now: clock.now(), busy: (user + system) / 1000, rss, heap: heapUsed, held: held() };
  };
  const housekeeping = new Housekeeping(read());
  let stopTrimming = () => {};
  const stopLooking = clock.every(LOOK_MS, () => {
    const chore = housekeeping.due(read());
    if (chore === "collect") collect?.();
    if (chore && trim) stopTrimming = clock.after(FREEING_MS, trim);
  });
  return () => {
    stopLooking();
    stopTrimming();
  };
}

/**
 * What makes V8 collect garbage and give its free pages back to the system, of which an ordinary
 * collection keeps most; undefined where it has not been told to show that.
 */
export async function collector(): Promise<(() => void) | undefined> {
  const gc = await exposedGc();
  return gc && (() => gc({ type: "major", execution: "sync", flavor: "last-resort" }));
}

/** V8's own function for that. */
async function exposedGc(): Promise<((how: Record<string, string>) => void) | undefined> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc) return gc;
  try {
    const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
    v8.setFlagsFromString("--expose-gc");
    const found: unknown = vm.runInNewContext("gc");
    return typeof found === "function" ? (how) => void found(how) : undefined;
  } catch {
    // Deno 2.7 takes the flag on its command line only.
    return undefined;
  }
}
