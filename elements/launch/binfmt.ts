/**
 * Files that Linux executes since somebody has told it how: by an emulator of another machine, or by
 * a run-time of a language.
 *
 * @module
 */

/** Where Linux shows them; see the kernel's page on `binfmt_misc`. */
const FOLDER = "/proc/sys/fs/binfmt_misc";

/**
 * Whether Linux was told how to execute a file. Never fails; false where it cannot be asked.
 *
 * @param head The file's first bytes.
 */
export async function isRegistered(file: string, head: Uint8Array): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    for await (const { name } of Deno.readDir(FOLDER)) {
      if (name === "register" || name === "status") continue;
      if (takes(await Deno.readTextFile(`${FOLDER}/${name}`), file, head)) return true;
    }
  } catch {
    // It is not mounted, or Deno may not read there.
  }
  return false;
}

/** Whether what Linux shows of an entry is about a file. */
export function takes(entry: string, file: string, head: Uint8Array): boolean {
  const lines = entry.split("\n");
  if (lines[0] !== "enabled") return false;
  const value = (key: string) =>
    lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1).trim();
  const extension = value("extension");
  if (extension !== undefined) return file.endsWith(extension);
  const magic = Uint8Array.fromHex(value("magic") ?? "");
  const mask = Uint8Array.fromHex(value("mask") ?? "");
  const offset = Number(value("offset") ?? 0);
  return magic.length > 0 &&
    magic.every((byte, i) => (((head[offset + i] ?? -1) ^ byte) & (mask[i] ?? 0xff)) === 0);
}
