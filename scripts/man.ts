// Writes the manual page, dist/circuit.1, from the descriptions of the commands.

import { type Arguments, clientCommands, type Command, type Flag } from "../client/commands/mod.ts";
import { findingFlags } from "../client/commands/connect.ts";
import config from "../deno.json" with { type: "json" };
import { startCommand } from "../server/start_command.ts";

/** Variables that the tool reads. */
const ENVIRONMENT: readonly [name: string, help: string][] = [
  [
    "CIRCUIT",
    "a file that holds addresses of servers, a line each; ~ stands for the home directory",
  ],
  ["CIRCUIT_DISCOVER", "the multicast group to find servers by, GROUP:PORT"],
  ["CIRCUIT_HMAC", "the file that holds the circuit's key"],
  ["CIRCUIT_LOG", "what a server logs: debug, info, warn or error"],
  ["NO_COLOR", "no colours, if it is set"],
];

const EXIT_STATUS: readonly [status: string, help: string][] = [
  ["0", "success"],
  ["1", "failure; the reason is on standard error"],
  ["2", "a mistake in the command line; the usage is on standard error"],
];

/** The manual page of the commands, in the man macros of roff. */
export function manual(commands: readonly Command[], version: string): string {
  const groups = new Set(commands.map(({ group }) => group));
  return [
    `.TH CIRCUIT 1 "" "circuit ${text(version)}" "User Commands"`,
    // Names and commands are to be found and copied whole; ASCII terminals have no middle dot.
    ".nh",
    ".ad l",
    ".fchar \\[pc] .",
    ".SH NAME",
    "circuit \\- processes, channels and more on all your machines, from any of them",
    ".SH SYNOPSIS",
    "\\fBcircuit\\fP \\fICOMMAND\\fP [\\fIFLAG\\fP...] [\\fIARGUMENT\\fP...]",
    ".SH DESCRIPTION",
    ...paragraph(
      "The circuit is a tiny server that runs on every machine of a cluster. The servers find and " +
        "watch each other, and show one hierarchy of names, /X<server id>/any/path, whose anchors " +
        "hold processes, channels and other elements. This tool runs a server, and works with what " +
        "any server shows.",
    ),
    ...paragraph(
      "Flags are written -flag value, --flag value, -flag=value or --flag=value, before or after " +
        "the arguments; -- ends them. circuit COMMAND -h tells of one command.",
    ),
    ...[...groups].flatMap((group) => [
      `.SH ${text(group.toUpperCase())}`,
      ...commands.filter((command) => command.group === group).flatMap(section),
    ]),
    ".SH FINDING A SERVER",
    ...paragraph(
      "A command that works with the circuit finds a server through these flags, the file that " +
        "CIRCUIT names, or CIRCUIT_DISCOVER, in this order.",
    ),
    ...Object.entries(findingFlags).flatMap(([name, flag]) => item(forms(name, flag), flag.help)),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, help]) => item(`\\fB${text(name)}\\fP`, help)),
    ".SH EXIT STATUS",
    ...EXIT_STATUS.flatMap(([status, help]) => item(status, help)),
    "",
  ].join("\n");
}

function section(command: Command): string[] {
  const own = Object.entries(command.flags).filter(([name]) => !isFinding(command, name));
  return [
    `.SS circuit ${text(command.name)}`,
    ...paragraph(`${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`),
    ".PP",
    synopsis(command, own),
    ...(command.help ?? "").split(/\n\s*\n/).filter((part) => part !== "").flatMap(paragraph),
    ...own.flatMap(([name, flag]) => item(forms(name, flag), flag.help + note(flag))),
    ".PP",
    command.example.includes("\n") ? "Examples:" : "Example:",
    ...asItIs(command.example),
  ];
}

/** Whether the flag is one of those that are told of once, for all commands. */
function isFinding(command: Command, name: string): boolean {
  return "dial" in command.flags && name in findingFlags;
}

function synopsis(command: Command, flags: readonly [string, Flag][]): string {
  return [
    `\\fBcircuit ${text(command.name)}\\fP`,
    ...flags.map(([name, flag]) => `[${shortest(name, flag)}]${isRepeatable(flag) ? "..." : ""}`),
    ...argumentNames(command.args),
  ].join(" ");
}

function argumentNames(args: Arguments): string[] {
  return Object.entries(args).map(([name, { optional, rest }]) => {
    const shown = `\\fI${text(name)}\\fP${rest ? "..." : ""}`;
    return optional ? `[${shown}]` : shown;
  });
}

function shortest(name: string, flag: Flag): string {
  return form(flag.alias ?? name, flag);
}

function forms(name: string, flag: Flag): string {
  return flag.alias === undefined
    ? form(name, flag)
    : `\\fB${text(`-${flag.alias}`)}\\fP, ${form(name, flag)}`;
}

function form(name: string, flag: Flag): string {
  const shown = `\\fB${text(`-${name}`)}\\fP`;
  return flag.type === "boolean" ? shown : `${shown} \\fI${text(flag.value)}\\fP`;
}

function isRepeatable(flag: Flag): boolean {
  return flag.type === "string" && flag.repeatable === true;
}

function note(flag: Flag): string {
  return flag.type === "boolean" || flag.default === undefined ? "" : ` (default ${flag.default})`;
}

function item(term: string, help: string): string[] {
  return [".TP", term, line(help)];
}

/** A paragraph to be filled; left as it is where it is indented, as tables are. */
function paragraph(content: string): string[] {
  return /^\s/.test(content) ? asItIs(content) : [".PP", line(content)];
}

function asItIs(content: string): string[] {
  return [".PP", ".RS 4", ".EX", ...content.split("\n").map(line), ".EE", ".RE"];
}

/** A line of text, which never is a request. */
function line(content: string): string {
  const escaped = text(content);
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** Text with nothing in it that roff takes for more; what is not ASCII by its number. */
function text(content: string): string {
  return content.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...")
    .replaceAll(/[^\n\x20-\x7e]/gu, (char) => `\\[u${hex(char)}]`);
}

function hex(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

if (import.meta.main) {
  await Deno.mkdir("dist", { recursive: true });
  await Deno.writeTextFile(
    "dist/circuit.1",
    manual([startCommand, ...clientCommands], config.version),
  );
  console.error("man: wrote dist/circuit.1");
}
