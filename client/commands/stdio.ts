/**
 * `circuit stdin`, `stdout` and `stderr`.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { CallOptions, Container, Proc } from "../types.ts";
import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";

/** Milliseconds to find out whether the input of a process that takes none is empty. */
const END_MS = 200;

/** Forwards the tool's standard input. */
export const stdinCommand: Command = command({
  name: "stdin",
  group: "Processes",
  summary: "forward standard input to a process, then close its own",
  args: { PATH: {} },
  flags: findingFlags,
  help: [
    "One client at a time may write. The tool ends when the process has its input, up to what its " +
    "pipe holds. Interrupting it leaves the process's standard input open. Empty input only closes " +
    "it, and succeeds also if it is closed or the process has exited.",
  ].join("\n\n"),
  example: "echo hello | circuit stdin /X88550014d4c82e4d/pippi",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const runnable = await elementAt(client, args.PATH, ["proc", "docker"], { signal });
      await forward(invocation.stdin, runnable.stdin({ signal }), signal);
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
    flags: {
      follow: { type: "boolean", alias: "f", help: "go on until the end; so it does without, too" },
      ...findingFlags,
    },
    help: [
      "Goes on from where the last reader stopped, until the process closes its end. One client at a " +
      "time may read. While nobody reads, the process is held back when it has printed 64 KiB.",
      'A process that was made with "Keep" is never held back, and any number of clients may read: ' +
      "each gets what is kept, then what follows until the end, also when the process has exited " +
      "already. A note on standard error tells how much came before what is kept; a client that " +
      "reads too slowly to get all that follows fails, and is told how much it missed.",
    ].join("\n\n"),
    example: `circuit ${name} /X88550014d4c82e4d/pippi`,
    async run(invocation) {
      const { args, signal, stdout } = invocation;
      await withClient(invocation, async (client) => {
        const runnable = await elementAt(client, args.PATH, ["proc", "docker"], { signal });
        if (runnable.kind === "proc") {
          const { dropped } = await runnable.peek({ signal });
          const bytes = dropped?.[name] ?? 0;
          if (bytes > 0) invocation.note(`circuit: ${bytes} bytes before this are no longer kept`);
        }
        for await (const chunk of read(runnable, name, { signal })) await stdout.write(chunk);
        await stdout.flush();
      });
    },
  });
}

/**
 * Copies all of a stream, with one exception: nothing can be copied to anything, also to what is
 * closed. So `circuit stdin PATH < /dev/null` need not win a race against the end of the process.
 */
export async function forward(
  from: ReadableStream<Uint8Array>,
  to: WritableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const reader = from.getReader();
  const writer = to.getWriter();
  const first = reader.read();
  try {
    // The process may close its end while nothing comes from ours.
    const chunk = await Promise.race([first, writer.closed]);
    if (!chunk || chunk.done) return await writer.close();
    await writer.write(chunk.value);
  } catch (error) {
    const closed = error instanceof CircuitError && error.code === "CLOSED";
    if (closed && await endsSoon(first)) return;
    await reader.cancel();
    throw error;
  }
  reader.releaseLock();
  writer.releaseLock();
  await from.pipeTo(to, { signal });
}

/** Whether this read is of the end, and known to be before long. */
async function endsSoon(read: Promise<ReadableStreamReadResult<Uint8Array>>): Promise<boolean> {
  const late = Promise.withResolvers<{ done: false }>();
  const timer = setTimeout(() => late.resolve({ done: false }), END_MS);
  try {
    return (await Promise.race([read, late.promise])).done;
  } finally {
    clearTimeout(timer);
  }
}

function read(
  from: Proc | Container,
  name: "stdout" | "stderr",
  options: CallOptions,
): ReadableStream<Uint8Array> {
  return name === "stdout" ? from.stdout(options) : from.stderr(options);
}
