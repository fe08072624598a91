/**
 * Asking the system through its own tools.
 *
 * @module
 */

/** Where the system's own tools are: no folder that a user has mounted comes before them. */
export const SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin";

/** What a shell exits with that finds no such program. */
const NO_PROGRAM = 127;

/**
 * The bytes that a script of `/bin/sh` prints; undefined if it cannot be run, or ends with a program
 * that is not there. Never fails.
 *
 * @param args Its arguments, from `$0` on.
 * @param env Variables in addition to the server's.
 */
export async function saidBytes(
  script: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = { LC_ALL: "C", PATH: SYSTEM_PATH },
): Promise<Uint8Array | undefined> {
  try {
    const { stdout, code } = await new Deno.Command("/bin/sh", {
      args: ["-c", script, ...args],
      cwd: "/",
      env,
      stdin: "null",
      stderr: "null",
    }).output();
    return code === NO_PROGRAM ? undefined : stdout;
  } catch {
    return undefined;
  }
}

/** What a script of `/bin/sh` prints, as {@linkcode saidBytes}; empty if it cannot be run. */
export async function said(script: string): Promise<string> {
  return new TextDecoder().decode(await saidBytes(script));
}
