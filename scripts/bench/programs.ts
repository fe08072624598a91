/**
 * Programs that are run as a whole: the command line, and others to put beside it.
 *
 * @module
 */

import { compile } from "../compile.ts";
import { FROM_SOURCE } from "../server_process.ts";

const PROJECT = `${import.meta.dirname}/../..`;

/** A program of the benchmark's own. */
export interface OtherProgram {
  /** Where its files are put. */
  readonly folder: string;
  readonly name: string;
  readonly text: string;
}

/**
 * Compiles a program, by default the command line.
 *
 * @returns Its file; undefined if it cannot be made.
 */
export async function make(other?: OtherProgram): Promise<string | undefined> {
  const root = other?.folder ?? PROJECT;
  const entry = other ? `${other.name}.ts` : "main.ts";
  if (other) await Deno.writeTextFile(`${root}/${entry}`, other.text);
  const stub = Deno.env.get("DENORT_BIN");
  if (!await compile({ root, entry, stub, say: () => {} })) return undefined;
  const made = `${root}/dist/circuit`;
  if (!other) return made;
  const file = `${root}/${other.name}`;
  await Deno.rename(made, file);
  return file;
}

/** The command line: compiled where `DENORT_BIN` says how, else from its sources. */
export async function commandLine(): Promise<readonly string[]> {
  const made = Deno.env.get("DENORT_BIN") ? await make() : undefined;
  return made === undefined ? FROM_SOURCE : [made];
}

/**
 * Runs a program to its end.
 *
 * @throws {Error} if it fails.
 */
export async function run([program = "", ...args]: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
}
