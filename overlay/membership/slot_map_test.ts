import { assertEquals } from "@std/assert";
import { SlotMap } from "./slot_map.ts";

/** What a map holds, in its order. */
function entries(map: SlotMap): [number, number][] {
  return Array.from({ length: map.size }, (_, i) => [map.slots[i] ?? -1, map.values[i] ?? -1]);
}

Deno.test("SlotMap holds what a Map holds, in the same order, however much comes and goes", () => {
  const map = new SlotMap();
  const expected = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    // Slots that collide and slots that come again; now and then all of them go.
    const slot = Math.imul(i, 7919) % 3001 * 32768 % 65521;
    const at = map.place(slot);
    map.values[at] = i;
    expected.set(slot, i);
    assertEquals(map.values[map.find(slot)], i);
    if (i % 4999 === 0) {
      assertEquals(entries(map), [...expected]);
      map.clear();
      expected.clear();
      assertEquals(map.find(slot), -1);
    }
  }
  assertEquals(entries(map), [...expected]);
  for (let slot = 0; slot < 65521; slot++) {
    assertEquals(map.find(slot) >= 0, expected.has(slot), `slot ${slot}`);
  }
});

Deno.test("SlotMap.place() gives a new slot 0, also after clear()", () => {
  const map = new SlotMap();
  const at = map.place(5);
  map.values[at] = 9;
  map.clear();
  assertEquals(map.values[map.place(5)], 0);
  assertEquals(map.size, 1);
});
