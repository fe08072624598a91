/**
 * Runs lines of a shell in which `circuit` is the tool under test, as a user types them.
 *
 * @module
 */

import { environment, type Program, program } from "./program.ts";
import type { ToolResult } from "./tool.ts";

/** How to run a script. */
export interface ShellOptions {
  /** Variables to add to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `circuit` is; default: what is under test. */
  readonly program?: Program;
}

/** Runs a script with `/bin/sh` in a folder of its own, which is removed afterwards. */
export async function shell(script: string, options: ShellOptions = {}): Promise<ToolResult> {
  const folder = await Deno.makeTempDir({ prefix: "circuit_test_" });
  try {
    const { command, args } = options.program ?? program();
    const line = [command, ...args].map(quote).join(" ");
    await Deno.mkdir(`${folder}/bin`);
    await Deno.writeTextFile(`${folder}/bin/circuit`, `#!/bin/sh\nexec ${line} "$@"\n`, {
      mode: 0o755,
    });
    const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: folder,
      clearEnv: true,
      env: { ...environment(options.env), PATH: `${folder}/bin:${Deno.env.get("PATH")}` },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The text as one word of the shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
