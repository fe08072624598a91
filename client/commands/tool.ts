/**
 * `circuit version` and `circuit help`.
 *
 * @module
 */

import { type Command, command } from "./command.ts";

/** Prints the version. */
export const versionCommand: Command = command({
  name: "version",
  group: "This tool",
  summary: "print the version",
  args: {},
  flags: { json: { type: "boolean", help: "print also what it runs on, as JSON" } },
  example: "circuit version",
  async run({ flags, stdout }) {
    const { default: { version } } = await import("../../deno.json", { with: { type: "json" } });
    if (!flags.json) return await stdout.line(`circuit ${version}`);
    const { os, arch } = Deno.build;
    await stdout.line(JSON.stringify({ version, deno: Deno.version.deno, os, arch }));
  },
});

/** Prints the help. */
export const helpCommand: Command = command({
  name: "help",
  group: "This tool",
  summary: "list the commands, or tell all about one",
  args: { COMMAND: { optional: true } },
  flags: {},
  example: "circuit help ls",
  async run({ args, commands, stdout }) {
    const { commandHelp, overview } = await import("./help.ts");
    if (args.COMMAND === undefined) return await stdout.line(overview(commands));
    const found = commands.find((each) => each.name === args.COMMAND);
    if (found) return await stdout.line(commandHelp(found));
    const { unknownCommand } = await import("./dispatch.ts");
    throw unknownCommand(args.COMMAND, commands);
  },
});
