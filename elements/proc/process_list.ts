/**
 * All processes of this host.
 *
 * @module
 */

import { statFields } from "./os_state.ts";
import { said } from "../launch/said.ts";

/** A process, as the system lists it. */
export interface Listed {
  readonly pid: number;
  /** The number of its process group. */
  readonly group: number;
  /** The number of its session; undefined where the system does not tell. */
  readonly session: number | undefined;
  /** Whether it has ended, and nobody has waited for it. */
  readonly ended: boolean;
  /** When it started, in seconds on the clock of {@linkcode ProcessList.now}. */
  readonly started: number;
}

/** What there was at one time. */
export interface ProcessList {
  readonly processes: readonly Listed[];
  /** The time of the list, in seconds since a moment that does not change while the host is up. */
  readonly now: number;
}

/** Numbers of fields in `/proc/PID/stat`, see proc_pid_stat(5). */
const [STATE, GROUP, SESSION, STARTED] = [3, 5, 6, 22];

/** Linux counts starts in hundredths of a second, whatever its clock does. */
const TICKS_PER_S = 100;

/** Lists all processes; empty if the system cannot be asked. Never fails, and blocks nothing. */
export async function listProcesses(): Promise<ProcessList> {
  return Deno.build.os === "linux" ? await fromProc() : await fromPs();
}

async function fromProc(): Promise<ProcessList> {
  // One that ends meanwhile is left out.
  const text = await said("cat /proc/uptime; cat /proc/[0-9]*/stat");
  const [uptime = "", ...lines] = text.split("\n");
  const processes = lines.filter((line) => line !== "").map((line) => {
    const fields = statFields(line);
    return {
      pid: parseInt(line),
      group: Number(fields[GROUP]),
      session: Number(fields[SESSION]),
      ended: /^[ZX]/.test(fields[STATE] ?? ""),
      started: Number(fields[STARTED]) / TICKS_PER_S,
    };
  });
  return { processes, now: parseFloat(uptime) };
}

async function fromPs(): Promise<ProcessList> {
  const lines = (await said("ps -A -o pid= -o pgid= -o state= -o lstart=")).split("\n");
  const processes = lines.filter((line) => line.trim() !== "").map((line) => {
    const [pid, group, state = "", ...started] = line.trim().split(/\s+/);
    return {
      pid: Number(pid),
      group: Number(group),
      session: undefined,
      ended: state.startsWith("Z"),
      started: Date.parse(started.join(" ")) / 1000,
    };
  });
  return { processes, now: Date.now() / 1000 };
}
