/**
 * Starting a program as the leader of a process group without copying this process. Deno's
 * `detached` makes the system fork it, with all of its memory map, which takes 8 ms where starting a
 * program takes one; the program `setsid` of util-linux and BusyBox does the same in the new process.
 *
 * @module
 */

import { findProgram, type Look } from "./program.ts";

/** What an executable of Linux begins with. */
const ELF = [0x7f, 0x45, 0x4c, 0x46];

/** Characters of an argument that the system takes in any case: its limit is 128 KiB. */
const SAFE_LENGTH = 8 * 1024;

/** Arguments that it takes in any case: its limit for all of them together is 2 MiB. */
const SAFE_COUNT = 16;

/** Permission for everybody to execute a file. */
const EXECUTABLE = 0o111;

/**
 * The command that starts a program through `setsid`; undefined where there is no `setsid`, or where the
 * program might not start: then nobody would be told why, for `setsid` itself does start.
 *
 * @param path The program as the new process is to find it.
 * @param seen What its file looks like; undefined if that cannot be told.
 * @param search Where `setsid` is looked for.
 */
export function leading(
  path: string,
  seen: Look | undefined,
  args: readonly string[],
  search: string,
): { readonly path: string; readonly args: string[] } | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (args.length > SAFE_COUNT || args.some(({ length }) => length > SAFE_LENGTH)) return undefined;
  if (!seen || !isExecutable(seen)) return undefined;
  const setsid = findProgram("setsid", "", search);
  if (!("file" in setsid)) return undefined;
  return { path: setsid.file, args: ["--", path, ...args] };
}

function isExecutable({ mode, head }: Look): boolean {
  return (mode & EXECUTABLE) === EXECUTABLE && ELF.every((byte, i) => head[i] === byte);
}
