/**
 * `circuit mkproc`, `signal` and `wait`.
 *
 * @module
 */

import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";
import { json, jsonFlag, procJson } from "./print.ts";

/** Signals that every server knows, for completion. */
export const SIGNALS: readonly string[] = [
  ..."ABRT ALRM CHLD CONT FPE HUP ILL INT KILL PIPE".split(" "),
  ..."QUIT SEGV STOP TERM TSTP TTIN TTOU USR1 USR2 WINCH".split(" "),
];

/** Starts a process. */
export const mkprocCommand: Command = command({
  name: "mkproc",
  group: "Processes",
  summary: "start a process, described by JSON on standard input",
  args: { PATH: {} },
  flags: {
    scrub: { type: "boolean", help: "remove the element by itself when the process exits" },
    ...findingFlags,
  },
  help: [
    "The JSON is an object with these keys, in any letter case:",
    [
      '  "Path"   the program: a path, or a name that the server looks up in its PATH',
      '  "Args"   a list of its arguments',
      '  "Env"    a list of NAME=VALUE (default: the server\'s environment)',
      '  "Dir"    its working directory (default: the server\'s)',
      '  "Scrub"  true: the same as -scrub',
      '  "Keep"   bytes of each output stream that the server keeps for any readers',
    ].join("\n"),
    "No shell comes in between. Fails, and leaves PATH empty, if the program cannot be started.",
  ].join("\n\n"),
  example: `echo '{"Path": "/bin/ls", "Args": ["/"]}' | circuit mkproc /X88550014d4c82e4d/pippi`,
  async run(invocation) {
    const { args, flags, signal } = invocation;
    const { readCmd } = await import("./cmd_json.ts");
    if (invocation.typed) invocation.note("type the command as JSON, then Ctrl-D");
    const cmd = await readCmd(invocation.stdin, signal);
    if (flags.scrub) cmd.scrub = true;
    await withClient(invocation, async (client) => {
      await client.anchor(args.PATH).makeProc(cmd, { signal });
    });
  },
});

/** Sends a signal. */
export const signalCommand: Command = command({
  name: "signal",
  group: "Processes",
  summary: "send a signal to a process",
  args: { NAME: { words: SIGNALS }, PATH: {} },
  flags: findingFlags,
  help: "NAME is a signal's name with or without SIG, in any letter case: TERM, sigterm, kill.",
  example: "circuit signal TERM /X88550014d4c82e4d/pippi",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const runnable = await elementAt(client, args.PATH, ["proc", "docker"], { signal });
      await runnable.signal(args.NAME, { signal });
    });
  },
});

/** Waits for a process to exit. */
export const waitCommand: Command = command({
  name: "wait",
  group: "Processes",
  summary: "wait until a process exits, and print its state as JSON",
  args: { PATH: {} },
  flags: { ...jsonFlag, ...findingFlags },
  help: [
    "Ends at once if it has exited already. The tool's exit status is 0 whatever the process's is: " +
    '"ExitCode" tells that.',
  ].join("\n\n"),
  example: "circuit wait /X88550014d4c82e4d/pippi",
  async run(invocation) {
    const { args, flags, signal, stdout } = invocation;
    const state = await withClient(invocation, async (client) => {
      const runnable = await elementAt(client, args.PATH, ["proc", "docker"], { signal });
      if (runnable.kind === "docker") return await runnable.wait({ signal });
      return procJson(await runnable.wait({ signal }));
    });
    await stdout.line(flags.json ? JSON.stringify(state) : json(state));
  },
});
