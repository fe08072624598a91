/**
 * A container's way from its image to its start, and out of the engine again.
 *
 * @module
 */

import { CircuitError, type ErrorCode } from "../../overlay/errors.ts";
import { createArguments } from "./arguments.ts";
import type { ContainerRun, ContainerStat } from "./description.ts";
import { type Answer, type Engine, reasonOf } from "./engine.ts";

/** Milliseconds between two looks at a container that is about to start. */
const START_LOOK_MS = 20;

/** Milliseconds that the engine may take to remove a container that could not be started. */
const REMOVE_MS = 30_000;

/** What the engine calls the states of a container that has ended. */
const ENDED: readonly unknown[] = ["exited", "stopped", "dead"];

/** What is looked at of what `inspect` reports; Docker and Podman agree on it. */
interface State {
  readonly Status?: unknown;
  readonly Pid?: unknown;
  readonly ExitCode?: unknown;
  readonly StartedAt?: unknown;
}

/** The state in what `inspect` reports. */
export function stateOf(stat: ContainerStat): State {
  const { State } = stat;
  return typeof State === "object" && State !== null ? State : {};
}

/** Whether it has ever run. */
export function hasStarted(stat: ContainerStat): boolean {
  const { StartedAt } = stateOf(stat);
  // Both engines write the zero time of Go for what has not happened.
  return typeof StartedAt === "string" && !StartedAt.startsWith("0001-");
}

/** Whether it has run and does no more. */
export function hasEnded(stat: ContainerStat): boolean {
  return hasStarted(stat) && ENDED.includes(stateOf(stat).Status);
}

/** A container that one element has made and nobody else removes. */
export class Life {
  /** Its name in the engine. */
  readonly name: string;
  readonly engine: Engine;
  readonly #path: string;

  /** @param path The path of its anchor. */
  constructor(engine: Engine, path: string) {
    const random = crypto.getRandomValues(new Uint8Array(8)).toHex();
    this.name = `circuit-${random}`;
    this.engine = engine;
    this.#path = path;
  }

  /**
   * Creates it, from an image that is pulled if the engine has not got it. That may take minutes.
   *
   * @throws {CircuitError} `NOT_FOUND` if the image cannot be had, `BAD_REQUEST` for whatever else
   * the engine does not like.
   */
  async create(run: ContainerRun, signal: AbortSignal): Promise<void> {
    const create = createArguments(run, this.name, this.#path);
    let created = await this.engine.run(create, signal);
    if (created.ok) return;
    const image = await this.engine.run(["image", "inspect", "--", run.image], signal);
    if (!image.ok) {
      const pulled = await this.engine.run(["pull", "--quiet", "--", run.image], signal);
      if (!pulled.ok) {
        const name = JSON.stringify(run.image);
        throw this.error("NOT_FOUND", "start", `image ${name} cannot be had: ${pulled.reason}`);
      }
      created = await this.engine.run(create, signal);
    }
    if (!created.ok) throw this.error("BAD_REQUEST", "start", created.reason);
  }

  /**
   * Starts it, and waits until it runs or has run.
   *
   * @returns the process whose standard streams are the container's, as long as it runs; and its
   * state.
   * @throws {CircuitError} `BAD_REQUEST` if it cannot be started, as when the image has no such
   * program.
   */
  async start(signal: AbortSignal): Promise<{ child: Deno.ChildProcess; stat: ContainerStat }> {
    // Podman would take two bytes of its input for a request to go; docker does so on terminals only.
    const flags = ["--attach", "--interactive", "--detach-keys="];
    const child = await this.engine.start(["start", ...flags, this.name]);
    try {
      let over = false;
      const ended = child.status.then(() => over = true);
      for (;;) {
        const last = over;
        const stat = await this.inspect(signal);
        if (hasStarted(stat)) return { child, stat };
        if (last) throw this.error("BAD_REQUEST", "start", await lastWords(child));
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, START_LOOK_MS))]);
      }
    } catch (error) {
      await Promise.all([this.remove(false, REMOVE_MS), discard(child)]);
      throw error;
    }
  }

  /**
   * What `inspect` reports right now.
   *
   * @throws {CircuitError} `INTERNAL` if the engine does not say.
   */
  async inspect(signal?: AbortSignal): Promise<ContainerStat> {
    const { ok, stdout, reason } = await this.engine.run(
      ["container", "inspect", this.name],
      signal,
    );
    if (!ok) throw this.error("INTERNAL", "inspect", reason);
    let answer: unknown;
    try {
      answer = JSON.parse(stdout);
    } catch {
      // Falls through to the error for what is no list.
    }
    const stat: unknown = Array.isArray(answer) ? answer[0] : undefined;
    if (typeof stat === "object" && stat !== null) return stat as ContainerStat;
    throw this.error("INTERNAL", "inspect", `it answered ${JSON.stringify(stdout.slice(0, 80))}`);
  }

  /** Whether the engine is certain that there is no such container. */
  async isGone(): Promise<boolean> {
    const filter = ["--all", "--quiet", `--filter=name=^${this.name}$`];
    const { ok, stdout } = await this.engine.run(["container", "ls", ...filter]);
    return ok && stdout.trim() === "";
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal, cancel?: AbortSignal): Promise<Answer> {
    return this.engine.run(["kill", `--signal=${signal}`, this.name], cancel);
  }

  /**
   * Ends it if it runs, and removes it from the engine with the volumes that have no name. Never
   * fails: what is left is for whoever looks after the machine.
   *
   * @param ended Whether it is known to have ended.
   * @param patienceMs Milliseconds that the engine may take.
   * @returns why it is still there; undefined if it is not.
   */
  async remove(ended: boolean, patienceMs: number): Promise<string | undefined> {
    const patience = AbortSignal.timeout(patienceMs);
    try {
      // Podman's `rm --force` alone would give one that runs ten seconds first.
      if (!ended) await this.kill("SIGKILL", patience);
      const remove = ["rm", "--force", "--volumes", this.name];
      const { ok, reason } = await this.engine.run(remove, patience);
      return ok || await this.isGone() ? undefined : reason;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** An error of the engine, as `cannot start the container at /X…/a: podman: …`. */
  error(code: ErrorCode, action: string, why: string): CircuitError {
    return new CircuitError(
      code,
      `cannot ${action} the container at ${this.#path}: ${this.engine.name}: ${why}`,
    );
  }
}

/** Why an engine's command has failed. */
async function lastWords(child: Deno.ChildProcess): Promise<string> {
  return reasonOf(await new Response(child.stderr).text());
}

/** Ends the process that is connected with a container, and lets go of its pipes. */
async function discard(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
  // What was read to the end already has nothing to cancel.
  await Promise.allSettled([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()]);
  await child.status;
}
