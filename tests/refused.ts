/**
 * Tools that must fail, and how.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { tool, type ToolOptions } from "./tool.ts";

/** The tool fails with status 1 and one line, and prints nothing. */
export async function assertRefused(
  args: readonly string[],
  message: RegExp,
  options: ToolOptions = {},
): Promise<void> {
  const { code, stdout, stderr } = await tool(args, options);
  assertEquals([code, stdout], [1, ""], `circuit ${args.join(" ")}: ${stderr}`);
  assertMatch(stderr, /^circuit: [^\n]+\n$/, `circuit ${args.join(" ")}`);
  assertMatch(stderr, message, `circuit ${args.join(" ")}`);
}

/** The tool says that it was typed wrongly: status 2, a line, and the command's usage line. */
export async function assertUsage(
  args: readonly string[],
  message: RegExp,
  options: ToolOptions = {},
): Promise<void> {
  const { code, stdout, stderr } = await tool(args, options);
  assertEquals([code, stdout], [2, ""], `circuit ${args.join(" ")}: ${stderr}`);
  const usage = new RegExp(
    `^circuit: ${args[0]}: [^\\n]+\\nusage: circuit ${args[0]}\\b[^\\n]*\\n$`,
  );
  assertMatch(stderr, usage, `circuit ${args.join(" ")}`);
  assertMatch(stderr, message, `circuit ${args.join(" ")}`);
}
