/**
 * The help, made from the commands' descriptions.
 *
 * @module
 */

import { type Arguments, type Command, type Flag, type Flags, GROUPS } from "./command.ts";

/** Characters up to which usages make a column wider; a longer one stands out of it. */
const SYNOPSIS_WIDTH = 20;

/** Characters to a line of help. */
const WIDTH = 80;

/** Flags that say how to find a server: summed up in usage lines, and listed last. */
const FINDING: ReadonlySet<string> = new Set(["dial", "discover", "hmac", "timeout"]);

type NamedFlag = readonly [name: string, flag: Flag];

/** The list of all commands, by group. */
export function overview(commands: readonly Command[]): string {
  const widths = commands.map((each) => synopsis(each).length);
  const width = Math.max(0, ...widths.filter((each) => each <= SYNOPSIS_WIDTH));
  const groups = GROUPS.flatMap((group) => {
    const members = commands.filter((each) => each.group === group);
    if (members.length === 0) return [];
    const lines = members.map((each) => `  ${synopsis(each).padEnd(width)}  ${each.summary}`);
    return [[`${group}:`, ...lines].join("\n")];
  });
  return [
    "circuit: processes, channels and more on all your machines, from any of them",
    "usage: circuit COMMAND [FLAG…] [ARGUMENT…]",
    ...groups,
    paragraph(
      "A command finds a server through -dial ADDRESS, -discover GROUP:PORT, the file that CIRCUIT " +
        "names, or CIRCUIT_DISCOVER, in this order.",
    ),
    "circuit help COMMAND tells more of a command.",
  ].join("\n\n");
}

/** All there is to know of one command. */
export function commandHelp(command: Command): string {
  const [own, finding] = ownAndFinding(command.flags);
  return [
    `circuit ${command.name}: ${command.summary}`,
    usage(command),
    ...(command.help ?? "").split(/\n\s*\n/).filter((text) => text !== "").map(paragraph),
    ...flagTable("Flags:", own),
    ...flagTable("Finding a server:", finding),
    ["Example:", ...command.example.split("\n").map((line) => `  ${line}`)].join("\n"),
  ].join("\n\n");
}

/** `usage: circuit ls [-l] PATH`. */
export function usage(command: Command): string {
  const [flags] = ownAndFinding(command.flags);
  return [
    `usage: circuit ${command.name}`,
    ...flags.map(([name, flag]) => {
      const text = `[${spelling(name, flag).at(-1)}${
        flag.type === "boolean" ? "" : ` ${flag.value}`
      }]`;
      return isRepeatable(flag) ? `${text}…` : text;
    }),
    ...argumentNames(command.args),
  ].join(" ");
}

/** The command's own flags, and those for finding a server; only what dials has any of these. */
function ownAndFinding(flags: Flags): [NamedFlag[], NamedFlag[]] {
  const all = Object.entries(flags);
  if (!Object.hasOwn(flags, "dial")) return [all, []];
  return [all.filter(([name]) => !FINDING.has(name)), all.filter(([name]) => FINDING.has(name))];
}

function synopsis(command: Command): string {
  return [command.name, ...argumentNames(command.args)].join(" ");
}

function argumentNames(args: Arguments): string[] {
  return Object.entries(args).flatMap(([name, { optional, rest, afterFlags }]) => {
    const text = rest ? `${name}…` : name;
    return [...(afterFlags ? ["--"] : []), optional ? `[${text}]` : text];
  });
}

/** Its forms, the short one last. */
function spelling(name: string, flag: Flag): string[] {
  return flag.alias === undefined ? [`-${name}`] : [`-${name}`, `-${flag.alias}`];
}

function isRepeatable(flag: Flag): boolean {
  return flag.type === "string" && flag.repeatable === true;
}

function flagTable(heading: string, flags: readonly NamedFlag[]): string[] {
  if (flags.length === 0) return [];
  const rows = flags.map(([name, flag]) => {
    const forms = spelling(name, flag).reverse().join(", ");
    const left = flag.type === "boolean" ? forms : `${forms} ${flag.value}`;
    const notes = [
      ...(isRepeatable(flag) ? ["may be repeated"] : []),
      ...(flag.type !== "boolean" && flag.default !== undefined ? [`default ${flag.default}`] : []),
    ];
    return { left, right: notes.length === 0 ? flag.help : `${flag.help} (${notes.join("; ")})` };
  });
  const width = Math.max(...rows.map((row) => row.left.length));
  const indent = " ".repeat(width + 4);
  const lines = rows.map(({ left, right }) =>
    `  ${left.padEnd(width)}  ${wrap(right, WIDTH - width - 4).join("\n" + indent)}`
  );
  return [[heading, ...lines].join("\n")];
}

/** The paragraph broken into lines; left alone where it is indented, as tables are. */
function paragraph(text: string): string {
  if (/^\s/.test(text)) return text.trimEnd();
  return wrap(text, WIDTH).join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((each) => each !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
