/**
 * What the system lets a test have.
 *
 * @module
 */

const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", "ulimit -Hn"] }).output();

/** How many files a process of this user may have open; Deno takes as many as it may. */
export const maxFiles: number = Number(new TextDecoder().decode(stdout)) || Infinity;

/** What to add to the name of a test that has so many files open, and whether to leave it out. */
export function needsFiles(count: number): { needs: string; ignore: boolean } {
  return { needs: ` (needs ulimit -Hn ${count})`, ignore: maxFiles < count };
}
