/**
 * Asking the system through its own tools.
 *
 * @module
 */

/** Where the system's own tools are, which no mount of a user's comes before. */
export const SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/**
 * The bytes that a script of `/bin/sh` prints; none if it cannot be run. Never fails.
 *
 * @param env Variables in addition to the server's; by default, tools are looked for in the system's
 * folders.
 */
export async function saidBytes(
  script: string,
  env: Readonly<Record<string, string>> = { LC_ALL: "C", PATH: SYSTEM_PATH },
): Promise<Uint8Array> {
  try {
    const { stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: "/",
      env,
      stdin: "null",
      stderr: "null",
    }).output();
    return stdout;
  } catch {
    return new Uint8Array();
  }
}

/** As {@linkcode saidBytes}, as text. */
export async function said(script: string): Promise<string> {
  return new TextDecoder().decode(await saidBytes(script));
}
