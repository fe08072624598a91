/**
 * Starting the process of a command.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Cmd } from "./description.ts";
import { parseEnv } from "./environment.ts";
import { type Started, untilExecuted } from "./executed.ts";
import type { Family } from "./family.ts";
import type { Launcher } from "../launch/launcher.ts";
import { findProgram, type Reason, whyNotStarted } from "../launch/program.ts";

/**
 * Starts a command with pipes for its standard input, output and error. No shell is involved: a file
 * that the system itself does not execute is refused.
 *
 * A path with a slash is relative to the command's `dir`, which is itself relative to the directory
 * that the server was started in; a bare name is looked up in the server's PATH, also when `env` has
 * another. An empty `dir` is as none. The program finds as its name (`argv[0]`) the path that was
 * found. Paths mean what they mean to the system: `..` behind a symbolic link leads out of where
 * that link leads.
 *
 * The process has the open files' limit that the server was started with.
 *
 * @param cmd The command.
 * @param path The anchor's path, for messages.
 * @param family What is to end with it: it leads a process group then, which has its number.
 * @throws {CircuitError} when it cannot be started:
 * - `NOT_FOUND`: no such program, no such directory, or a script's interpreter is missing;
 * - `DENIED`: not executable, or a directory;
 * - `BAD_REQUEST`: not an executable by its content, too long arguments or names, or a malformed
 *   environment;
 * - `BUSY`: too many processes or open files, or its file is open for writing;
 * - `TIMEOUT`: the file system of the program or the directory does not answer.
 */
export async function spawn(
  cmd: Cmd,
  path: string,
  launcher: Launcher,
  family?: Family,
): Promise<Started> {
  try {
    return await start(cmd, launcher, family);
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    throw new CircuitError(
      error.code,
      `cannot start ${quote(cmd.path)} at ${path}: ${error.message}`,
      { cause: error },
    );
  }
}

async function start(
  cmd: Cmd,
  launcher: Launcher,
  family: Family | undefined,
): Promise<Started> {
  const { patience } = launcher;
  const ownGroup = family !== undefined;
  const own = cmd.env && parseEnv(cmd.env);
  const [dir, search] = await Promise.all([directoryOf(cmd, launcher), launcher.search()]);
  const found = await findProgram(cmd.path, dir, search, patience);
  if (!("file" in found)) throw failure(found);
  const file = await plain(found.file, launcher);
  const [wrong, before] = await Promise.all([
    launcher.formats.whyNotExecuted(file, dir),
    launcher.before(ownGroup),
  ]);
  if (wrong !== undefined) throw failure(wrong);
  const args = cmd.args ?? [];
  const [first, ...rest] = [...before, file, ...args];
  launcher.stand();
  let child;
  try {
    child = new Deno.Command(first ?? file, {
      args: rest,
      cwd: dir,
      ...(own && { clearEnv: true, env: own }),
      // Without the tool that makes a group Deno does, at the price of a copy of its memory's map.
      detached: ownGroup && !before.some((word) => word.endsWith("/setsid")),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw failure(await whyNotStarted(file, error, patience), error);
  }
  family?.begin(child.pid);
  if (before.length === 0) return { child, stderr: child.stderr };
  return await untilExecuted(child, { before, file, args });
}

/**
 * The directory that the command runs in, absolute and without `..`.
 *
 * @throws {CircuitError} `NOT_FOUND` if there is none, `TIMEOUT` if it does not answer.
 */
async function directoryOf(cmd: Cmd, launcher: Launcher): Promise<string> {
  const { home, patience } = launcher;
  const wanted = cmd.dir ?? "";
  const gone = "the working directory of the server is not there any more: give it a Dir";
  if (home === undefined && !wanted.startsWith("/")) {
    throw new CircuitError("NOT_FOUND", gone);
  }
  // The system knows this one without looking.
  if (wanted === "" && launcher.stand() === home) return home;
  const dir = wanted.startsWith("/") ? wanted : wanted === "" ? home ?? "/" : `${home}/${wanted}`;
  try {
    const [{ isDirectory }, real] = await patience.ask(
      `${dir}/`,
      () => Promise.all([Deno.stat(dir), hasParents(dir) ? Deno.realPath(dir) : dir]),
    );
    if (isDirectory) return real;
  } catch (error) {
    if (error instanceof CircuitError) throw error;
    if (wanted === "") throw new CircuitError("NOT_FOUND", gone, { cause: error });
    const { code, text } = await whyNotStarted(dir, error, patience);
    if (code === "BAD_REQUEST" || code === "DENIED") throw failure({ code, text }, error);
    throw failure({ code: "NOT_FOUND", text: `there is no such directory ${quote(wanted)}` });
  }
  throw failure({ code: "NOT_FOUND", text: `its dir ${quote(wanted)} is not a directory` });
}

/** A program's file without `..`, which Deno would take out of the text without asking the system. */
async function plain(file: string, { patience }: Launcher): Promise<string> {
  if (!hasParents(file)) return file;
  const slash = file.lastIndexOf("/");
  try {
    const folder = await patience.ask(file, () => Deno.realPath(file.slice(0, slash) || "/"));
    return `${folder}/${file.slice(slash + 1)}`;
  } catch (error) {
    if (error instanceof CircuitError) throw error;
    // Starting it finds out what is wrong with it.
    return file;
  }
}

function hasParents(path: string): boolean {
  return path.split("/").includes("..");
}

function failure({ code, text }: Reason, cause?: unknown): CircuitError {
  return new CircuitError(code, text, { cause });
}

function quote(text: string): string {
  return JSON.stringify(text);
}
