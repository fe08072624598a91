/**
 * A record of the processes that a server has started, so that a server that starts after a crash
 * can tell which of them are still there. Nothing here touches a file.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { integer, list, record, string } from "../parse.ts";
import { osFacts } from "./os_state.ts";

/** Most bytes of a record that {@linkcode parseChildren} takes: 16 MiB. */
export const MAX_CHILDREN_BYTES = 16 * 1024 * 1024;

/** Most characters of a command that are recorded: people recognise it by less. */
const MAX_COMMAND_CHARS = 1024;

/** A process that a server has started. */
export interface Child {
  /** The path of its anchor. */
  readonly path: string;
  /** The operating system's number of it. */
  readonly pid: number;
  /**
   * When it started, as {@linkcode startTimes} tells it: with the number it makes sure that a process
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

/** The record of one process: a line of JSON. Of a long command it has the beginning. */
export function formatChild({ path, pid, start, command }: Child): string {
  const words: string[] = [];
  let room = MAX_COMMAND_CHARS;
  for (const word of command) {
    if (room <= 0) break;
    words.push(word.slice(0, room));
    room -= word.length + 1;
  }
  return JSON.stringify({ path, pid, start, command: words });
}

/**
 * The text of a record: JSON with a line a process.
 *
 * @param children What {@linkcode formatChild} makes of each.
 */
export function formatChildren(children: Iterable<string>): string {
  const lines = [...children];
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

/** When each of these processes started; those of which that is not known are left out. Never fails. */
export async function startTimes(pids: readonly number[]): Promise<Map<number, string>> {
  const facts = await osFacts(pids) ?? [];
  return new Map(Array.from(facts, ([pid, { start }]) => [pid, start]));
}

/**
 * Those of the recorded processes that still run or are stopped, and are the same that were recorded.
 * One whose start time is not known is left out. Never fails.
 */
export async function survivors(children: Iterable<Child>): Promise<Child[]> {
  const known = [...children].filter(({ start }) => start !== "");
  const facts = await osFacts(known.map(({ pid }) => pid));
  return known.filter(({ pid, start }) => {
    const found = facts?.get(pid);
    return found?.start === start && (found.state === "running" || found.state === "stopped");
  });
}
