/**
 * Programs that do nothing but what every server must, as a measure of the machine: by how much its
 * other work makes all that runs on it dearer, also by the counters of a process.
 *
 * @module
 */

import { LineReader } from "../line_reader.ts";
import type { Host } from "./lab.ts";

const SOURCE = import.meta.resolve("./bare.ts");

/** Programs with eight connections and a heartbeat a second on each. Killed when disposed of. */
export class BarePrograms implements AsyncDisposable {
  readonly #running: { child: Deno.ChildProcess; stdout: LineReader }[] = [];

  private constructor() {}

  /** Starts so many of them on a host; they run when this resolves. */
  static async start(host: Host, count: number): Promise<BarePrograms> {
    const programs = new BarePrograms();
    try {
      for (let i = 0; i < count; i++) await programs.#start(host);
      return programs;
    } catch (error) {
      await programs[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The numbers of their processes. */
  get pids(): number[] {
    return this.#running.map(({ child }) => child.pid);
  }

  async #start(host: Host): Promise<void> {
    const { command, args } = host.program({
      command: Deno.execPath(),
      args: ["run", "--quiet", "--no-config", "--allow-net=127.0.0.1", SOURCE],
    });
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const stdout = new LineReader(child.stdout);
    this.#running.push({ child, stdout });
    if (await stdout.line() === "") throw new Error(`${SOURCE} ended before it ran`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map(async ({ child, stdout }) => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await Promise.all([child.status, stdout.cancel()]);
    }));
  }
}
