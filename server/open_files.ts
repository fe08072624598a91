/**
 * The limit of open files (`ulimit -n`): the server takes more than it was started with once it needs
 * more, and what it starts gets what the server was started with.
 *
 * @module
 */

import type { FilesLimit } from "../elements/launch/mod.ts";
import type { Log } from "./log.ts";

/** Connections and programs between two looks at how many files are open. */
const LOOK_EVERY = 32;

/** Share of the limit in use at which more is taken. */
const FULL_SHARE = 0.5;

/** Fewest files with which a server that was given more goes on: 128. */
const LEAST = 128;

/** Programs that make the limit their own, so it says nothing of what they were started with. */
const RAISERS = /^(deno|node|npm)/;

/** The tool of util-linux that changes the limits of a process that runs. */
const PRLIMIT = "/usr/bin/prlimit";

/** The limits of a process. */
interface Limits {
  /** What holds. */
  readonly soft: number;
  /** What the process may take. */
  readonly hard: number;
}

/** Looks after the open files of this process. Only on Linux, and with all of Deno's permissions. */
export class OpenFiles implements FilesLimit {
  readonly #log: Log;
  readonly #limits: Limits | undefined;
  readonly #started: number;
  /** What this process has now. */
  #soft: number;
  #since = 0;
  #changing = false;

  /** Looks at the limits of this process, and gives back what Deno has taken by itself. */
  constructor(log: Log) {
    this.#log = log;
    this.#limits = limitsOf("self");
    this.#soft = this.#limits?.soft ?? Infinity;
    this.#started = this.#limits ? startedWith(this.#limits) : Infinity;
    if (this.#started < this.#soft && this.#started >= LEAST) void this.#change(this.#started);
  }

  get limit(): number | undefined {
    return this.#started < this.#soft ? this.#started : undefined;
  }

  note(): void {
    if (!this.#limits || this.#soft >= this.#limits.hard || ++this.#since < LOOK_EVERY) return;
    this.#since = 0;
    if (openNow() >= this.#soft * FULL_SHARE) void this.#change(this.#limits.hard);
  }

  /** Sets this process's limit. */
  async #change(soft: number): Promise<void> {
    if (this.#changing) return;
    this.#changing = true;
    // From here on this process may have more than it was started with.
    const before = this.#soft;
    this.#soft = Math.max(before, soft);
    try {
      // By its whole name, since a folder of PATH may be on a file system that hangs.
      const { success, stderr } = await new Deno.Command(PRLIMIT, {
        args: [`--pid=${Deno.pid}`, `--nofile=${soft}:`],
        cwd: "/",
        stdin: "null",
        stdout: "null",
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
      this.#soft = soft;
      this.#log("debug", `open files: ${soft} instead of ${before}`);
    } catch (error) {
      this.#soft = before;
      const why = error instanceof Error ? error.message : String(error);
      this.#log("warn", `cannot have ${soft} open files (see ulimit -n): ${why}`);
    } finally {
      this.#changing = false;
    }
  }
}

/** The limits of a process; undefined if they cannot be told. */
function limitsOf(pid: number | "self"): Limits | undefined {
  const line = /^Max open files +(\S+) +(\S+)/m.exec(read(`/proc/${pid}/limits`) ?? "");
  if (!line) return undefined;
  const number = (text: string | undefined) => text === "unlimited" ? Infinity : Number(text);
  return { soft: number(line[1]), hard: number(line[2]) };
}

/** What this process was started with: Deno's command takes all that it may before anything runs. */
function startedWith({ soft, hard }: Limits): number {
  if (soft < hard || Deno.build.standalone) return soft;
  for (let pid = Deno.ppid; pid > 1;) {
    const name = read(`/proc/${pid}/comm`);
    if (name === undefined) break;
    if (!RAISERS.test(name)) return Math.min(soft, limitsOf(pid)?.soft ?? soft);
    pid = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1]);
  }
  return soft;
}

/** How many files this process has open; 0 if that cannot be told. */
function openNow(): number {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length;
  } catch {
    return 0;
  }
}

/** A text of the system's; undefined if there is none, or Deno may not read it. */
function read(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return undefined;
  }
}
