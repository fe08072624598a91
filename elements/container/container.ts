/**
 * The container element: starts a container and gives access to it, whatever becomes of it.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../../overlay/errors.ts";
import { type Call, signalOf } from "../call.ts";
import type { ElementContext } from "../context.ts";
import type { Handlers } from "../describe.ts";
import { cgroupOf } from "../proc/os_state.ts";
import { type Identity, Running, type RunningElement } from "../proc/running.ts";
import { parseSignal } from "../proc/signals.ts";
import { containerDescription, type ContainerRun, type ContainerStat } from "./description.ts";
import { findEngine } from "./engine.ts";
import { hasEnded, Life, stateOf } from "./life.ts";

/** Milliseconds between two looks at a container that somebody has disconnected from the server. */
const LOOK_MS = 1_000;

/** Milliseconds that the engine may take to remove a container that has ended. */
const REMOVE_MS = 30_000;

/** Milliseconds that it may take for each step while the server stops. */
const TERMINATE_MS = 5_000;

/** Milliseconds between SIGTERM and SIGKILL for a tied container whose element goes: 1 s. */
const TIED_GRACE_MS = 1_000;

/** What a container element needs of its anchor. */
export type ContainerContext = Pick<
  ElementContext,
  "path" | "tied" | "budget" | "signal" | "docker" | "launcher" | "remove" | "log"
>;

/** A container element, as the server that hosts it sees it. */
export interface ContainerElement extends RunningElement {
  readonly kind: "docker";
  readonly handlers: Handlers<typeof containerDescription.methods>;
  /** Resolves when the container has ended and is gone from the engine; never fails. */
  readonly released: Promise<void>;
}

/**
 * Starts a container and makes its element.
 *
 * - It is the engine's, with a name of its own, the label `circuit=PATH`, no log, and the engine's
 *   own settings for whatever the run does not say, the network too.
 * - Its standard streams are as a process's: one writer and one reader each at a time, held back when
 *   nobody reads.
 * - `wait` and `peek` answer with what `inspect` reports; once it has ended, with the last report.
 * - Signals go to its first process.
 * - When it has ended it is removed from the engine, with the volumes that have no name.
 * - `scrub` forgets it: it runs on, what it prints is thrown away, and it is removed at its end. One
 * that is tied is ended instead.
 * - If the server crashes it runs on, its standard input closed and its output thrown away, and
 *   stays in the engine when it has ended.
 *
 * @param context Where the element lives; its signal gives up and leaves no container behind.
 * @throws {CircuitError} `UNSUPPORTED` if the server may not or there is no engine, `NOT_FOUND` if
 * the image cannot be had, `BAD_REQUEST` if the container cannot be started; nothing is left behind.
 */
export async function makeContainer(
  run: ContainerRun,
  context: ContainerContext,
): Promise<ContainerElement> {
  const { path, signal, docker } = context;
  if (!docker) {
    throw new CircuitError(
      "UNSUPPORTED",
      `cannot start a container at ${path}: its server was started without -docker`,
    );
  }
  const life = new Life(await engineFor(context), path);
  try {
    await life.create(run, signal);
  } catch (error) {
    // An engine that was interrupted may have made it all the same.
    if (signal.aborted) await life.remove(false, REMOVE_MS);
    throw error;
  }
  const { child, stat } = await life.start(signal);
  return new Container(run, life, child, stat, context);
}

async function engineFor({ path, signal, launcher }: ContainerContext) {
  try {
    return await findEngine(launcher, signal);
  } catch (cause) {
    const { code, message } = toCircuitError(cause);
    throw new CircuitError(code, `cannot start a container at ${path}: ${message}`, { cause });
  }
}

class Container implements ContainerElement {
  readonly kind = "docker";
  readonly description = containerDescription;
  readonly handlers: Handlers<typeof containerDescription.methods> = {
    stdin: (_, call) => this.#running.stdin(call),
    stdout: (_, call) => this.#running.stdout(call),
    stderr: (_, call) => this.#running.stderr(call),
    wait: (_, call) => this.#running.wait(call),
    signal: (name, call) => this.#signal(name, call),
    peek: (_, call) => this.#peek(call),
  };
  readonly released: Promise<void>;
  readonly #life: Life;
  readonly #running: Running<ContainerStat>;
  readonly #context: ContainerContext;
  readonly #child: Deno.ChildProcess;
  /** Its state when it had just been started. */
  readonly #first: ContainerStat;
  /** Its state at its end, or why that is not known. */
  #final: ContainerStat | CircuitError | undefined;
  #removed: Promise<void> | undefined;
  #identity: Promise<Identity | undefined> | undefined;
  #terminating = false;

  constructor(
    run: ContainerRun,
    life: Life,
    child: Deno.ChildProcess,
    stat: ContainerStat,
    context: ContainerContext,
  ) {
    this.#life = life;
    this.#context = context;
    this.#child = child;
    this.#first = stat;
    this.#running = new Running(child, {
      path: context.path,
      what: "container",
      keep: 0,
      share: context.budget.outputs,
      scrub: run.scrub ?? false,
      remove: () => context.remove(),
    });
    this.released = this.#follow();
  }

  get ended(): boolean {
    return this.#final !== undefined;
  }

  identity(): Promise<Identity | undefined> {
    return this.#identity ??= this.#identify();
  }

  async terminate(graceMs: number): Promise<void> {
    this.#terminating = true;
    let ended = this.#final !== undefined;
    if (!ended) {
      const patience = AbortSignal.timeout(graceMs + TERMINATE_MS);
      const asked = this.#life.kill("SIGTERM", patience).catch(() => {});
      let timer;
      const late = new Promise<false>((resolve) => timer = setTimeout(resolve, graceMs, false));
      ended = await Promise.race([this.#child.status.then(() => true), late]);
      clearTimeout(timer);
      await asked;
      if (!ended) {
        const { name } = this.#life;
        this.#context.log("warn", `container ${name} has not ended in time after SIGTERM`);
      }
    }
    await this.#remove(ended, TERMINATE_MS);
  }

  dispose(): void | Promise<void> {
    this.#running.dispose();
    if (this.#context.tied) return this.terminate(TIED_GRACE_MS);
  }

  async #identify(): Promise<Identity | undefined> {
    const { Pid: pid } = stateOf(this.#first);
    const { Id: id } = this.#first;
    if (typeof pid !== "number" || pid <= 0 || typeof id !== "string") return;
    // The engine may be on another machine, where the number is another process's.
    if (!(await cgroupOf(pid))?.includes(id)) return;
    const command = [this.#life.engine.name, "container", this.#life.name];
    return { path: this.#context.path, pid, command };
  }

  /** Until its end, and its way out of the engine. */
  async #follow(): Promise<void> {
    await this.#child.status;
    while (!this.#terminating) {
      try {
        const stat = await this.#life.inspect();
        if (hasEnded(stat)) {
          this.#final = stat;
          this.#running.finished(stat, exitOf(stat));
          break;
        }
        // Only what connects the server with it has ended.
        if ((await this.#life.engine.run(["wait", this.#life.name])).ok) continue;
      } catch (error) {
        this.#context.log("debug", toCircuitError(error).message);
      }
      if (await this.#life.isGone()) {
        this.#final = this.#life.error("ABORTED", "tell the end of", "somebody has removed it");
        this.#running.lost(this.#final);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    await this.#remove(true, REMOVE_MS);
  }

  /** Removes it from the engine, once. */
  #remove(ended: boolean, patienceMs: number): Promise<void> {
    this.#removed ??= this.#life.remove(ended, patienceMs).then((why) => {
      if (why === undefined) return;
      const { message } = this.#life.error("INTERNAL", "remove", why);
      this.#context.log("warn", `${message}; its name is ${this.#life.name}`);
    });
    return this.#removed;
  }

  async #peek(call: Call): Promise<ContainerStat> {
    this.#running.check();
    if (this.#final !== undefined) return this.#last();
    try {
      return await this.#life.inspect(signalOf(call));
    } catch (error) {
      // It may have ended and been removed meanwhile.
      if (this.#final !== undefined) return this.#last();
      throw error;
    }
  }

  #last(): ContainerStat {
    if (this.#final instanceof CircuitError) throw this.#final;
    return this.#final ?? this.#first;
  }

  async #signal(name: string, call: Call): Promise<void> {
    this.#running.check();
    // Containers run on Linux, whatever their engine's client runs on.
    const signal = parseSignal(name, "linux");
    const cancel = signalOf(call);
    if (this.#final === undefined) {
      const { ok, reason } = await this.#life.kill(signal, cancel);
      if (ok) return;
      const ended = this.#final !== undefined || hasEnded(await this.#life.inspect(cancel));
      if (!ended) throw this.#life.error("BAD_REQUEST", `send ${signal} to`, reason);
    }
    throw new CircuitError(
      "CLOSED",
      `cannot send ${signal} to ${this.#context.path}: the container has ended already`,
    );
  }
}

/** How it ended, as a process's `exit`. */
function exitOf(stat: ContainerStat): string | null {
  const { ExitCode: code } = stateOf(stat);
  return code === 0 ? null : `exit status ${code}`;
}
