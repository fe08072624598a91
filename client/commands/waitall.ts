/**
 * `circuit waitall`
 *
 * @module
 */

import { toCircuitError } from "../../overlay/errors.ts";
import type { CallOptions, Client } from "../types.ts";
import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";
import { lines } from "./lines.ts";
import { type Outcome, outcome, printable } from "./print.ts";

/** Waits for many processes. */
export const waitallCommand: Command = command({
  name: "waitall",
  group: "Processes",
  summary: "wait for all processes whose paths are on standard input",
  args: {},
  flags: {
    json: { type: "boolean", help: 'print a line {"path","exit","exitCode","signal"} for each' },
    ...findingFlags,
  },
  help: [
    "Reads a path a line; empty lines do not count. Prints a line for each as it exits: its path, a " +
    "tab, and how it ended, as exit status 0, exit status 1, signal: killed, or error: and the reason " +
    'why it could not be waited for, which is "error" with -json.',
    "The exit status is 0 if all succeeded and 1 otherwise.",
  ].join("\n\n"),
  example: "circuit ls /X88550014d4c82e4d/jobs | circuit waitall",
  async run(invocation) {
    const { flags, signal, stdout, stdin } = invocation;
    const format = flags.json ? jsonLine : textLine;
    return await withClient(invocation, async (client) => {
      let status = 0;
      const waiting = new Set<Promise<void>>();
      for await (const path of lines(stdin, signal)) {
        if (path.trim() === "") continue;
        const one = waitFor(client, path, { signal }).then((result) => {
          if (signal.aborted) return;
          if ("error" in result || result.exit !== null) status = 1;
          return stdout.line(format(path, result));
        });
        waiting.add(one);
        // A failure is met below; here it only must not count as one that nobody looks at.
        one.then(() => waiting.delete(one), () => {});
      }
      await Promise.all(waiting);
      return status;
    });
  },
});

type Result = Outcome | { readonly error: string };

async function waitFor(client: Client, path: string, options: CallOptions): Promise<Result> {
  try {
    const runnable = await elementAt(client, path, ["proc", "docker"], options);
    return outcome(await runnable.wait(options));
  } catch (error) {
    return { error: toCircuitError(error).message };
  }
}

function textLine(path: string, result: Result): string {
  const text = "error" in result ? `error: ${result.error}` : result.exit ?? "exit status 0";
  return `${printable(path)}\t${printable(text)}`;
}

function jsonLine(path: string, result: Result): string {
  return JSON.stringify({ path, ...result });
}
