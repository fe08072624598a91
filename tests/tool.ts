/**
 * Runs the command line as a user does: in a process of its own.
 *
 * @module
 */

import { LineReader } from "./line_reader.ts";
import { environment, type Program, program } from "./program.ts";

/** Milliseconds after which a tool counts as hanging: 60 s. */
const HANGS_MS = 60_000;

/** How to run it. */
export interface ToolOptions {
  /** What is on its standard input; default: nothing. */
  readonly stdin?: string | Uint8Array;
  /** Variables to add to its environment, from which those of the circuit were removed. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends it with SIGKILL. */
  readonly signal?: AbortSignal;
  /** What to run; default: what is under test. */
  readonly program?: Program;
  /** Its working directory. */
  readonly cwd?: string;
}

/** What came of it. */
export interface ToolResult {
  /** Its exit status. */
  readonly code: number;
  /** What it wrote to standard output, as text. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

/** A tool that runs. It is killed when it is disposed of. */
export class RunningTool implements AsyncDisposable {
  /** The number of its process. */
  readonly pid: number;
  /** What it prints. */
  readonly stdout: LineReader;
  /** How it ended; never fails. */
  readonly status: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stderr: Promise<string>;
  readonly #name: string;
  #ended = false;

  /** Starts it, its standard input open. */
  constructor(args: readonly string[], options: ToolOptions = {}) {
    const { command, args: first } = options.program ?? program();
    this.#name = `circuit ${args.join(" ")}`;
    this.#child = new Deno.Command(command, {
      args: [...first, ...args],
      clearEnv: true,
      env: environment(options.env),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }).spawn();
    this.pid = this.#child.pid;
    this.stdout = new LineReader(this.#child.stdout);
    this.#stdin = this.#child.stdin.getWriter();
    this.#stderr = new Response(this.#child.stderr).text();
    this.status = this.#child.status.then((status) => {
      this.#ended = true;
      return status;
    });
  }

  /** Writes to its standard input; what it does not read any more is dropped. */
  async write(input: string | Uint8Array): Promise<void> {
    const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
    await this.#stdin.write(bytes).catch(() => {});
  }

  /** Closes its standard input. */
  async closeStdin(): Promise<void> {
    await this.#stdin.close().catch(() => {});
  }

  /** Sends it a signal, unless it has ended. */
  kill(signal: Deno.Signal): void {
    if (!this.#ended) this.#child.kill(signal);
  }

  /** Waits for its end, with what it has printed that nobody has read yet. */
  async result(): Promise<ToolResult> {
    const timer = setTimeout(() => this.kill("SIGKILL"), HANGS_MS);
    const start = performance.now();
    const [{ code }, stdout, stderr] = await Promise.all([
      this.status,
      this.stdout.rest(),
      this.#stderr,
    ]);
    clearTimeout(timer);
    if (performance.now() - start >= HANGS_MS) {
      throw new Error(`${this.#name} hung; it printed ${JSON.stringify({ stdout, stderr })}`);
    }
    return { code, stdout: new TextDecoder().decode(stdout), stderr };
  }

  /** Kills it, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.closeStdin();
    await this.stdout.cancel();
    await this.status;
    await this.#stderr;
  }
}

/** Runs the tool to its end. */
export async function tool(
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  await using running = new RunningTool(args, options);
  const abort = () => running.kill("SIGKILL");
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    const feeding = running.write(options.stdin ?? "").then(() => running.closeStdin());
    const result = await running.result();
    await feeding;
    return result;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

/**
 * Runs the tool to its end, which must be a good one.
 *
 * @returns what it printed.
 * @throws {Error} with what it said, if its exit status is not 0.
 */
export async function run(args: readonly string[], options: ToolOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tool(args, options);
  if (code === 0) return stdout;
  throw new Error(`circuit ${args.join(" ")}: exit status ${code}\n${stdout}${stderr}`);
}
