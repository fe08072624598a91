/**
 * How a process ended.
 *
 * @module
 */

import { signalWords } from "./signals.ts";

/** How a process ended; the fields are those of `ProcStat`. */
export interface Ending {
  /** Null for success, else text such as `exit status 1` or `signal: killed`. */
  readonly exit: string | null;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended it, as `SIGKILL`; else null. */
  readonly signal: string | null;
}

/**
 * Waits for a process and tells how it ended. Never fails. Whether it dumped core is not told.
 *
 * @param status The process's status, as Deno gives it.
 */
export async function ending(status: Promise<Deno.CommandStatus>): Promise<Ending> {
  try {
    const { code, signal } = await status;
    if (signal !== null) return { exit: `signal: ${signalWords(signal)}`, exitCode: null, signal };
    return { exit: code === 0 ? null : `exit status ${code}`, exitCode: code, signal: null };
  } catch (error) {
    // Deno fails where it has no name for the signal, as for the real-time ones, and only its
    // message has the number.
    const number = /Invalid signal: (\d+)/.exec(String(error))?.[1];
    const signal = number === undefined ? "SIGUNKNOWN" : `SIG${number}`;
    return { exit: `signal: ${number ?? "unknown"}`, exitCode: null, signal };
  }
}
