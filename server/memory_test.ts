import { assert, assertEquals } from "@std/assert";
import { collector, Housekeeping, LOOK_MS, TOO_LARGE_BYTES, WORTHWHILE_BYTES } from "./memory.ts";

const MIB = 1024 * 1024;

/** Looks one after another: resident MiB and the share of a processor since the last one. */
function looks(...each: readonly (readonly [mib: number, share: number])[]): boolean[] {
  let now = 0;
  let busy = 0;
  const housekeeping = new Housekeeping({ now, busy, rss: 0 });
  return each.map(([mib, share]) => {
    now += LOOK_MS;
    busy += LOOK_MS * share;
    return housekeeping.due({ now, busy, rss: mib * MIB });
  });
}

Deno.test("Housekeeping.due() collects once what has grown, when the process is idle", () => {
  assertEquals(WORTHWHILE_BYTES, 8 * MIB);
  // The start, and what it comes to; a burst, its end, and what is left.
  assertEquals(
    looks([60, 0], [50, 0], [55, 0], [150, 0.9], [150, 0.3], [150, 0.1], [56, 0], [63, 0], [64, 0]),
    [true, false, false, false, false, true, false, false, true],
  );
});

Deno.test("Housekeeping.due() does not try again what came to nothing", () => {
  assertEquals(looks([60, 0], [60, 0], [90, 0], [90, 0], [90, 0]), [
    true,
    false,
    true,
    false,
    false,
  ]);
});

Deno.test("Housekeeping.due() leaves a large process to V8", () => {
  const large = TOO_LARGE_BYTES / MIB;
  assertEquals(looks([60, 0], [60, 0], [large + 1, 0], [large, 0]), [true, false, false, true]);
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
