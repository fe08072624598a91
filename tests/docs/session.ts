/**
 * A shell in which the blocks of a page are run one after the other, as a reader would.
 *
 * @module
 */

import { LineReader } from "../line_reader.ts";
import { environment, program, root } from "../program.ts";
import { quote } from "../shell.ts";
import { until } from "../until.ts";

/** What came of a block. */
export interface Result {
  /** The exit status of its last command. */
  readonly code: number;
  /** Commands before that which failed. */
  readonly failed: string;
  /** What it printed. */
  readonly stdout: string;
  /** What it said on standard error. */
  readonly stderr: string;
}

/** A shell with `circuit` and `deno` in its PATH, and a home directory of its own. */
export class ShellSession implements AsyncDisposable {
  /** The folder that it begins in, which is its home. */
  readonly home: string;
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: LineReader;
  readonly #stderr: Promise<string>;
  #count = 0;

  private constructor(home: string, env: Readonly<Record<string, string>>) {
    this.home = home;
    this.#child = new Deno.Command("/bin/bash", {
      args: ["--noprofile", "--norc"],
      cwd: `${home}/work`,
      clearEnv: true,
      env: {
        ...environment(env),
        HOME: `${home}/work`,
        PATH: `${home}/bin:${Deno.env.get("PATH")}`,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdout = new LineReader(this.#child.stdout);
    this.#stderr = new Response(this.#child.stderr).text();
  }

  /**
   * Starts a shell.
   *
   * @param env Variables to add to its environment.
   */
  static async start(env: Readonly<Record<string, string>>): Promise<ShellSession> {
    const home = await Deno.makeTempDir({ prefix: "circuit_docs_" });
    await Deno.mkdir(`${home}/bin`);
    await Deno.mkdir(`${home}/work`);
    const { command, args } = program();
    const line = [command, ...args].map(quote).join(" ");
    const note = `[ "$1" = start ] && echo $$ >> ${quote(`${home}/servers`)}`;
    await Deno.writeTextFile(`${home}/bin/circuit`, `#!/bin/sh\n${note}\nexec ${line} "$@"\n`, {
      mode: 0o755,
    });
    await Deno.symlink(Deno.execPath(), `${home}/bin/deno`);
    for (const name of ["README.md", "SECURITY.md", "LICENSE"]) {
      await Deno.symlink(root + name, `${home}/work/${name}`);
    }
    return new ShellSession(home, env);
  }

  /** Runs commands to their end. */
  async run(code: string): Promise<Result> {
    const at = await this.#write(code);
    const failed = `trap 'echo "$BASH_COMMAND" >> "$block.failed"' ERR`;
    const line =
      `${failed}; . "$block.sh" < /dev/null > "$block.out" 2> "$block.err"; echo "status $?"`;
    await this.#type(`block=${quote(at)}; touch "$block.failed"; ${line}`);
    const status = await this.#stdout.line();
    const [, code_] = /^status (\d+)$/.exec(status) ?? [];
    if (code_ === undefined) throw new Error(`the shell ended: ${status}`);
    return {
      code: Number(code_),
      failed: await Deno.readTextFile(`${at}.failed`),
      stdout: await Deno.readTextFile(`${at}.out`),
      stderr: await Deno.readTextFile(`${at}.err`),
    };
  }

  /** Starts a command that does not end, and waits for its first line. */
  async begin(code: string): Promise<string> {
    const at = await this.#write(code);
    await this.#type(
      `block=${quote(at)}; . "$block.sh" < /dev/null > "$block.out" 2> "$block.err" &`,
    );
    const seen = await until(
      `the first line of ${code}`,
      async () => (await readIfThere(`${at}.out`)) || `\0${await readIfThere(`${at}.err`)}`,
      (text) => text.includes("\n") && !text.startsWith("\0"),
    );
    return seen.slice(0, seen.indexOf("\n"));
  }

  /** Stops the servers that were started in it, ends the shell and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pids = (await readIfThere(`${this.home}/servers`)).split("\n").filter((pid) =>
      pid !== ""
    );
    for (const pid of pids) await this.#type(`kill ${pid} 2> /dev/null`);
    await this.#type("wait");
    await this.#stdin.close();
    await this.#stdout.rest();
    await this.#child.status;
    await this.#stderr;
    await Deno.remove(this.home, { recursive: true });
  }

  async #write(code: string): Promise<string> {
    const at = `${this.home}/${++this.#count}`;
    await Deno.writeTextFile(`${at}.sh`, code);
    return at;
  }

  async #type(line: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(`${line}\n`));
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
