/**
 * What the system knows of a process, where it has `/proc`.
 *
 * @module
 */

/** Resident memory in bytes; undefined where the system does not tell. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(await read(`/proc/${pid}/status`))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** What the threads of a process have done so far. */
export interface Activity {
  /** Seconds on a processor. */
  readonly cpu: number;
  /** Times that a thread had waited and went on. */
  readonly wakeups: number;
}

/** What a process has done so far; undefined where the system does not tell. */
export async function activity(pid: number): Promise<Activity | undefined> {
  const cpus = (await read(`/proc/${pid}/task/*/schedstat`)).trim().split("\n");
  const wakes = [
    ...(await read(`/proc/${pid}/task/*/status`)).matchAll(/^voluntary_ctxt_switches:\s*(\d+)$/mg),
  ];
  if (wakes.length === 0 || cpus[0] === "") return undefined;
  return {
    cpu: cpus.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0) / 1e9,
    wakeups: wakes.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

/** Deno itself lets only programs with all permissions into `/proc`. */
async function read(pattern: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", `cat ${pattern}`],
    stdin: "null",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}
