/**
 * How states and names are printed.
 *
 * @module
 */

import type { Cmd, ContainerStat, ProcStat } from "../types.ts";

/**
 * JSON as `peek` and `wait` print it: indented with tabs, ending without a newline.
 *
 * @param value What {@linkcode capitalised}, or something else that makes plain values, gave.
 */
export function json(value: unknown): string {
  return JSON.stringify(value, null, "\t");
}

/** The flag of commands that print JSON in any case. */
export const jsonFlag = {
  json: { type: "boolean", help: "print the JSON on a single line" },
} as const;

/** A copy of the object with each key's first letter in upper case; what it holds stays. */
export function capitalised(state: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state).map((
      [key, value],
    ) => [key.slice(0, 1).toUpperCase() + key.slice(1), value]),
  );
}

/** A process's state as it is printed. */
export function procJson(stat: ProcStat): Record<string, unknown> {
  return { ...capitalised(stat), Cmd: cmdJson(stat.cmd) };
}

/** A command as it is printed: what `mkproc` reads, with defaults filled in. */
function cmdJson(cmd: Cmd): Record<string, unknown> {
  return {
    Path: cmd.path,
    Args: cmd.args ?? [],
    // Not the same as an empty list, which is an empty environment.
    Env: cmd.env ?? null,
    Dir: cmd.dir ?? "",
    Scrub: cmd.scrub ?? false,
    ...(cmd.keep === undefined ? {} : { Keep: cmd.keep }),
  };
}

/** How a process or container ended, as one line and as parts. */
export interface Outcome {
  /** Null for success, else text such as `exit status 1` or `signal: killed`. */
  readonly exit: string | null;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended it; else null. */
  readonly signal: string | null;
}

/** How it ended, from what `wait` gave. */
export function outcome(stat: ProcStat | ContainerStat): Outcome {
  if (isProcStat(stat)) {
    return { exit: stat.exit, exitCode: stat.exitCode, signal: stat.signal };
  }
  const state = stat["State"];
  const code = typeof state === "object" && state !== null && "ExitCode" in state
    ? Number(state.ExitCode)
    : 0;
  return { exit: code === 0 ? null : `exit status ${code}`, exitCode: code, signal: null };
}

function isProcStat(stat: ProcStat | ContainerStat): stat is ProcStat {
  return "phase" in stat && "cmd" in stat;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\v", "\\v"],
  ["\f", "\\f"],
  ["\r", "\\r"],
  ["\\", "\\\\"],
]);

/**
 * A path as `ls` prints it: as it is, unless it holds control characters. Such a path is printed as
 * `ls -b` of GNU prints names: control characters become `\n`, `\033` and the like, byte for byte in
 * octal where they have no letter, and backslashes are doubled. So a line is always one path.
 */
export function printable(path: string): string {
  if (!/[\p{Cc}\u2028\u2029]/u.test(path)) return path;
  return path.replace(/[\p{Cc}\u2028\u2029\\]/gu, (character) => {
    const named = NAMED.get(character);
    if (named !== undefined) return named;
    const bytes = new TextEncoder().encode(character);
    return [...bytes].map((byte) => "\\" + byte.toString(8).padStart(3, "0")).join("");
  });
}
