/**
 * Signals: their names, and the words for them.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";

/** The words for each signal that Linux or macOS knows, as in `signal: killed`. */
const WORDS: Partial<Record<Deno.Signal, string>> = {
  SIGABRT: "aborted",
  SIGALRM: "alarm clock",
  SIGBUS: "bus error",
  SIGCHLD: "child exited",
  SIGCONT: "continued",
  SIGEMT: "EMT trap",
  SIGFPE: "floating point exception",
  SIGHUP: "hangup",
  SIGILL: "illegal instruction",
  SIGINFO: "information request",
  SIGINT: "interrupt",
  SIGIO: "I/O possible",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGPROF: "profiling timer expired",
  SIGPWR: "power failure",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGSTKFLT: "stack fault",
  SIGSTOP: "stopped (signal)",
  SIGSYS: "bad system call",
  SIGTERM: "terminated",
  SIGTRAP: "trace/breakpoint trap",
  SIGTSTP: "stopped",
  SIGTTIN: "stopped (tty input)",
  SIGTTOU: "stopped (tty output)",
  SIGURG: "urgent I/O condition",
  SIGUSR1: "user defined signal 1",
  SIGUSR2: "user defined signal 2",
  SIGVTALRM: "virtual timer expired",
  SIGWINCH: "window changed",
  SIGXCPU: "CPU time limit exceeded",
  SIGXFSZ: "file size limit exceeded",
};

/** Signals that only one of the two systems has. */
const ONLY_ON: Readonly<Record<string, "linux" | "darwin">> = {
  SIGEMT: "darwin",
  SIGINFO: "darwin",
  SIGPWR: "linux",
  SIGSTKFLT: "linux",
};

/**
 * The names of the signals that can be sent on this system, with `SIG`, sorted.
 *
 * @param os The system; default: this one.
 */
export function knownSignals(os: string = Deno.build.os): Deno.Signal[] {
  const names = Object.keys(WORDS) as Deno.Signal[];
  return names.filter((name) => (ONLY_ON[name] ?? os) === os);
}

/**
 * The signal of that name: with or without `SIG`, in any letter case.
 *
 * @param os The system that it is for; default: this one.
 * @throws {CircuitError} `BAD_REQUEST` with the list of known signals.
 */
export function parseSignal(name: string, os?: string): Deno.Signal {
  const bare = name.trim().toUpperCase().replace(/^SIG/, "");
  const known = knownSignals(os);
  const signal = known.find((each) => each === `SIG${bare}`);
  if (signal !== undefined) return signal;
  const list = known.map((each) => each.slice("SIG".length)).join(", ");
  throw new CircuitError(
    "BAD_REQUEST",
    `unknown signal ${JSON.stringify(name)}: want one of ${list}`,
  );
}

/** The words for a signal, as `killed` for `SIGKILL`; the name itself for one without. */
export function signalWords(signal: string): string {
  return WORDS[signal as Deno.Signal] ?? signal;
}
