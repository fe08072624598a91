/**
 * Asking the system through its own tools.
 *
 * @module
 */

/** The bytes that a script of `/bin/sh` prints; none if it cannot be run. Never fails. */
export async function saidBytes(script: string): Promise<Uint8Array> {
  try {
    const { stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: "/",
      env: { LC_ALL: "C" },
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
