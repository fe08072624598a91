/**
 * Finding the program of a command, and saying why it cannot be started.
 *
 * @module
 */

import type { ErrorCode } from "../../overlay/errors.ts";

/** Bytes of a program that are looked at to tell a text from an executable. */
const HEAD_BYTES = 128;

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
 * @param dir The command's working directory; empty for the server's own.
 * @param search The server's PATH.
 */
export function findProgram(path: string, dir: string, search: string): Found {
  if (path === "") return { code: "BAD_REQUEST", text: "its path is empty: want a program" };
  if (path.includes("/")) {
    return { file: path.startsWith("/") || dir === "" ? path : `${dir}/${path}` };
  }
  let passedOver: string | undefined;
  for (const directory of search.split(":")) {
    if (!directory.startsWith("/")) continue;
    const file = `${directory}/${path}`;
    const info = statOrUndefined(file);
    if (info === undefined || info.isDirectory) continue;
    if (((info.mode ?? 0) & 0o111) !== 0) return { file };
    passedOver ??= file;
  }
  return passedOver === undefined
    ? { code: "NOT_FOUND", text: `there is no program of that name in PATH ${quote(search)}` }
    : { code: "DENIED", text: `${quote(passedOver)} is not executable` };
}

/** What a file looks like that may be a program. */
export interface Look {
  /** Its permissions and kind. */
  readonly mode: number;
  /** Its first bytes, 128 at most. */
  readonly head: Uint8Array;
}

/** Looks at a file; undefined if it is none, or cannot be read. */
export function look(file: string): Look | undefined {
  try {
    // To open a named pipe would wait for somebody to write to it.
    const { isFile, mode } = Deno.statSync(file);
    if (!isFile) return undefined;
    using opened = Deno.openSync(file);
    const bytes = new Uint8Array(HEAD_BYTES);
    return { mode: mode ?? 0, head: bytes.subarray(0, opened.readSync(bytes) ?? 0) };
  } catch {
    return undefined;
  }
}

/**
 * Why a file is no program by its content: a text (or nothing at all) that does not begin with
 * `#!`. Some ways to start a program would hand such a file to a shell. Undefined when it may be one.
 */
export function notAProgram({ head }: Look): Reason | undefined {
  const script = head[0] === 0x23 && head[1] === 0x21;
  return script || head.includes(0) ? undefined : EXEC_FORMAT;
}

/**
 * Why a command could not be started, found out after it failed, for the system's answer alone does
 * not tell a missing program from a missing directory or a missing interpreter.
 *
 * @param file The program's file.
 * @param dir The working directory; empty for the server's own.
 * @param error What starting it failed with.
 */
export function whyNotStarted(file: string, dir: string, error: unknown): Reason {
  const dirInfo = dir === "" ? undefined : statOrUndefined(dir);
  if (dir !== "" && dirInfo === undefined) {
    return { code: "NOT_FOUND", text: `there is no such directory ${quote(dir)}` };
  }
  if (dirInfo?.isDirectory === false) {
    return { code: "NOT_FOUND", text: `its dir ${quote(dir)} is not a directory` };
  }
  const code = (error as { code?: unknown } | undefined)?.code;
  const text = error instanceof Error ? error.message : String(error);
  if (code === "E2BIG") {
    return { code: "BAD_REQUEST", text: "its arguments and environment are too long" };
  }
  // Without a code, Deno has the system's error number in its message only.
  if (code === "ENOEXEC" || text.includes("(os error 8)")) return EXEC_FORMAT;
  if (code === "EAGAIN" || code === "ENOMEM" || code === "EMFILE" || code === "ENFILE") {
    return { code: "BUSY", text: `the server is short of resources: ${text}` };
  }
  if (code === "ETXTBSY") return { code: "BUSY", text: "its file is being written" };
  const info = statOrUndefined(file);
  if (code === "EACCES" || code === "EPERM" || error instanceof Deno.errors.PermissionDenied) {
    if (info?.isDirectory) return { code: "DENIED", text: `${quote(file)} is a directory` };
    if (((info?.mode ?? 0) & 0o111) === 0) {
      return { code: "DENIED", text: `${quote(file)} is not executable` };
    }
    const enter = dir === "" ? "" : ` or to enter ${quote(dir)}`;
    return { code: "DENIED", text: `permission to run ${quote(file)}${enter} is denied` };
  }
  if (code === "ENOENT" || code === "ENOTDIR") {
    if (info === undefined) {
      return { code: "NOT_FOUND", text: `there is no such program ${quote(file)}` };
    }
    return { code: "NOT_FOUND", text: `the interpreter that ${quote(file)} names is not there` };
  }
  return { code: "INTERNAL", text };
}

const EXEC_FORMAT: Reason = {
  code: "BAD_REQUEST",
  text: 'exec format error: it is no executable, and no script that begins with "#!"',
};

function statOrUndefined(file: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(file);
  } catch {
    return undefined;
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
