/**
 * Running iproute2's programs.
 *
 * @module
 */

import type { Program } from "../program.ts";

/**
 * Runs `ip`.
 *
 * @returns what it printed.
 * @throws {Error} with what it said, if it fails or is not there.
 */
export function ip(...args: readonly string[]): Promise<string> {
  return output("ip", args);
}

/** Runs `tc`, as {@linkcode ip}. */
export function tc(...args: readonly string[]): Promise<string> {
  return output("tc", args);
}

/** The same program in a network namespace; its process has the number of the one that is started. */
export function inNamespace(name: string, command: string, args: readonly string[]): Program {
  return { command: "ip", args: ["netns", "exec", name, command, ...args] };
}

/**
 * Runs a program to its end, which must be a good one.
 *
 * @returns what it printed.
 * @throws {Error} with what it said, if it fails or is not there.
 */
export async function output(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(stderr)}`);
}
