import { assert, assertEquals } from "@std/assert";
import { defaultBudget, FALLBACK_BYTES } from "./memory_limit.ts";

const GIB = 2 ** 30;

/** Half of what these files, on a machine with 8 GiB, say that there is. */
function half(files: Record<string, string>, total: number | undefined = 8 * GIB): number {
  return defaultBudget({ read: (path) => files[path], total });
}

Deno.test("defaultBudget() is half of the machine's memory where nothing limits it", () => {
  assertEquals(half({}), 4 * GIB);
  assertEquals(
    half({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" }),
    4 * GIB,
  );
  assertEquals(
    half({
      "/proc/self/cgroup": "5:memory:/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    }),
    4 * GIB,
  );
});

Deno.test("defaultBudget() is half of the least limit along the path of cgroup v2", () => {
  const cgroup = { "/proc/self/cgroup": "0::/system.slice/circuit.service\n" };
  const own = { "/sys/fs/cgroup/system.slice/circuit.service/memory.max": `${2 * GIB}\n` };
  const above = { "/sys/fs/cgroup/system.slice/memory.max": `${GIB}\n` };
  const root = { "/sys/fs/cgroup/memory.max": `${GIB / 2}\n` };
  assertEquals(half({ ...cgroup, ...own }), GIB);
  assertEquals(half({ ...cgroup, ...own, ...above }), GIB / 2);
  assertEquals(half({ ...cgroup, ...own, ...above, ...root }), GIB / 4);
  // More than the machine has is no limit; one that slows down is.
  const wide = { "/sys/fs/cgroup/system.slice/circuit.service/memory.max": `${20 * GIB}\n` };
  assertEquals(half({ ...cgroup, ...wide }), 4 * GIB);
  const high = { "/sys/fs/cgroup/system.slice/circuit.service/memory.high": `${GIB}\n` };
  assertEquals(half({ ...cgroup, ...own, ...high }), GIB / 2);
});

Deno.test("defaultBudget() reads cgroup v1, in a container too", () => {
  const lines = "12:cpu,cpuacct:/docker/ab\n9:name=systemd:/docker/ab\n8:memory:/docker/ab\n";
  const cgroup = { "/proc/self/cgroup": lines };
  const file = (path: string) => `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`;
  assertEquals(half({ ...cgroup, [file("/docker/ab")]: `${GIB}\n` }), GIB / 2);
  assertEquals(half({ ...cgroup, [file("")]: `${GIB}\n` }), GIB / 2);
  assertEquals(half({ ...cgroup, "/sys/fs/cgroup/docker/ab/memory.max": "1000\n" }), 4 * GIB);
});

Deno.test("defaultBudget() needs neither to be readable", () => {
  assertEquals(defaultBudget({ read: () => undefined, total: undefined }), FALLBACK_BYTES);
  assertEquals(
    defaultBudget({
      read: (path) => path === "/proc/self/cgroup" ? "garbage\n0::\n" : "garbage",
      total: undefined,
    }),
    FALLBACK_BYTES,
  );
  const here = defaultBudget();
  assert(Number.isSafeInteger(here) && here > 0, `${here}`);
});
