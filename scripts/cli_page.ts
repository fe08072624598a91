/**
 * Writes docs/cli.md from the commands' descriptions, those that the help is made from:
 * `deno task cli-page`. A test compares the two.
 *
 * @module
 */

import { clientCommands, commandHelp, overview } from "../client/commands/mod.ts";
import { startCommand } from "../server/start_command.ts";

/** Where the page is. */
export const CLI_PAGE: URL = new URL("../docs/cli.md", import.meta.url);

const INTRODUCTION = `# The command line

Flags are accepted as \`-flag value\`, \`--flag value\`, \`-flag=value\` and \`--flag=value\`, before or after
the arguments; \`--\` ends them. Data goes to standard output, everything else to standard error. The exit
status is 0, 1 if it did not work, or 2 if the command line was wrong. This page is what \`circuit help\`
and \`circuit help COMMAND\` print.`;

/** The page's text. */
export function cliPage(): string {
  const commands = [startCommand, ...clientCommands];
  const sections = commands.map((each) => `## ${each.name}\n\n${indented(commandHelp(each))}`);
  return [INTRODUCTION, indented(overview(commands)), ...sections].join("\n\n") + "\n";
}

/** As a block of code. */
function indented(text: string): string {
  return text.split("\n").map((line) => line === "" ? "" : `    ${line}`).join("\n");
}

if (import.meta.main) await Deno.writeTextFile(CLI_PAGE, cliPage());
