/**
 * What the operating system says of a process, whoever started it.
 *
 * @module
 */

import { saidBytes } from "../launch/said.ts";

/** Numbers of fields in `/proc/PID/stat`: the state's letter, and the start in clock ticks since boot. */
const [STATE, STARTED] = [3, 22];

/** Whether a process runs, is stopped, or has ended; unknown when the system does not say. */
export type OsState = "running" | "stopped" | "ended" | "unknown";

/** What is known of a process. */
export interface OsFacts {
  readonly state: OsState;
  /**
   * When it started, in the system's own terms: on Linux clock ticks since boot, elsewhere the time
   * as `ps` writes it. Two processes that had the same number at different times differ in it.
   */
  readonly start: string;
}

/** Processes that one run of a program is asked about. */
const BATCH = 1_000;

/**
 * Looks whether a process runs right now. Sleeping counts as running; stopped is stopped by a signal
 * or by a debugger; ended includes one that was not waited for yet.
 *
 * On Linux this reads `/proc`, elsewhere it asks `ps`. Never fails.
 */
export async function osState(pid: number): Promise<OsState> {
  const facts = await osFacts([pid]);
  return facts === undefined ? "unknown" : facts.get(pid)?.state ?? "ended";
}

/**
 * Looks at processes. Those that there are not are left out; undefined if the system does not tell.
 * Starts a program for each thousand processes at most, none where `/proc` can be read. Never fails.
 */
export async function osFacts(
  pids: readonly number[],
): Promise<Map<number, OsFacts> | undefined> {
  const all = new Map<number, OsFacts>();
  for (let at = 0; at < pids.length; at += BATCH) {
    const batch = pids.slice(at, at + BATCH);
    const found = await (Deno.build.os === "linux" ? statLines(batch) : psLines(batch));
    if (found === undefined) return undefined;
    for (const [pid, facts] of found) all.set(pid, facts);
  }
  return all;
}

async function statLines(pids: readonly number[]): Promise<[number, OsFacts][] | undefined> {
  const names = pids.map((pid) => `/proc/${pid}/stat`);
  const text = readAll(names) ?? await outputOf("cat", names);
  // A name with an end of line is escaped there.
  return text === undefined ? undefined : lines(text).map((line) => {
    const fields = statFields(line);
    const facts = { state: stateOf(fields[STATE] ?? ""), start: fields[STARTED] ?? "" };
    return [parseInt(line), facts];
  });
}

async function psLines(pids: readonly number[]): Promise<[number, OsFacts][] | undefined> {
  const text = await outputOf("ps", ["-o", "pid=,state=,lstart=", "-p", pids.join()]);
  return text === undefined ? undefined : lines(text).map((line) => {
    const [pid, state = "", ...start] = line.trim().split(/ +/);
    return [Number(pid), { state: stateOf(state), start: start.join(" ") }];
  });
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** By the letter that `/proc` and `ps` have for it. */
function stateOf(text: string): OsState {
  switch (text[0]) {
    case "T":
    case "t":
      return "stopped";
    case "Z":
    case "X":
    case undefined:
      return "ended";
    default:
      return "running";
  }
}

/**
 * The text of a process's control groups, in which the one of its container is named; undefined where
 * the system has none. Never fails.
 */
export async function cgroupOf(pid: number): Promise<string | undefined> {
  return Deno.build.os === "linux" ? await readProc(pid, "cgroup") : undefined;
}

/**
 * A field of `/proc/PID/stat`, by its number in proc_pid_stat(5), from the third on. Empty for no such
 * process, undefined if it cannot be told.
 */
export async function statField(pid: number, number: number): Promise<string | undefined> {
  const text = await readProc(pid, "stat");
  return text === undefined ? undefined : statFields(text)[number] ?? "";
}

/** The fields in the text of a `/proc/PID/stat`, each at its number; the first two are left out. */
export function statFields(text: string): readonly string[] {
  // The second field is the program's name in parentheses, and may hold spaces and parentheses.
  return ["", "", "", ...text.slice(text.lastIndexOf(")") + 1).trim().split(" ")];
}

/** The text of a file in `/proc/PID/`: empty for no such process, undefined if it cannot be told. */
async function readProc(pid: number, name: "stat" | "cgroup"): Promise<string | undefined> {
  const names = [`/proc/${pid}/${name}`];
  return readAll(names) ?? await outputOf("cat", names);
}

/** The texts of those files that there are; undefined if Deno does not let this program read them. */
function readAll(names: readonly string[]): string | undefined {
  let text = "";
  for (const name of names) {
    try {
      text += Deno.readTextFileSync(name);
    } catch (error) {
      // Only a program with all permissions may. All else is ENOENT or, in the middle, ESRCH.
      if (error instanceof Deno.errors.NotCapable) return undefined;
    }
  }
  return text;
}

/** What one of the system's tools prints; undefined if it cannot be run. */
async function outputOf(program: string, args: string[]): Promise<string | undefined> {
  const bytes = await saidBytes('exec "$0" "$@"', [program, ...args]);
  return bytes && new TextDecoder().decode(bytes);
}
