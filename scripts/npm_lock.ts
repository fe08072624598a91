// The lock file of the npm packages that an executable is made of. Deno's own, deno.lock, would also
// want what JSR serves, and no tracked file can hold that where stand-ins take the place of JSR's
// packages: their checksums are others.

/** Versions and checksums of npm packages, as Deno writes them, below the project's folder. */
export const NPM_LOCK = "scripts/npm.lock";

/** The part of a lock file that says what is wanted. */
interface Lock {
  /** Versions, by specifiers such as `npm:libsodium@0.8.4`. */
  readonly specifiers: Readonly<Record<string, string>>;
}

/** The packages that the lock file holds, as specifiers. */
export async function lockedPackages(path: string): Promise<string[]> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(path));
  return Object.keys(lock.specifiers).sort();
}

/**
 * Fetches the packages of a lock file into Deno's cache, where they are not there yet, and compares
 * them with the lock file's checksums. What the cache has already is not compared again.
 *
 * @param env Variables of Deno's environment beside this process's.
 * @returns What Deno said, if npm serves something else or nothing.
 */
export async function fetchLocked(
  path: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "--no-config", `--lock=${path}`, "--frozen"]
      .concat(await lockedPackages(path)),
    env: { ...env, NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return success ? undefined : new TextDecoder().decode(stderr);
}
