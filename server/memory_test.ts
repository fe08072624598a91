import { assert, assertEquals } from "@std/assert";
import {
  type Chore,
  collector,
  Housekeeping,
  LARGE_HEAP_BYTES,
  LOOK_MS,
  WORTHWHILE_BYTES,
} from "./memory.ts";

const MIB = 1024 * 1024;

/** Resident MiB, the share of a processor since the last look, MiB of heap, and MiB held for others. */
type Look = readonly [mib: number, share: number, heap?: number, held?: number];

/** Looks one after another. */
function looks(...each: readonly Look[]): (Chore | undefined)[] {
  let now = 0;
  let busy = 0;
  const housekeeping = new Housekeeping({ now, busy, rss: 55 * MIB, heap: 0, held: 0 });
  return each.map(([mib, share, heap = 10, held = 0]) => {
    now += LOOK_MS;
    busy += LOOK_MS * share;
    return housekeeping.due({ now, busy, rss: mib * MIB, heap: heap * MIB, held: held * MIB });
  });
}

Deno.test("Housekeeping.due() collects what has grown when the process is idle", () => {
  assertEquals(WORTHWHILE_BYTES, 8 * MIB);
  // A start that gives nothing, and what grows by too little.
  assertEquals(looks([60, 0], [56, 0], [63, 0]), ["collect", undefined, undefined]);
  // Then a burst, and its end.
  assertEquals(
    looks([60, 0], [60, 0], [150, 0.9], [150, 0.3], [150, 0.1]),
    ["collect", undefined, undefined, undefined, "collect"],
  );
});

Deno.test("Housekeeping.due() goes on while that gives memory back, and no longer", () => {
  assertEquals(
    looks([60, 0], [60, 0], [900, 0], [500, 0], [80, 0], [79, 0], [79, 0], [88, 0]),
    ["collect", undefined, "collect", "collect", "collect", undefined, undefined, "collect"],
  );
});

/** The numbers of the looks at which something is done. */
function when(chores: readonly (Chore | undefined)[]): number[] {
  return chores.flatMap((chore, i) => chore ? [i] : []);
}

Deno.test("Housekeeping.due() tries again what gave nothing, less and less often", () => {
  const same = (look: Look) => when(looks([60, 0], [60, 0], ...new Array<Look>(60).fill(look)));
  assertEquals(same([150, 0]), [0, 2, 7, 16, 33]);
  // A larger heap takes longer to collect.
  assertEquals(same([150, 0, 160]), [0, 2, 13, 24, 41]);
});

Deno.test("Housekeeping.due() collects what is no longer held, whatever the process needed", () => {
  const looked = looks([450, 0, 10, 380], [450, 0, 10, 380], [450, 0, 10, 380], [450, 0, 10, 1]);
  assertEquals(looked, ["collect", undefined, undefined, "collect"]);
});

Deno.test("Housekeeping.due() leaves a large heap to V8, whatever else the process holds", () => {
  const large = LARGE_HEAP_BYTES / MIB;
  assertEquals(
    looks([60, 0], [60, 0], [4000, 0, large], [1000, 0, large + 1]),
    ["collect", undefined, "collect", "trim"],
  );
});

Deno.test("keepHouse() gives back what a burst has left, between what lives on", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const burst = new URL("./_burst.ts", import.meta.url).pathname;
  const config = new URL("../deno.json", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--v8-flags=--expose-gc", `--config=${config}`, burst],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { before, full, after } = JSON.parse(new TextDecoder().decode(stdout));
  assert(full - before > 100 * MIB, `${full - before} bytes were taken`);
  assert(after - before < (full - before) / 2, `${after - before} of ${full - before} bytes stay`);
});

const collect = await collector();

Deno.test({
  name: "collector() gives the system its pages back (needs Deno 2.9 or --v8-flags=--expose-gc)",
  ignore: collect === undefined,
  fn() {
    // What grows the heap, and is garbage once this has returned.
    const grow = () => {
      const objects = Array.from({ length: 300_000 }, (_, i) => ({ list: [i], map: new Map() }));
      return objects.length > 0 ? Deno.memoryUsage().heapTotal : 0;
    };
    const most = grow();
    collect?.();
    const { heapTotal, heapUsed } = Deno.memoryUsage();
    assert(heapTotal - heapUsed < most / 10, Deno.inspect({ most, heapTotal, heapUsed }));
  },
});
