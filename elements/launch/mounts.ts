/**
 * The mounts of this machine, as far as Linux and Deno's permissions tell.
 *
 * @module
 */

/** A mounted file system. */
export interface Mount {
  /** Where it is mounted. */
  readonly point: string;
  /** False if no program runs from it. */
  readonly executes: boolean;
  /** The kind of file system, as `ext4`. */
  readonly type: string;
}

/** Milliseconds for which one reading of the mounts holds. */
const FRESH_MS = 1_000;

/** The mounts, read anew now and then. */
export class Mounts {
  #mounts: readonly Mount[] = [];
  #readAt = -Infinity;

  /**
   * The mount that a path is on, by its text: links are not followed. Undefined where that cannot be
   * told. Never blocks: the system has the list in memory.
   */
  of(path: string): Mount | undefined {
    const now = performance.now();
    if (now - this.#readAt >= FRESH_MS) {
      this.#readAt = now;
      this.#mounts = readMounts();
    }
    let found: Mount | undefined;
    for (const mount of this.#mounts) {
      const { point } = mount;
      const inside = point === "/" || path === point || path.startsWith(`${point}/`);
      // Of two at the same point the later one hides the other.
      if (inside && (!found || point.length >= found.point.length)) found = mount;
    }
    return found;
  }
}

function readMounts(): Mount[] {
  if (Deno.build.os !== "linux") return [];
  try {
    return parseMounts(Deno.readTextFileSync("/proc/self/mountinfo"));
  } catch {
    // Deno lets only a program with all permissions read there.
    return [];
  }
}

/** The mounts in the text of a `/proc/PID/mountinfo`, see proc_pid_mountinfo(5). */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const [, , , , point, options] = fields;
    if (point === undefined || options === undefined) return [];
    const executes = !options.split(",").includes("noexec");
    // Between them are any number of others.
    const type = fields[fields.indexOf("-") + 1] ?? "";
    return [{ point: unescapeOctal(point), executes, type }];
  });
}

/** Where the first file system of a kind is mounted, by the text of a `/proc/PID/mountinfo`. */
export function mountOfType(type: string, text: string): string | undefined {
  return parseMounts(text).find((mount) => mount.type === type)?.point;
}

/** Blanks and the like stand as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
