/**
 * How much memory a server may use for its clients when nobody says: half of what there is.
 *
 * @module
 */

/** Bytes where neither the machine's memory nor a limit can be read: 512 MiB. */
export const FALLBACK_BYTES = 512 * 1024 * 1024;

/** Where the kernel tells of itself. */
export interface KernelFiles {
  /** The text of a file such as `/proc/self/cgroup`; undefined if it cannot be read. */
  read(path: string): string | undefined;
  /** Bytes of memory that the machine has; undefined if nobody tells. */
  readonly total: number | undefined;
}

/** This machine's. */
const HERE: KernelFiles = {
  read(path) {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  },
  get total() {
    try {
      // Asking without the permission would ask the user.
      const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
      return state === "granted" ? Deno.systemMemoryInfo().total : undefined;
    } catch {
      return undefined;
    }
  },
};

/**
 * Half of the memory that this process can have: the machine's, or the least limit of its cgroup and
 * of those above that; {@linkcode FALLBACK_BYTES} if none of them can be read.
 */
export function defaultBudget(files: KernelFiles = HERE): number {
  const limits = [files.total ?? Infinity, ...cgroupLimits(files)];
  const least = Math.min(...limits);
  return least === Infinity ? FALLBACK_BYTES : Math.floor(least / 2);
}

/** The limits of this process's cgroup and of those above it, of both versions. */
function* cgroupLimits({ read }: KernelFiles): Generator<number> {
  for (const line of (read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isFirst = controllers.split(",").includes("memory");
    if (controllers !== "" && !isFirst) continue;
    const root = isFirst ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
    const names = isFirst ? ["memory.limit_in_bytes"] : ["memory.max", "memory.high"];
    // In a container, the path may be that outside of it, and the limit stands at the root.
    for (let at = path;; at = at.slice(0, at.lastIndexOf("/"))) {
      for (const name of names) {
        const text = read(`${root}${at === "/" ? "" : at}/${name}`)?.trim() ?? "";
        if (/^\d+$/.test(text)) yield Number(text);
      }
      if (at === "" || at === "/") break;
    }
  }
}
