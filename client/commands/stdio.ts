/**
 * `circuit stdin`, `stdout` and `stderr`.
 *
 * @module
 */

import type { CallOptions, Container, Proc } from "../types.ts";
import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";

/** Forwards the tool's standard input. */
export const stdinCommand: Command = command({
  name: "stdin",
  group: "Processes",
  summary: "forward standard input to a process, then close its own",
  args: { PATH: {} },
  flags: findingFlags,
  help: [
    "One client at a time may write. The tool ends when the process has its input, up to what its " +
    "pipe holds. Interrupting it leaves the process's standard input open.",
  ].join("\n\n"),
  example: "echo hello | circuit stdin /X88550014d4c82e4d/pippi",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const runnable = await elementAt(client, args.PATH, ["proc", "docker"], { signal });
      await invocation.stdin.pipeTo(runnable.stdin({ signal }), { signal });
    });
  },
});

/** Copies a process's standard output. */
export const stdoutCommand: Command = outputCommand("stdout", "output");

/** Copies a process's standard error. */
export const stderrCommand: Command = outputCommand("stderr", "error");

function outputCommand(name: "stdout" | "stderr", stream: string): Command {
  return command({
    name,
    group: "Processes",
    summary: `copy the standard ${stream} of a process to standard output`,
    args: { PATH: {} },
    flags: findingFlags,
    help: [
      "Goes on from where the last reader stopped, until the process closes its end. One client at a " +
      "time may read. While nobody reads, the process is held back when it has printed 64 KiB; it is " +
      'not if it was made with "Keep": then everyone who reads gets what is kept and what follows.',
    ].join("\n\n"),
    example: `circuit ${name} /X88550014d4c82e4d/pippi`,
    async run(invocation) {
      const { args, signal, stdout } = invocation;
      await withClient(invocation, async (client) => {
        const runnable = await elementAt(client, args.PATH, ["proc", "docker"], { signal });
        for await (const chunk of read(runnable, name, { signal })) await stdout.write(chunk);
        await stdout.flush();
      });
    },
  });
}

function read(
  from: Proc | Container,
  name: "stdout" | "stderr",
  options: CallOptions,
): ReadableStream<Uint8Array> {
  return name === "stdout" ? from.stdout(options) : from.stderr(options);
}
