/**
 * The container engine of this machine: its command line, `docker` or `podman`.
 *
 * @module
 */

import { cancelled, CircuitError, toCircuitError } from "../../overlay/errors.ts";
import type { Launcher } from "../launch/launcher.ts";
import { findProgram, whyNotStarted } from "../launch/program.ts";

/** Milliseconds that docker's client may take to say whether it reaches an engine. */
const PROBE_MS = 5_000;

/** Milliseconds between SIGTERM and SIGKILL for a command of the engine that is cancelled. */
const CANCEL_GRACE_MS = 2_000;

/** Most bytes that are kept of what a command prints, of each stream: 256 KiB. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Most characters of an engine's reason in a message. */
const MAX_REASON = 600;

/** What a command of the engine answered. */
export interface Answer {
  /** True if its exit status was 0. */
  readonly ok: boolean;
  readonly stdout: string;
  /** Why it failed, in the engine's words; for the end of a sentence. */
  readonly reason: string;
}

/** A container engine. Its commands get the server's environment. No shell comes in between. */
export class Engine {
  /** Its command's name, for messages. */
  readonly name: string;
  readonly #file: string;
  readonly #launcher: Launcher;

  constructor(name: string, file: string, launcher: Launcher) {
    this.name = name;
    this.#file = file;
    this.#launcher = launcher;
  }

  /**
   * Runs one of its commands to the end.
   *
   * @param signal Cancels it: it gets SIGTERM, and SIGKILL if it is there 2 s later.
   * @throws {CircuitError} `ABORTED` once a cancelled command has ended, or why it cannot be run.
   */
  async run(args: readonly string[], signal?: AbortSignal): Promise<Answer> {
    if (signal?.aborted) throw cancelled(`${this.name} ${args[0]}`, signal);
    const child = await this.#spawn(args, "null");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => {
      kill(child, "SIGTERM");
      timer = setTimeout(() => kill(child, "SIGKILL"), CANCEL_GRACE_MS);
    };
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    const [stdout, stderr, { success }] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      child.status,
    ]);
    signal?.removeEventListener("abort", cancel);
    clearTimeout(timer);
    if (signal?.aborted && !success) throw cancelled(`${this.name} ${args[0]}`, signal);
    return { ok: success, stdout, reason: reasonOf(stderr) };
  }

  /** Starts one of its commands with pipes for its standard streams. */
  async start(args: readonly string[]): Promise<Deno.ChildProcess> {
    return await this.#spawn(args, "piped");
  }

  async #spawn(args: readonly string[], stdin: "null" | "piped"): Promise<Deno.ChildProcess> {
    try {
      return new Deno.Command(this.#file, {
        args: [...args],
        cwd: this.#launcher.stand(),
        stdin,
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      const { code, text } = await whyNotStarted(this.#file, error, this.#launcher.patience);
      throw new CircuitError(code, `cannot run ${this.name}: ${text}`, { cause: error });
    }
  }
}

/**
 * The engine of this machine: `docker` where that is a command and reaches an engine (its client is
 * often installed where none runs, or may only be used by others), else `podman`, which needs none.
 * Looks anew each time, so an engine that is started later is found.
 *
 * @param launcher Where to look.
 * @param signal Gives up.
 * @throws {CircuitError} `UNSUPPORTED` if there is neither, saying what was tried.
 */
export async function findEngine(launcher: Launcher, signal?: AbortSignal): Promise<Engine> {
  const tried: string[] = [];
  const search = await launcher.search();
  const find = (name: string) => findProgram(name, "/", search, launcher.patience);
  const docker = await find("docker");
  if ("file" in docker) {
    const engine = new Engine("docker", docker.file, launcher);
    const why = await unreachable(engine, signal);
    if (why === undefined) return engine;
    tried.push(`docker reaches no engine: ${why}`);
  } else tried.push(`docker: ${docker.text}`);
  const podman = await find("podman");
  if ("file" in podman) return new Engine("podman", podman.file, launcher);
  throw new CircuitError(
    "UNSUPPORTED",
    `this machine has no container engine: ${tried.join("; ")}; podman: ${podman.text}`,
  );
}

/** Why docker's client reaches no engine; undefined if it does. */
async function unreachable(engine: Engine, signal?: AbortSignal): Promise<string | undefined> {
  const patience = AbortSignal.timeout(PROBE_MS);
  const either = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const answer = await engine.run(["version", "--format={{.Server.Version}}"], either);
    return answer.ok ? undefined : answer.reason;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (patience.aborted) return `it did not answer within ${PROBE_MS} ms`;
    return toCircuitError(error).message;
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** All of a stream is read, its beginning is kept. */
async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of stream) {
    if (size < MAX_ANSWER_BYTES) {
      text += decoder.decode(chunk.subarray(0, MAX_ANSWER_BYTES - size), { stream: true });
    }
    size += chunk.length;
  }
  return text;
}

/**
 * What an engine says went wrong, out of what else it says: the line that is marked as an error, else
 * the last one.
 */
export function reasonOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const marked = lines.find((line) => /^(docker: )?Error\b/.test(line)) ?? lines.at(-1);
  const bare = marked?.replace(/^(docker: )?Error( response from daemon)?: /, "") ?? "";
  if (bare === "") return "it does not say why";
  return bare.length > MAX_REASON ? `${bare.slice(0, MAX_REASON)}…` : bare;
}
