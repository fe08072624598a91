/**
 * `circuit keygen`.
 *
 * @module
 */

import { type Command, command } from "./command.ts";

/** Prints a new key. */
export const keygenCommand: Command = command({
  name: "keygen",
  group: "This tool",
  summary: "print a new key for a circuit",
  help:
    "64 random bytes in base64, on a line. Put it in a file that nobody else can read (umask 077 " +
    "or chmod 600 sees to that), the same on every machine, and give that file to all servers and commands with -hmac FILE or in " +
    "CIRCUIT_HMAC. A file may hold several keys, a line each: the first is used to dial, and a " +
    "server accepts all. A line that begins with # is a comment.",
  args: {},
  flags: {},
  example: "circuit keygen",
  async run({ stdout }) {
    const { formatKey, newKey } = await import("../mod.ts");
    await stdout.line(formatKey(newKey()));
  },
});
