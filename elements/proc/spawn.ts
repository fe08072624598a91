/**
 * Starting the process of a command.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Cmd } from "./description.ts";
import { parseEnv } from "./environment.ts";
import { leading } from "./own_group.ts";
import { findProgram, look, notAProgram, type Reason, whyNotStarted } from "./program.ts";

/**
 * Starts a command with pipes for its standard input, output and error. No shell is involved.
 *
 * A path with a slash is relative to the command's `dir`, which is itself relative to the server's
 * own; a bare name is looked up in the server's PATH, also when `env` has another. An empty `dir`
 * is as none. The program finds as its name (`argv[0]`) the path that was found.
 *
 * @param cmd The command.
 * @param path The anchor's path, for messages.
 * @param options `ownGroup`: it becomes the leader of a new process group, which has its number; that
 * may be a moment after this returns.
 * @throws {CircuitError} when it cannot be started:
 * - `NOT_FOUND`: no such program, no such directory, or a script's interpreter is missing;
 * - `DENIED`: not executable, or a directory;
 * - `BAD_REQUEST`: no executable by its content, too long arguments, or a malformed environment;
 * - `BUSY`: too many processes or open files.
 */
export function spawn(
  cmd: Cmd,
  path: string,
  options: { ownGroup?: boolean } = {},
): Deno.ChildProcess {
  const dir = cmd.dir ?? "";
  const search = Deno.env.get("PATH") ?? "/usr/bin:/bin";
  const found = findProgram(cmd.path, dir, search);
  if (!("file" in found)) throw cannotStart(cmd, path, found);
  const seen = look(found.file);
  const wrong = seen && notAProgram(seen);
  if (wrong !== undefined) throw cannotStart(cmd, path, wrong);
  const environment = cmd.env === undefined ? {} : { clearEnv: true, env: parseOwn(cmd, path) };
  const program = { path: cmd.path.includes("/") ? cmd.path : found.file, args: cmd.args ?? [] };
  const leader = options.ownGroup ? leading(program.path, seen, program.args, search) : undefined;
  const { path: file, args } = leader ?? program;
  try {
    return new Deno.Command(file, {
      args: [...args],
      ...(dir === "" ? {} : { cwd: dir }),
      ...environment,
      detached: options.ownGroup === true && !leader,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw cannotStart(cmd, path, whyNotStarted(found.file, dir, error), error);
  }
}

function parseOwn(cmd: Cmd, path: string): Record<string, string> {
  try {
    return parseEnv(cmd.env ?? []);
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    throw cannotStart(cmd, path, { code: error.code, text: error.message }, error);
  }
}

function cannotStart(cmd: Cmd, path: string, reason: Reason, cause?: unknown): CircuitError {
  return new CircuitError(
    reason.code,
    `cannot start ${JSON.stringify(cmd.path)} at ${path}: ${reason.text}`,
    { cause },
  );
}
