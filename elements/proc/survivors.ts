/**
 * A record of the processes that a server has started, so that a server that starts after a crash
 * can tell which of them are still there. Nothing here touches a file.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { integer, list, record, string } from "../parse.ts";
import { osState, startTime } from "./os_state.ts";

/** Most bytes of a record that {@linkcode parseChildren} takes: 16 MiB. */
export const MAX_CHILDREN_BYTES = 16 * 1024 * 1024;

/** A process that a server has started. */
export interface Child {
  /** The path of its anchor. */
  readonly path: string;
  /** The operating system's number of it. */
  readonly pid: number;
  /**
   * When it started, as {@linkcode startTime} tells it: with the number it makes sure that a process
   * is the same and not a later one with the same number. Empty where the system did not tell.
   */
  readonly start: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
}

const parseRecord = record({
  children: list(record({
    path: string,
    pid: integer(1, 2 ** 31 - 1),
    start: string,
    command: list(string),
  })),
});

/** The text of a record: JSON with a line a process. */
export function formatChildren(children: Iterable<Child>): string {
  const lines = Array.from(children, (child) => {
    const { path, pid, start, command } = child;
    return JSON.stringify({ path, pid, start, command });
  });
  return lines.length === 0 ? '{"children":[]}\n' : `{"children":[\n${lines.join(",\n")}\n]}\n`;
}

/**
 * The processes of a record.
 *
 * @throws {CircuitError} `BAD_REQUEST` for a text that {@linkcode formatChildren} did not make, as
 * one that a crash cut off.
 */
export function parseChildren(text: string): Child[] {
  if (text.length > MAX_CHILDREN_BYTES) {
    throw new CircuitError(
      "BAD_REQUEST",
      `cannot read the record of children: it has ${text.length} characters, want at most ` +
        `${MAX_CHILDREN_BYTES}`,
    );
  }
  try {
    return parseRecord(JSON.parse(text)).children;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CircuitError("BAD_REQUEST", `cannot read the record of children: ${why}`, { cause });
  }
}

/**
 * Those of the recorded processes that still run or are stopped, and are the same that were recorded.
 * One whose start time is not known is left out. Looks at one process after the other; never fails.
 */
export async function survivors(children: Iterable<Child>): Promise<Child[]> {
  const found: Child[] = [];
  for (const child of children) {
    if (child.start === "" || await startTime(child.pid) !== child.start) continue;
    const state = await osState(child.pid);
    if (state === "running" || state === "stopped") found.push(child);
  }
  return found;
}
