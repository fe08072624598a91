/**
 * Completions for shells, made from the commands' descriptions.
 *
 * @module
 */

import type { Argument, Command, Flag } from "./command.ts";
import { BASH, FISH, SH, ZSH } from "./completion_engines.ts";

/**
 * A script that makes a shell complete the tool's command line: a table of the commands, and a
 * function that finds in it what can stand at the cursor.
 */
export function completionScript(
  shell: "bash" | "zsh" | "fish",
  commands: readonly Command[],
): string {
  switch (shell) {
    case "bash":
      return [shTable(commands), SH, BASH].join("\n");
    case "zsh":
      return ["#compdef circuit", shTable(commands), SH, ZSH].join("\n");
    case "fish":
      return [fishTable(commands), FISH].join("\n");
  }
}

/** What stands for a value in usage lines, and what the shell offers for it. */
const KINDS: Readonly<Record<string, string>> = {
  PATH: "path",
  SELECTOR: "selector",
  CMD: "command",
  ARG: "file",
  FILE: "file",
  DIR: "directory",
};

/** One row: what is typed, what its value is, and a word about it. */
type Row = readonly [typed: string, kind: string, about: string];

/** The rows of no command: the commands. */
function commandRows(commands: readonly Command[]): Row[] {
  return commands.map(({ name, summary }) => [name, "-", summary]);
}

/** A command's flags, and its arguments as `+1`, `+2`; one that may be repeated is `+*`. */
function rowsOf(command: Command, commands: readonly Command[]): Row[] {
  const flags = Object.entries(command.flags).flatMap(([name, flag]) =>
    [...(flag.alias === undefined ? [] : [flag.alias]), name].map((each): Row => [
      `-${each}`,
      kindOfFlag(flag),
      flag.help,
    ])
  );
  const args = Object.entries(command.args).map(([name, argument], index): Row => [
    argument.rest ? "+*" : `+${index + 1}`,
    kindOfArgument(name, argument, commands),
    name,
  ]);
  return [...flags, ["-help", "-", "tell all about this command"], ...args];
}

function kindOfFlag(flag: Flag): string {
  return flag.type === "boolean" ? "-" : KINDS[flag.value] ?? "none";
}

function kindOfArgument(name: string, { words }: Argument, commands: readonly Command[]): string {
  if (words) return `=${words.join(" ")}`;
  if (name === "COMMAND") return `=${commands.map((each) => each.name).join(" ")}`;
  return KINDS[name] ?? "none";
}

function shTable(commands: readonly Command[]): string {
  return [
    "_circuit_table() {",
    "  case $1 in",
    ...tables(commands).flatMap(([name, rows]) => [
      `  ${quote(name)})`,
      ...rows.map((row) => `    printf '%s\\t%s\\t%s\\n' ${row.map(quote).join(" ")}`),
      "    ;;",
    ]),
    "  esac",
    "}",
  ].join("\n");
}

function fishTable(commands: readonly Command[]): string {
  return [
    "function __circuit_table",
    "  switch $argv[1]",
    ...tables(commands).flatMap(([name, rows]) => [
      `  case ${fishQuote(name)}`,
      ...rows.map((row) => `    printf '%s\\t%s\\t%s\\n' ${row.map(fishQuote).join(" ")}`),
    ]),
    "  end",
    "end",
  ].join("\n");
}

function tables(commands: readonly Command[]): [string, Row[]][] {
  return [
    ["", commandRows(commands)],
    ...commands.map((each): [string, Row[]] => [each.name, rowsOf(each, commands)]),
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
