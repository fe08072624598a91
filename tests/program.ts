/**
 * What the end-to-end tests run: the sources, or the executable that the environment variable
 * CIRCUIT_BIN names.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** A program and the arguments that come before the test's own. */
export interface Program {
  /** The executable. */
  readonly command: string;
  /** What comes first on its command line. */
  readonly args: readonly string[];
}

/** The project's folder as a URL, with a slash at its end. */
export const rootUrl: URL = new URL("..", import.meta.url);

/** The same as a path. */
export const root: string = fileURLToPath(rootUrl);

/** What the tool needs where it may not use the whole network; its task grants it everything. */
const NARROW = ["read", "write", "env", "run", "sys"].map((name) => `--allow-${name}`);

/** The tool: the compiled executable if there is one to test, else the sources. */
export function program(): Program {
  const command = Deno.env.get("CIRCUIT_BIN");
  return command ? { command, args: [] } : fromSources();
}

/**
 * The tool from its sources.
 *
 * @param net Hosts, with or without ports, that it may talk to; default: all, and it may do anything.
 */
export function fromSources(net: readonly string[] = []): Program {
  const permissions = net.length === 0
    ? ["--allow-all"]
    : [`--allow-net=${net.join(",")}`, ...NARROW];
  const flags = ["--quiet", "--no-prompt", "--v8-flags=--expose-gc", `--config=${root}deno.json`];
  const args = ["run", ...flags, ...permissions, `${root}main.ts`];
  return { command: Deno.execPath(), args };
}

/**
 * The environment for a tool under test: this process's without what would tell the tool where to
 * find a circuit, and without colours.
 *
 * @param extra Variables to add.
 */
export function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("CIRCUIT"));
  return { ...Object.fromEntries(own), NO_COLOR: "1", ...extra };
}

/** Where Deno keeps what it has downloaded, for a process with another home directory. */
export async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
