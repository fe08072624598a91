/**
 * The code blocks of a page that are run: commands with what they print, and programs.
 *
 * @module
 */

/** A block of a page. */
export interface Block {
  /** `sh` for commands, `ts` for a program. */
  readonly language: "sh" | "ts";
  /** What stands in the block. */
  readonly code: string;
  /** What must be printed: the indented or `text` block that comes next; undefined if none does. */
  readonly output: string | undefined;
  /** Whether it must fail: `sh fails`. */
  readonly fails: boolean;
  /** The number of its first line in the page, from 1. */
  readonly line: number;
}

/**
 * The blocks of a page, in their order.
 *
 * @throws {Error} for a fenced block in a language that is not run, so that none is forgotten.
 */
export function blocksOf(page: string): Block[] {
  const blocks: { -readonly [K in keyof Block]: Block[K] }[] = [];
  const lines = page.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const [, info] = /^```(.*)$/.exec(lines[i] ?? "") ?? [];
    const last = blocks.at(-1);
    if (info === undefined) {
      // A paragraph goes before an indented block, as Markdown has it, and a list item may not.
      if (!/^( {4}|\t)\S/.test(lines[i] ?? "")) continue;
      const from = i;
      while (/^( {4}|\t)|^$/.test(lines[i + 1] ?? "#")) i++;
      const text = lines.slice(from, i + 1).map((line) => line.replace(/^( {4}|\t)/, ""));
      if (last && last.output === undefined) last.output = text.join("\n").trimEnd() + "\n";
      continue;
    }
    const from = i + 1;
    while (lines[++i] !== "```") if (i >= lines.length) throw new Error(`line ${from}: no end`);
    const code = lines.slice(from, i).join("\n") + "\n";
    const [language = "", ...words] = info.trim().split(/\s+/);
    if (language === "text") {
      if (last && last.output === undefined) last.output = code;
    } else if (language === "sh" || language === "ts") {
      const fails = words.includes("fails");
      blocks.push({ language, code, output: undefined, fails, line: from + 1 });
    } else {
      throw new Error(`line ${from}: a block in ${language || "no language"} is not run`);
    }
  }
  return blocks;
}

/** Matches what is printed: `…` on a line of its own stands for any lines, inside a line for any text. */
export function printed(expected: string): RegExp {
  const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const lines = expected.trimEnd().split("\n").map((line) =>
    line.trim() === "…" ? "(?:[^\\n]*\\n)*" : line.split("…").map(escape).join("[^\\n]*") + "\\n"
  );
  return new RegExp(`^${lines.join("")}$`, "u");
}
