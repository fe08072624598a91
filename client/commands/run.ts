/**
 * `circuit run`
 *
 * @module
 */

import { type Command, command, UsageError } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { parseSelector, select } from "./selector.ts";

/** Runs a command on many servers. */
export const runCommand: Command = command({
  name: "run",
  group: "Processes",
  summary: "run a command on one, many or all servers",
  args: { SELECTOR: {}, CMD: { afterFlags: true }, ARG: { rest: true, optional: true } },
  flags: {
    group: {
      type: "boolean",
      alias: "b",
      help: "at the end, print what servers have in common once",
    },
    detach: { type: "boolean", help: "leave the processes running and print their paths" },
    json: {
      type: "boolean",
      help: 'print JSON: a line {"path","stdout"} or {"path","stderr"} for each line, and ' +
        '{"path","exit","exitCode","signal"} or {"path","error"} for each server at its end',
    },
    ...findingFlags,
  },
  help: [
    "SELECTOR is / for all servers, or the paths of servers or their beginnings, parted by commas: " +
    "/X88,/X93. CMD is looked up in the PATH of each server; no shell comes in between.",
    "Lines are printed as they come, whole, each behind the path of its server: what goes to standard " +
    "error comes out there. A line of more than 1 MiB is cut. With -b, the standard output of each " +
    "server is printed at the end, once for all that have printed the same.",
    "With one server, standard input goes to the process; with more, it is empty.",
    "Interrupting the tool, or losing it or its connection in any other way, ends the processes and " +
    "what they have started: with SIGTERM, and SIGKILL a second later. With -detach they run on, at " +
    "the paths that are printed; the last MiB of each of their outputs is kept for any reader.",
    "A process that does not succeed is told of on standard error, and so is a server that dies " +
    "meanwhile; the others go on. With one server the exit status is that of the process, 128 and " +
    "the signal's number if one ended it. With more it is 0 if all have succeeded, and 1 otherwise.",
  ].join("\n\n"),
  example: "circuit run / -- uname -a\ncircuit run -b /X88550014d4c82e4d -- cat /etc/hostname",
  async run(invocation) {
    const { args, flags, signal } = invocation;
    if (flags.group && flags.detach) {
      throw new UsageError("-b and -detach exclude each other: detached processes are not read");
    }
    const { run } = await import("./running.ts");
    const selector = parseSelector(args.SELECTOR);
    return await withClient(invocation, async (client) => {
      const servers = select(selector, await client.servers({ signal }));
      return await run(invocation, servers, { path: args.CMD, args: [...args.ARG] });
    }, { redial: true });
  },
});
