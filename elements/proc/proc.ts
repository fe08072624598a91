/**
 * The process element: starts a command and gives access to the process, whatever becomes of it.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { ElementContext } from "../context.ts";
import type { Handlers } from "../describe.ts";
import { type Cmd, type Phase, procDescription, type ProcStat } from "./description.ts";
import { type Ending, ending } from "./ending.ts";
import { ownEnv } from "./environment.ts";
import { osState } from "./os_state.ts";
import { type Identity, Running, type RunningElement } from "./running.ts";
import { parseSignal } from "./signals.ts";
import { Family } from "./family.ts";
import type { Started } from "./executed.ts";
import { spawn } from "./spawn.ts";

/** Longest time in which a process is expected to have stopped after SIGSTOP: 200 ms. */
const STOP_SETTLE_MS = 200;

/** Longest time between the system saying that a process has ended and Deno saying how: 200 ms. */
const EXIT_NEWS_MS = 200;

/** Milliseconds between SIGTERM and SIGKILL for a tied process whose element goes: 1 s. */
const TIED_GRACE_MS = 1_000;

/** Time between two looks at a process that is about to stop: 1 ms. */
const STOP_LOOK_MS = 1;

/** What a process element needs of its anchor. */
export type ProcContext = Pick<
  ElementContext,
  "path" | "tied" | "budget" | "launcher" | "remove" | "log"
>;

/** A process element, as the server that hosts it sees it. */
export interface ProcElement extends RunningElement {
  readonly kind: "proc";
  readonly handlers: Handlers<typeof procDescription.methods>;
  /** The operating system's number of the process. */
  readonly pid: number;
  /** The command as it was given. */
  readonly cmd: Cmd;
  /** Resolves when the process has exited, removed from its anchor or not; never fails. */
  readonly exited: Promise<ProcStat>;
  /**
   * Resolves when it has exited and all its pipes are closed, so that nothing of it is left here.
   * That is later than the exit while a process that it started holds on to its output, or while
   * output is left that nobody reads.
   */
  readonly released: Promise<void>;
  identity(): Identity;
  /**
   * Ends the process: SIGTERM (and SIGCONT if it is stopped, so that it can act on that), then
   * SIGKILL after the grace. Resolves when it has exited, at once if it has already; never fails,
   * but a process that the server may not signal is waited for as long as it takes. Processes that
   * it started itself are not signalled, unless it is tied: see {@linkcode makeProc}.
   *
   * @param graceMs Milliseconds between the two signals; of several calls, the shortest holds.
   */
  terminate(graceMs: number): Promise<void>;
}

/**
 * Starts a command and makes the element of its process.
 *
 * Where the element is tied, the process does not outlive it: whoever removes the element ends the
 * process, with SIGTERM and a second later SIGKILL. The processes that it has started go with it if
 * they are in its process group, SIGKILL included as long as one of them is there; where the host
 * gives the server a control group, SIGKILL also reaches those that have left the process group. Once
 * the process has exited by itself and all its pipes are closed, what it has left behind has gone its
 * own way.
 *
 * @param cmd The command.
 * @param context Where the element lives.
 * @throws {CircuitError} when the program cannot be started, see {@linkcode spawn}; then there is
 * nothing to dispose of. `BUSY` also if the server's budget has no room for all that `keep` asks for.
 */
export async function makeProc(cmd: Cmd, context: ProcContext): Promise<ProcElement> {
  const { path, tied, launcher } = context;
  checkKeep(cmd, context);
  const family = tied ? await Family.prepare(launcher) : undefined;
  try {
    return new Proc(cmd, context, await spawn(cmd, path, launcher, family), family);
  } catch (error) {
    family?.release();
    throw error;
  }
}

class Proc implements ProcElement {
  readonly kind = "proc";
  readonly description = procDescription;
  readonly handlers: Handlers<typeof procDescription.methods> = {
    stdin: (_, call) => this.#running.stdin(call),
    stdout: (_, call) => this.#running.stdout(call),
    stderr: (_, call) => this.#running.stderr(call),
    wait: (_, call) => this.#running.wait(call),
    signal: (name) => this.#signal(name),
    getEnv: () => this.#living().cmd.env ?? ownEnv(),
    getCmd: () => this.#living().cmd,
    peek: () => this.#living().#peek(),
  };
  readonly cmd: Cmd;
  readonly pid: number;
  readonly exited: Promise<ProcStat>;
  readonly released: Promise<void>;
  readonly #running: Running<ProcStat>;
  readonly #context: ProcContext;
  readonly #child: Deno.ChildProcess;
  /** What ends with it; undefined if it is not tied. */
  readonly #family: Family | undefined;
  /** Resolves when SIGKILL is due; see {@linkcode terminate}. */
  readonly #late = Promise.withResolvers<void>();
  #terminating: Promise<void> | undefined;
  #ending: Ending | undefined;
  /** True once it was seen to be stopped. */
  #wasStopped = false;
  #released = false;

  constructor(
    cmd: Cmd,
    context: ProcContext,
    { child, stderr }: Started,
    family: Family | undefined,
  ) {
    this.cmd = cmd;
    this.#context = context;
    this.#child = child;
    this.#family = family;
    this.pid = child.pid;
    this.#running = new Running({ stdin: child.stdin, stdout: child.stdout, stderr }, {
      path: context.path,
      what: "process",
      keep: cmd.keep ?? 0,
      share: context.budget.outputs,
      scrub: cmd.scrub ?? false,
      remove: () => context.remove(),
    });
    this.exited = ending(this.#child.status).then((end) => this.#exit(end));
    const over = [this.exited, this.#running.closed, family?.begun()];
    this.released = Promise.all(over).then(() => {
      this.#released = true;
      if (!this.#terminating) family?.release();
    });
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  identity(): Identity {
    const command = [this.cmd.path, ...this.cmd.args ?? []];
    return { path: this.#context.path, pid: this.pid, command };
  }

  async terminate(graceMs: number): Promise<void> {
    if (this.#over) return;
    const timer = setTimeout(() => this.#late.resolve(), graceMs);
    await (this.#terminating ??= this.#terminate());
    clearTimeout(timer);
  }

  async #terminate(): Promise<void> {
    let done = false;
    const killed = this.#late.promise.then(async () => {
      if (done) return;
      const what = this.#ending ? "what it has started" : `process ${this.pid}`;
      this.#context.log("warn", `${what} has not ended in time after SIGTERM, and gets SIGKILL`);
      await this.#tryKill("SIGKILL");
    });
    await this.#tryKill("SIGTERM");
    if (this.#ending === undefined && await osState(this.pid) === "stopped") {
      await this.#tryKill("SIGCONT");
    }
    await this.exited;
    await this.#family?.gone(killed);
    done = true;
    this.#family?.release();
  }

  dispose(): void | Promise<void> {
    this.#running.dispose();
    if (this.#context.tied) return this.#terminating ?? this.terminate(TIED_GRACE_MS);
  }

  /** Whether there is nothing left that could be ended. */
  get #over(): boolean {
    return this.#ending !== undefined && (!this.#context.tied || this.#released);
  }

  #exit(end: Ending): ProcStat {
    this.#ending = end;
    this.#family?.leaderEnded();
    const stat = this.#stat(phaseOf(end));
    this.#running.finished(stat, end.exit);
    return stat;
  }

  async #signal(name: string): Promise<void> {
    const { path } = this.#living().#context;
    const signal = parseSignal(name);
    if (!this.#kill(signal)) {
      const how = this.#ending?.exit ?? "exit status 0";
      throw new CircuitError(
        "CLOSED",
        `cannot send ${signal} to ${path}: has exited already, ${how}`,
      );
    }
    if (signal === "SIGSTOP") await this.#stopped();
  }

  /**
   * Sends a signal; false if the process has exited. Never reaches another process that has got
   * the same number: that can only be after Deno has waited for this one, and from then on Deno
   * refuses.
   */
  #kill(signal: Deno.Signal): boolean {
    if (this.#ending !== undefined) return false;
    try {
      this.#child.kill(signal);
      return true;
    } catch (error) {
      // Waited for, and the news on its way here; everything else is worth knowing.
      if (error instanceof TypeError || error instanceof Deno.errors.NotFound) return false;
      throw new CircuitError("DENIED", `cannot send ${signal} to ${this.#context.path}: ${error}`, {
        cause: error,
      });
    }
  }

  /** Sends a signal, to all of its family if it is tied; if that is not allowed, the log says so. */
  async #tryKill(signal: Deno.Signal): Promise<void> {
    try {
      if (!await this.#family?.signal(signal)) this.#kill(signal);
    } catch (error) {
      this.#context.log("warn", String(error));
    }
  }

  /** Waits until a process that got SIGSTOP has stopped, for the system delivers it when it can. */
  async #stopped(): Promise<void> {
    this.#wasStopped = true;
    const deadline = performance.now() + STOP_SETTLE_MS;
    while (this.#ending === undefined && performance.now() < deadline) {
      if (await osState(this.pid) !== "running") return;
      await new Promise((resolve) => setTimeout(resolve, STOP_LOOK_MS));
    }
  }

  async #peek(): Promise<ProcStat> {
    if (this.#ending !== undefined) return this.#stat(phaseOf(this.#ending));
    const state = await osState(this.pid);
    // Deno learns of the end a moment after the system.
    if (state === "ended") await this.#exitWithin(EXIT_NEWS_MS);
    if (this.#ending !== undefined) return this.#stat(phaseOf(this.#ending));
    if (state === "ended") return this.#stat("unknown");
    if (state === "stopped") this.#wasStopped = true;
    if (state === "running" && this.#wasStopped) return this.#stat("continued");
    return this.#stat(state);
  }

  async #exitWithin(ms: number): Promise<void> {
    let timer;
    const late = new Promise((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([this.exited, late]);
    clearTimeout(timer);
  }

  #stat(phase: Phase): ProcStat {
    const { exit = null, exitCode = null, signal = null } = this.#ending ?? {};
    const dropped = this.cmd.keep ? { dropped: this.#running.dropped } : {};
    return { cmd: this.cmd, phase, exit, exitCode, signal, pid: this.pid, ...dropped };
  }

  /** This, unless it was scrubbed. */
  #living(): this {
    this.#running.check();
    return this;
  }
}

/** What a process keeps is counted as it comes; one that could never have it all is not started. */
function checkKeep({ path: program, keep = 0 }: Cmd, { path, budget }: ProcContext): void {
  if (keep === 0 || budget.outputs.fits(2 * keep)) return;
  const cause = budget.outputs.full(2 * keep);
  throw new CircuitError(
    cause.code,
    `cannot start ${JSON.stringify(program)} at ${path}: ${cause.message}`,
    { cause },
  );
}

function phaseOf(end: Ending): Phase {
  return end.signal === null ? "exited" : "signaled";
}
