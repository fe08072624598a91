/**
 * What servers, and this process, hold while nothing is done: memory and open files.
 *
 * @module
 */

import { openFiles, residentBytes } from "../traces.ts";
import { until } from "../until.ts";
import type { Circuit } from "./circuit.ts";
import { Violation } from "./journal.ts";

const MIB = 1024 * 1024;

/** Bytes by which the memory of a process may have grown in the end, however long the soak was. */
const MAX_GROWTH = 64 * MIB;

/**
 * Open files that a process may have more in the end, however long the soak was: a server keeps a
 * connection that it has dialled to pass on a call, and there may be one in each direction between two.
 */
const MAX_MORE_FILES = 4;

/** Milliseconds in which a process gives back what it can, on a machine that is busy: 90 s. */
const SETTLES_MS = 90_000;

/** Milliseconds without a decrease of memory after which none is expected: twice a server's look. */
const QUIET_MS = 21_000;

/** What a process holds. */
export interface Held {
  /** Resident bytes of a server; of this process, those of its objects. */
  readonly rss: number;
  readonly files: number;
}

/** What each server holds, in the order of their places, and this process as the last. */
export async function settledHolds(circuit: Circuit): Promise<Held[]> {
  let least = Infinity;
  let since = performance.now();
  await until(
    "memory to be given back",
    async () => {
      const held = await holds(circuit);
      const now = held.reduce((sum, { rss }) => sum + rss, 0);
      if (now < least - MIB) since = performance.now();
      least = Math.min(least, now);
      return performance.now() - since > QUIET_MS;
    },
    (quiet) => quiet,
    { within: 4 * SETTLES_MS },
  );
  return await holds(circuit);
}

/**
 * Waits until no process holds more than before but for {@linkcode MAX_MORE_FILES} open files and
 * {@linkcode MAX_GROWTH} of memory.
 *
 * @throws {Violation} if that does not become so.
 */
export async function untilNothingIsLeft(
  circuit: Circuit,
  before: readonly Held[],
): Promise<Held[]> {
  const found = await until(
    "servers to hold what they held",
    async () => {
      const after = await holds(circuit);
      const wrong = after.flatMap(({ rss, files }, i) => {
        const was = before[i];
        const well = was && files <= was.files + MAX_MORE_FILES && rss <= was.rss + MAX_GROWTH;
        return well
          ? []
          : [`${nameOf(i, after)} holds ${show({ rss, files })}, before ${show(was)}`];
      });
      return { after, wrong };
    },
    ({ wrong }) => wrong.length === 0,
    { within: SETTLES_MS },
  ).catch((error) => {
    throw new Violation(String(error));
  });
  return found.after;
}

/** A line for a table. */
export function nameOf(index: number, all: readonly Held[]): string {
  return index === all.length - 1 ? "this process" : `server ${index}`;
}

/** As a person reads it. */
export function show(held: Held | undefined): string {
  return held ? `${(held.rss / MIB).toFixed()} MiB, ${held.files} files` : "nothing";
}

async function holds(circuit: Circuit): Promise<Held[]> {
  (globalThis as { gc?: () => void }).gc?.();
  const held: Held[] = [];
  // One after the other: the programs that look have files open in this process.
  for (const { server } of circuit.members) {
    held.push({ rss: await residentBytes(server.pid), files: await openFiles(server.pid) });
  }
  // Unlike a server, this process does not have the C library give free memory back.
  const { heapUsed, external } = Deno.memoryUsage();
  held.push({ rss: heapUsed + external, files: await openFiles(Deno.pid) });
  return held;
}
