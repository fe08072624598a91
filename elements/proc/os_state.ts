/**
 * What the operating system says of a process, whoever started it.
 *
 * @module
 */

/** Numbers of fields in `/proc/PID/stat`: the state's letter, and the start in clock ticks since boot. */
const [STATE, STARTED] = [3, 22];

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
    ? await statField(pid, STATE)
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
    ? await statField(pid, STARTED)
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
