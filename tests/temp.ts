/**
 * Folders for tests.
 *
 * @module
 */

/** A folder that is removed, with all that is in it, when it is disposed of. */
export interface Folder extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly path: string;
}

/** Makes a folder. */
export async function folder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "circuit_test_" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
