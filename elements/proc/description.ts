/**
 * What a process element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { type Parser, type Streaming, streaming, type Unary, unary } from "../describe.ts";
import { boolean, integer, list, nothing, optional, osString, record, string } from "../parse.ts";

/** Most bytes of an output stream that `keep` may ask for: 64 MiB. */
export const MAX_KEEP_BYTES = 64 * 1024 * 1024;

/**
 * A command to run: no shell in between.
 *
 * @example Let a shell have its way all the same
 * ```ts
 * import { type Cmd, dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const cmd: Cmd = {
 *   path: "/bin/sh",
 *   args: ["-c", "echo $GREETING; pwd"],
 *   env: ["GREETING=hello"],
 *   dir: "/",
 *   keep: 1024,
 * };
 * const proc = await client.anchor(`/${server.serverId}/greet`).makeProc(cmd);
 * await proc.wait();
 * let output = "";
 * for await (const chunk of proc.stdout()) output += new TextDecoder().decode(chunk);
 * console.assert(output === "hello\n/\n");
 * ```
 */
export interface Cmd {
  /**
   * The program: a path, relative to `dir` if it is not absolute, or a name without a slash to look
   * up in the absolute directories of the server's PATH.
   */
  path: string;
  /** Arguments, not counting the program's own name; default none. */
  args?: string[];
  /**
   * `NAME=VALUE` pairs that replace the environment, the last of a name holding; default: the
   * server's environment.
   */
  env?: string[];
  /** Working directory, relative to the server's; default, or empty: the server's. */
  dir?: string;
  /**
   * True: the element goes by itself when the process exits, with the output that nobody has read by
   * then. Default false.
   */
  scrub?: boolean;
  /**
   * Bytes of each output stream that the server keeps, so that any number of readers can each read
   * them and then follow, and the process never blocks on output. A reader that falls behind by more
   * than is kept fails with ABORTED. Default 0: one reader at a time, with back-pressure.
   */
  keep?: number;
}

/** Checks a {@linkcode Cmd} from the wire. */
export const parseCmd: Parser<Cmd> = record({
  path: osString,
  args: optional(list(osString)),
  env: optional(list(osString)),
  dir: optional(osString),
  scrub: optional(boolean),
  keep: optional(integer(0, MAX_KEEP_BYTES)),
});

/**
 * What `peek` and `wait` tell of a process.
 *
 * @example See how a program ended
 * ```ts
 * import { dial, type ProcStat } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const proc = await client.anchor(`/${server.serverId}/fails`).makeProc({ path: "false" });
 * const stat: ProcStat = await proc.wait();
 * console.assert(stat.phase === "exited" && stat.exitCode === 1);
 * console.assert(stat.exit === "exit status 1");
 * ```
 */
export interface ProcStat {
  /** The command as it was given. */
  readonly cmd: Cmd;
  /**
   * Its state:
   *
   * - `running`, also while it sleeps or waits for something;
   * - `exited` and `signaled`: it has ended, by itself or by a signal;
   * - `stopped`: by a signal, whoever sent it, or by a debugger;
   * - `continued`: it runs, and was stopped before: by a SIGSTOP through this element, or seen to be
   *   stopped by an earlier `peek`. A stop and continuation by others between two looks is not
   *   noticed;
   * - `unknown`: the operating system does not tell.
   */
  readonly phase: "running" | "exited" | "stopped" | "signaled" | "continued" | "unknown";
  /** Null while it runs and after success, else text such as `exit status 1` or `signal: killed`. */
  readonly exit: string | null;
  /** Null while it runs and when a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended it, as `SIGKILL`; else null. */
  readonly signal: string | null;
  /** The operating system's number of the process. */
  readonly pid: number;
  /**
   * With `keep`: bytes that each output stream had before those that are kept, and that a new reader
   * does not get. Else absent.
   */
  readonly dropped?: { readonly stdout: number; readonly stderr: number };
}

/** The states of a process. */
export type Phase = ProcStat["phase"];

/** The methods that processes and containers have in common. `Stat` is what describes one. */
export type RunningMethods<Stat> = {
  /** The bytes that go up are written to the program; their end closes its standard input. */
  readonly stdin: Streaming<void>;
  /** The caller ends its own stream once it has read everything, to acknowledge that. */
  readonly stdout: Streaming<void>;
  /** As `stdout`. */
  readonly stderr: Streaming<void>;
  /** Answers when the program has exited, at once if it has already. */
  readonly wait: Unary<void, Stat>;
  /** Takes a name with or without SIG, in any letter case. */
  readonly signal: Unary<string, void>;
  readonly peek: Unary<void, Stat>;
};

/** {@linkcode RunningMethods} as they are described. */
export function runningMethods<Stat>(): RunningMethods<Stat> {
  return {
    stdin: streaming("up", nothing),
    stdout: streaming("both", nothing),
    stderr: streaming("both", nothing),
    wait: unary(nothing),
    signal: unary(string, (name) => `signal ${name}`),
    peek: unary(nothing),
  };
}

/** The process's methods. */
export const procDescription = {
  name: "proc",
  methods: {
    ...runningMethods<ProcStat>(),
    /** The environment that the process was started with: its own, else the server's. */
    getEnv: unary<void, string[]>(nothing),
    getCmd: unary<void, Cmd>(nothing),
  },
} as const;
