/**
 * `circuit ls`
 *
 * @module
 */

import type { Entry } from "../types.ts";
import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { printable } from "./print.ts";

/** Columns of the kind in a long listing. */
const KIND_COLUMNS = 15;

/** Stands for the kind of an anchor that holds no element. */
const EMPTY = "·";

/** Lists anchors. */
export const lsCommand: Command = command({
  name: "ls",
  group: "Anchors",
  summary: "list what is below an anchor",
  args: { PATH: {} },
  flags: {
    long: { type: "boolean", alias: "l", help: "put the kind of its element before each path" },
    depth: { type: "boolean", help: "list what is below an anchor before the anchor" },
    json: { type: "boolean", help: 'print a line {"path","kind"} for each' },
    ...findingFlags,
  },
  help: [
    "Prints the children of PATH, sorted, a path a line. With PATH/... it prints everything below " +
    "PATH. The children of / are the servers.",
    "Kinds are server, proc, chan, dns, docker, @join and @leave; an anchor that holds nothing but " +
    `other anchors has ${EMPTY}, and null with -json.`,
    "A path that holds control characters is printed with escapes such as \\n and \\033, and doubled " +
    "backslashes; all others are printed as they are. -json prints every path exactly.",
  ].join("\n\n"),
  example: "circuit ls /\ncircuit ls -l /...",
  async run(invocation) {
    const { args, flags, stdout, signal } = invocation;
    const { path, recursive } = parseGlob(args.PATH);
    const format = flags.json ? jsonLine : flags.long ? longLine : shortLine;
    await withClient(invocation, async (client) => {
      const entries = client.anchor(path).list({ recursive, depthFirst: flags.depth, signal });
      for await (const entry of entries) {
        const full = stdout.line(format(entry));
        if (full) await full;
      }
    });
  },
});

/** Takes the `...` off the end of a path. */
export function parseGlob(pattern: string): { path: string; recursive: boolean } {
  const match = /^(.*?)(?:^|\/)\.\.\.\/*$/s.exec(pattern);
  if (!match) return { path: pattern, recursive: false };
  return { path: match[1] || "/", recursive: true };
}

function shortLine({ path }: Entry): string {
  return printable(path);
}

function longLine({ path, kind }: Entry): string {
  return `${(kind ?? EMPTY).padEnd(KIND_COLUMNS)} ${printable(path)}`;
}

function jsonLine({ path, kind }: Entry): string {
  return JSON.stringify({ path, kind: kind ?? null });
}
