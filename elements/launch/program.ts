/**
 * Finding the program of a command, and saying why it cannot be started.
 *
 * @module
 */

import { CircuitError, type ErrorCode } from "../../overlay/errors.ts";
import { isRegistered } from "./binfmt.ts";
import { type Format, formatOf, HEAD_BYTES, I386_SIGN } from "./executable.ts";
import type { Patience } from "./patience.ts";

/** Scripts whose interpreters are scripts in turn that Linux takes. */
const MAX_SCRIPTS = 4;

/** Why something cannot be started; for the end of a sentence. */
export interface Reason {
  readonly code: ErrorCode;
  readonly text: string;
}

/** A program's file, or why there is none. */
export type Found = { readonly file: string } | Reason;

/**
 * The file that a command's path means: a path with a slash is relative to `dir`, a bare name is
 * looked up in the directories of `search`. Relative directories in `search` are passed over, so
 * that what runs does not depend on where the server was started.
 *
 * @param path The program as the command has it.
 * @param dir The command's working directory, absolute.
 * @param search The server's PATH.
 * @throws {CircuitError} `TIMEOUT` if a directory that is looked in does not answer.
 */
export async function findProgram(
  path: string,
  dir: string,
  search: string,
  patience: Patience,
): Promise<Found> {
  if (path === "") return { code: "BAD_REQUEST", text: "its path is empty: want a program" };
  if (path.includes("/")) return { file: path.startsWith("/") ? path : `${dir}/${path}` };
  const files = search.split(":").filter((directory) => directory.startsWith("/"))
    .map((directory) => `${directory}/${path}`);
  // All at once: most directories do not hold it.
  const looks = files.map((file) => infoOf(file, patience));
  // One that fails behind the one that is taken harms nobody.
  for (const look of looks) look.catch(() => {});
  let passedOver: string | undefined;
  for (const [i, file] of files.entries()) {
    const info = await looks[i];
    if (info === undefined || info.isDirectory) continue;
    if (((info.mode ?? 0) & 0o111) !== 0) return { file };
    passedOver ??= file;
  }
  return passedOver === undefined
    ? { code: "NOT_FOUND", text: `there is no program of that name in PATH ${quote(search)}` }
    : { code: "DENIED", text: `${quote(passedOver)} is not executable` };
}

/** Programs that are remembered. */
const MAX_KNOWN = 256;

/** What files are, by what their beginnings say. Remembers that of files that have not changed. */
export class Formats {
  readonly #patience: Patience;
  readonly #known = new Map<string, { readonly version: string; readonly seen: Seen }>();

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /**
   * Why the system would not execute a file, found out beforehand; undefined if it would, as far as
   * that can be told. See {@linkcode formatOf} for why it matters.
   *
   * @param dir The working directory, to which a script's interpreter may be relative.
   * @throws {CircuitError} `TIMEOUT` if its file system does not answer.
   */
  async whyNotExecuted(file: string, dir: string): Promise<Reason | undefined> {
    for (let at = file, scripts = 0;; scripts++) {
      const found = await this.#look(at);
      if ("error" in found) {
        if (at !== file) return noInterpreter(file, at);
        return await whyNotStarted(file, found.error, this.#patience);
      }
      const { info, seen } = found;
      const which = at === file ? quote(file) : `its interpreter ${quote(at)}`;
      if (info.isDirectory) return { code: "DENIED", text: `${which} is a directory` };
      if (((info.mode ?? 0o111) & 0o111) === 0) {
        return { code: "DENIED", text: `${which} is not executable` };
      }
      if (this.#patience.mounts.of(at)?.executes === false) {
        return { code: "DENIED", text: `${which} is on a file system mounted noexec` };
      }
      // What cannot be read may be executable all the same; starting it tells.
      if (seen === undefined || seen.format === "program") return undefined;
      if ("refused" in seen.format) {
        if (await isRegistered(at, seen.head)) return undefined;
        const of = at === file ? "" : `${which}: `;
        return { code: "BAD_REQUEST", text: of + seen.format.refused };
      }
      if (scripts === MAX_SCRIPTS) {
        return { code: "BAD_REQUEST", text: "its interpreters are scripts, too many in a row" };
      }
      const { interpreter } = seen.format;
      at = interpreter.startsWith("/") ? interpreter : `${dir}/${interpreter}`;
    }
  }

  /** Looks at a file. */
  async #look(
    file: string,
  ): Promise<{ info: Deno.FileInfo; seen: Seen | undefined } | { error: unknown }> {
    try {
      return await this.#patience.ask(file, async () => {
        const info = await Deno.stat(file);
        const { dev, ino, size, mtime, ctime } = info;
        const version = [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
        const known = this.#known.get(file);
        if (known?.version === version) return { info, seen: known.seen };
        const seen = await read(file, info);
        this.#known.delete(file);
        if (seen) this.#known.set(file, { version, seen });
        const [oldest] = this.#known.keys();
        if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
        return { info, seen };
      });
    } catch (error) {
      if (error instanceof CircuitError) throw error;
      return { error };
    }
  }
}

/** The beginning of a file, and what that says. */
interface Seen {
  readonly head: Uint8Array;
  readonly format: Format;
}

/** Reads the beginning of a file; undefined if it is not one, or cannot be read. */
async function read(file: string, { isFile, size }: Deno.FileInfo): Promise<Seen | undefined> {
  // To open a named pipe would wait for somebody to write to it.
  if (!isFile) return undefined;
  try {
    using opened = await Deno.open(file);
    const bytes = new Uint8Array(HEAD_BYTES);
    const head = bytes.subarray(0, await opened.read(bytes) ?? 0);
    const format = formatOf(head, size);
    // A 32-bit program, which is rare: only now is it worth to ask.
    if (typeof format === "object" && "refused" in format && head[4] === 1) {
      return { head, format: formatOf(head, size, { i386: await exists(I386_SIGN) }) };
    }
    return { head, format };
  } catch {
    return undefined;
  }
}

function noInterpreter(file: string, interpreter: string): Reason {
  const text = interpreter.endsWith("\r")
    ? `the first line of ${quote(file)} ends in a carriage return, so its interpreter would be ` +
      `${quote(interpreter)}: save it with Unix line ends`
    : `the interpreter ${quote(interpreter)} that ${quote(file)} names is not there`;
  return { code: "NOT_FOUND", text };
}

async function exists(file: string): Promise<boolean> {
  try {
    await Deno.stat(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * Why a command could not be started, found out after it failed, for the system's answer alone does
 * not tell a missing program from a missing interpreter.
 *
 * @param file The program's file.
 * @param error What starting it failed with.
 */
export async function whyNotStarted(
  file: string,
  error: unknown,
  patience: Patience,
): Promise<Reason> {
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  switch (code) {
    case "E2BIG":
      return { code: "BAD_REQUEST", text: "its arguments and environment are too long" };
    case "ENOEXEC":
      return { code: "BAD_REQUEST", text: "exec format error: the system does not execute it" };
    case "EAGAIN":
    case "ENOMEM":
    case "EMFILE":
    case "ENFILE":
      return { code: "BUSY", text: `the server is short of resources: ${text}` };
    case "ETXTBSY":
      return { code: "BUSY", text: `${quote(file)} is open for writing` };
    case "ELOOP":
      return {
        code: "BAD_REQUEST",
        text: `${quote(file)} has too many symbolic links in its path`,
      };
    case "ENAMETOOLONG":
      return { code: "BAD_REQUEST", text: `the name ${quote(file)} is too long for a file` };
  }
  if (code === "EACCES" || code === "EPERM") {
    return { code: "DENIED", text: `permission to run ${quote(file)} is denied` };
  }
  if (code === "ENOENT" || code === "ENOTDIR") {
    return await infoOf(file, patience) === undefined
      ? { code: "NOT_FOUND", text: `there is no such program ${quote(file)}` }
      : { code: "NOT_FOUND", text: `the loader that ${quote(file)} names is not there` };
  }
  return { code: "INTERNAL", text };
}

/** Numbers of errors for which Deno has no code, and only puts them into the message. */
const NUMBERS: Readonly<Record<string, string>> = { "7": "E2BIG", "8": "ENOEXEC", "26": "ETXTBSY" };

/** The system's name of an error, as `ENOENT`; undefined if it is none of the system's. */
function codeOf(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string") return code;
  if (error instanceof Deno.errors.PermissionDenied) return "EACCES";
  return NUMBERS[/\(os error (\d+)\)/.exec(String(message))?.[1] ?? ""];
}

/**
 * What the system tells of a file; undefined if it is not there, or cannot be looked at.
 *
 * @throws {CircuitError} `TIMEOUT` if its file system does not answer.
 */
export async function infoOf(
  file: string,
  patience: Patience,
): Promise<Deno.FileInfo | undefined> {
  try {
    return await patience.ask(file, () => Deno.stat(file));
  } catch (error) {
    if (error instanceof CircuitError) throw error;
    return undefined;
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
