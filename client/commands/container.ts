/**
 * `circuit mkdkr`.
 *
 * @module
 */

import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";

/** Starts a container. */
export const mkdkrCommand: Command = command({
  name: "mkdkr",
  group: "Processes",
  summary: "start a container, described by JSON on standard input",
  args: { PATH: {} },
  flags: {
    scrub: { type: "boolean", help: "remove the element by itself when the container exits" },
    ...findingFlags,
  },
  help: [
    "The JSON is an object with these keys, in any letter case; all but the first may be left out:",
    [
      '  "Image"      the image; it is pulled if the server\'s machine has not got it',
      '  "Path"       the program, a path or name in the image (default: the image\'s)',
      '  "Args"       a list of its arguments',
      '  "Env"        a list of NAME=VALUE, added to the image\'s',
      '  "Dir"        its working directory',
      '  "Entry"      the entry point, which gets Path and Args as its arguments',
      '  "Volume"     a list of HOST_DIR:DIR, HOST_DIR:DIR:ro or DIR',
      '  "Memory"     most memory, in bytes',
      '  "CpuShares"  weight when processors are short (the engine\'s default is 1024)',
      '  "Scrub"      true: the same as -scrub',
    ].join("\n"),
    "The server must have been started with -docker. It uses the docker command where that reaches " +
    "an engine, else podman. Fails, and leaves PATH empty, if there is neither, the image cannot be " +
    "had, or the container cannot be started.",
    "stdin, stdout, stderr, signal, wait, peek and scrub work as for a process; peek and wait print " +
    "what the engine's inspect reports. Signals go to the container's first process, which ignores " +
    "those that it has no handler for, TERM too, but not KILL. When the container has ended it is " +
    "removed from the engine, and peek prints its last state.",
  ].join("\n\n"),
  example: `echo '{"Image": "busybox", "Path": "ls", "Args": ["/"]}' | ` +
    "circuit mkdkr /X88550014d4c82e4d/dkr",
  async run(invocation) {
    const { args, flags, signal } = invocation;
    const [{ readJsonText }, { parseContainerJson }] = await Promise.all([
      import("./cmd_json.ts"),
      import("./container_json.ts"),
    ]);
    if (invocation.typed) invocation.note("type the container as JSON, then Ctrl-D");
    const run = parseContainerJson(await readJsonText(invocation.stdin, signal));
    if (flags.scrub) run.scrub = true;
    await withClient(invocation, async (client) => {
      await client.anchor(args.PATH).makeContainer(run, { signal });
    });
  },
});
