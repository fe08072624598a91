/**
 * What the operating system says of a process, whoever started it.
 *
 * @module
 */

/** Whether a process runs, is stopped, or has ended; unknown when the system does not say. */
export type OsState = "running" | "stopped" | "ended" | "unknown";

/**
 * Looks whether a process runs right now. Sleeping counts as running; stopped is stopped by a signal
 * or by a debugger; ended includes one that was not waited for yet.
 *
 * On Linux this reads `/proc`, elsewhere it asks `ps`. Never fails.
 */
export async function osState(pid: number): Promise<OsState> {
  const text = Deno.build.os === "linux"
    ? linuxStat(await readProc(pid, "stat"))?.state
    : await outputOf("ps", ["-o", "state=", "-p", String(pid)]);
  if (text === undefined) return "unknown";
  switch (text.trim()[0]) {
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
 * When a process started, in the system's own terms: on Linux clock ticks since boot, elsewhere the
 * time as `ps` writes it. Two processes that had the same number at different times differ in it.
 * Undefined when there is no such process. Never fails.
 */
export async function startTime(pid: number): Promise<string | undefined> {
  const text = Deno.build.os === "linux"
    ? linuxStat(await readProc(pid, "stat"))?.started
    : await outputOf("ps", ["-o", "lstart=", "-p", String(pid)]);
  return text?.trim() || undefined;
}

/**
 * The text of a process's control groups, in which the one of its container is named; undefined where
 * the system has none. Never fails.
 */
export async function cgroupOf(pid: number): Promise<string | undefined> {
  return Deno.build.os === "linux" ? await readProc(pid, "cgroup") : undefined;
}

/**
 * The state letter and the start time, in clock ticks since boot, out of the text of a
 * `/proc/PID/stat`; empty strings where it ends too early.
 */
export function linuxStat(
  text: string | undefined,
): { state: string; started: string } | undefined {
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses, and may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 1).trim().split(" ");
  return { state: fields[0] ?? "", started: fields[22 - 3] ?? "" };
}

/** The text of a file in `/proc/PID/`: empty for no such process, undefined if it cannot be told. */
async function readProc(pid: number, name: "stat" | "cgroup"): Promise<string | undefined> {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    // ESRCH, when it went in the middle of the read.
    if (!(error instanceof Deno.errors.NotCapable)) return "";
  }
  // Deno lets only a program with all permissions read there itself.
  return await outputOf("cat", [`/proc/${pid}/${name}`]);
}

/** What a program prints; undefined if it cannot be run. */
async function outputOf(program: string, args: string[]): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args, stdin: "null", stderr: "null" })
      .output();
    return new TextDecoder().decode(stdout);
  } catch {
    return undefined;
  }
}
