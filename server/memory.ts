/**
 * Giving memory back after a burst. V8 collects garbage when memory is asked for, so a process that
 * was busy and then has little to do keeps what it had for as long as that lasts.
 *
 * @module
 */

import type { Clock } from "../overlay/transport/clock.ts";

/** Milliseconds between two looks. */
export const LOOK_MS = 10_000;

/** Bytes by which the process has to have grown for a collection to be worth its time: 8 MiB. */
export const WORTHWHILE_BYTES = 8 * 1024 * 1024;

/** Share of a processor below which the process counts as idle: a pause harms nobody then. */
export const IDLE_SHARE = 0.2;

/** Bytes above which a collection takes too long to be ordered: 512 MiB. V8 does it bit by bit. */
export const TOO_LARGE_BYTES = 512 * 1024 * 1024;

/** What is looked at. */
export interface Reading {
  /** Milliseconds of a clock that never goes back. */
  readonly now: number;
  /** Milliseconds of processor time that the process has used so far. */
  readonly busy: number;
  /** Its resident memory, in bytes. */
  readonly rss: number;
}

/** Decides when to collect garbage, without doing it. */
export class Housekeeping {
  #last: Reading;
  #low = 0;
  #collected = false;

  /** @param first A first look, from which time is counted. */
  constructor(first: Reading) {
    this.#last = first;
  }

  /** True if now is a good time for a collection. Called every {@linkcode LOOK_MS}. */
  due(reading: Reading): boolean {
    const { now, busy, rss } = reading;
    const share = (busy - this.#last.busy) / Math.max(1, now - this.#last.now);
    this.#last = reading;
    // What is left after a collection is what the process needs.
    this.#low = this.#collected ? rss : Math.min(this.#low, rss);
    this.#collected = share < IDLE_SHARE && rss <= TOO_LARGE_BYTES &&
      rss - this.#low >= WORTHWHILE_BYTES;
    return this.#collected;
  }
}

/**
 * Looks at this process every {@linkcode LOOK_MS} and gives memory back where that does no harm.
 * Without effect where V8 cannot be asked.
 *
 * @param clock Calls back for the looks.
 * @returns what ends it.
 */
export async function keepHouse(clock: Clock): Promise<() => void> {
  const collect = await collector();
  if (!collect) return () => {};
  const { default: process } = await import("node:process");
  const read = (): Reading => {
    const { user, system } = process.cpuUsage();
    return {
      now: clock.now(),
      busy: (user + system) / 1000,
      rss: Deno.memoryUsage().rss,
    };
  };
  const housekeeping = new Housekeeping(read());
  return clock.every(LOOK_MS, () => {
    if (housekeeping.due(read())) collect();
  });
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
