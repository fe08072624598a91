/**
 * What a server asks of the C library directly, since Deno does not do it. Without effect where that
 * cannot be asked: without the permission, or elsewhere than on Linux with the library of GNU.
 *
 * @module
 */

/** What is used of it. */
const SYMBOLS = {
  // Gives free memory back to the system.
  malloc_trim: { parameters: ["usize"], result: "i32" },
  ioctl: { parameters: ["i32", "usize"], result: "i32" },
} as const;

/** The request of ioctl(2) that a descriptor be closed when another program is executed. */
const FIOCLEX = 0x5451n;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/** The library, which stays open; undefined where it cannot be asked. */
function library(): typeof symbols {
  if (symbols || Deno.build.os !== "linux") return symbols;
  // Asking for the library itself would ask the user for the permission.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  try {
    return symbols = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return undefined;
  }
}

/** What makes the library give free memory back to the system; undefined where it cannot be asked. */
export function memoryTrimmer(): (() => void) | undefined {
  const found = library();
  return found && (() => void found.malloc_trim(0n));
}

/**
 * Keeps the files that are open now from the programs that this process will start, but for the
 * standard streams: a program would go on holding what the server was given, as a lock.
 */
export function keepOpenFilesBack(): void {
  const found = library();
  if (!found) return;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    // The descriptor of the folder itself is closed by now: that is an error without effect.
    if (Number(name) > 2) found.ioctl(Number(name), FIOCLEX);
  }
}
