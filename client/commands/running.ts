/**
 * Running a command on many servers at once.
 *
 * @module
 */

import { constants } from "node:os";
import { CircuitError } from "../../overlay/errors.ts";
import type { Anchor, CallOptions, Cmd, Proc } from "../types.ts";
import { ByteLines, prefixed } from "./byte_lines.ts";
import type { Context } from "./command.ts";
import { Groups } from "./groups.ts";
import { type Outcome, outcome, printable } from "./print.ts";
import { Screen } from "./screen.ts";
import { forward } from "./stdio.ts";

/** Bytes of each output that are kept of a detached process: 1 MiB. */
const DETACHED_KEEP_BYTES = 1024 * 1024;

/** Servers up to which nobody needs to be told how far it is. */
const FEW_SERVERS = 4;

/** What stands above and below the names of a group. */
const RULE = "-".repeat(15);

/** The numbers of signals on this system, by name. */
const SIGNALS: Readonly<Record<string, number>> = constants.signals;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What the command needs of the world, and what its flags say. */
export interface RunContext
  extends Pick<Context, "signal" | "stdin" | "typed" | "stdout" | "stderr" | "watched"> {
  readonly flags: { readonly group: boolean; readonly detach: boolean; readonly json: boolean };
}

/** How it went on one server. */
type Ending = Outcome | { readonly error: string };

/**
 * Runs a command on servers.
 *
 * @param context Standard streams and flags.
 * @param servers Where.
 * @returns the exit status.
 */
export async function run(
  context: RunContext,
  servers: readonly Anchor[],
  cmd: Cmd,
): Promise<number> {
  const job = new Job(context, servers);
  using screen = job.screen;
  const status = await job.run(cmd);
  await screen.end();
  return status;
}

class Job {
  readonly screen: Screen;
  readonly #context: RunContext;
  readonly #servers: readonly Anchor[];
  readonly #options: CallOptions;
  readonly #groups: Groups | undefined;
  #ended = 0;
  #failed = 0;
  /** True once something has failed here: what fails elsewhere then is a consequence. */
  #givenUp = false;

  constructor(context: RunContext, servers: readonly Anchor[]) {
    const told = context.watched && servers.length > FEW_SERVERS;
    this.screen = new Screen(context, told ? () => this.#summary() : undefined);
    this.#context = context;
    this.#servers = servers;
    this.#options = { signal: context.signal };
    this.#groups = context.flags.group ? new Groups() : undefined;
  }

  async run(cmd: Cmd): Promise<number> {
    const { detach } = this.#context.flags;
    const endings = await Promise.all(this.#servers.map(async (server) => {
      const anchor = server.walk("run", newName());
      const ending = await this.#settled(
        detach ? this.#leave(anchor, cmd) : this.#follow(anchor, cmd),
      );
      await this.#tell(server.path, ending);
      return ending;
    }));
    for (const { paths, output } of this.#groups?.all() ?? []) await this.#print(paths, output);
    const [only] = endings;
    if (only && endings.length === 1) return statusOf(only);
    return this.#failed === 0 ? 0 : 1;
  }

  /** Starts it and stays until it has ended and all its output is written. */
  async #follow(anchor: Anchor, cmd: Cmd): Promise<Outcome> {
    const server = `/${anchor.serverId}`;
    const proc = await anchor.makeProc(cmd, { ...this.#options, tied: true });
    const feeding = this.#feed(proc).then(() => new Promise<never>(() => {}));
    const done = allOrLocal([
      proc.wait(this.#options),
      this.#groups
        ? this.#groups.gather(server, proc.stdout(this.#options))
        : this.#copy(server, "stdout", proc.stdout(this.#options)),
      this.#copy(server, "stderr", proc.stderr(this.#options)),
    ]);
    // The process's end ends its input too.
    const [stat] = await Promise.race([done, feeding]);
    await proc.scrub(this.#options);
    return outcome(stat);
  }

  /** Starts it and leaves it. */
  async #leave(anchor: Anchor, cmd: Cmd): Promise<Outcome> {
    const proc = await anchor.makeProc({ ...cmd, keep: DETACHED_KEEP_BYTES }, this.#options);
    const { json } = this.#context.flags;
    await this.screen.out(
      line(json ? JSON.stringify({ path: anchor.path }) : printable(anchor.path)),
    );
    await this.#feed(proc);
    return { exit: null, exitCode: 0, signal: null };
  }

  /** Gives it its standard input. A process that does not want it has done nothing wrong. */
  async #feed(proc: Proc): Promise<void> {
    const { flags: { detach }, signal, stdin, typed } = this.#context;
    const empty = this.#servers.length > 1 || detach && typed;
    const input = proc.stdin(this.#options);
    try {
      if (empty) await input.close();
      else await forward(stdin, input, signal);
    } catch (error) {
      if (!(error instanceof CircuitError)) throw error;
    }
  }

  /** Copies an output line by line, behind the server's path. */
  async #copy(
    server: string,
    name: "stdout" | "stderr",
    from: ReadableStream<Uint8Array>,
  ): Promise<void> {
    const { json } = this.#context.flags;
    const prefix = encoder.encode(`${server}: `);
    const write = (lines: readonly Uint8Array[]) => {
      if (json) {
        const text = lines.map((each) =>
          JSON.stringify({ path: server, [name]: decoder.decode(each) })
        );
        return this.screen.out(line(text.join("\n")));
      }
      const bytes = prefixed(prefix, lines);
      return name === "stdout" ? this.screen.out(bytes) : this.screen.err(bytes);
    };
    const cutter = new ByteLines();
    try {
      for await (const chunk of from) {
        const lines = [...cutter.feed(chunk)];
        if (lines.length > 0) await write(lines);
      }
    } finally {
      const last = cutter.end();
      if (last) await write([last]);
    }
  }

  /** How it ended, also when it failed on its server. What fails here, and a cancellation, is thrown. */
  async #settled(work: Promise<Outcome>): Promise<Ending> {
    try {
      return await work;
    } catch (error) {
      this.#givenUp ||= !(error instanceof CircuitError) || this.#context.signal.aborted;
      if (this.#givenUp) throw error;
      return { error: (error as CircuitError).message };
    }
  }

  /** Counts an ending, and tells of it if it is worth that. */
  async #tell(server: string, ending: Ending): Promise<void> {
    const { json, detach } = this.#context.flags;
    const failed = "error" in ending || ending.exit !== null;
    this.#ended++;
    if (failed) this.#failed++;
    if (json && (failed || !detach)) {
      await this.screen.out(line(JSON.stringify({ path: server, ...ending })));
    } else if (failed) {
      const text = "error" in ending ? ending.error : ending.exit;
      await this.screen.err(line(`circuit: ${server}: ${printable(text ?? "")}`));
    }
  }

  /** Prints a group. */
  async #print(paths: readonly string[], output: Uint8Array): Promise<void> {
    if (this.#context.flags.json) {
      const stdout = decoder.decode(output);
      return await this.screen.out(line(JSON.stringify({ paths, stdout })));
    }
    if (output.length === 0) return;
    const count = paths.length > 1 ? ` (${paths.length})` : "";
    await this.screen.out(line([RULE, paths.join(",") + count, RULE].join("\n")));
    await this.screen.out(output.at(-1) === 0x0a ? output : prefixed(new Uint8Array(0), [output]));
  }

  #summary(): string {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    return `${this.#ended} of ${this.#servers.length} servers done${failed}`;
  }
}

/**
 * All results. What fails on the server is thrown when the others have ended too, so that what has
 * come is written; what fails here is thrown at once.
 */
async function allOrLocal<T extends readonly Promise<unknown>[]>(
  work: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  let failure: CircuitError | undefined;
  const results = await Promise.all(work.map((each) =>
    each.catch((error) => {
      if (!(error instanceof CircuitError)) throw error;
      failure ??= error;
    })
  ));
  if (failure) throw failure;
  return results as { [K in keyof T]: Awaited<T[K]> };
}

/** The status that a shell would have. */
function statusOf(ending: Ending): number {
  if ("error" in ending) return 1;
  if (ending.signal === null) return ending.exitCode ?? 0;
  return 128 + (SIGNALS[ending.signal] ?? 0);
}

/** A name that nobody else takes. */
function newName(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}

function line(text: string): Uint8Array {
  return encoder.encode(text + "\n");
}
