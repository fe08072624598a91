import { assertEquals } from "@std/assert";
import { Directory } from "./directory.ts";
import type { Member } from "./types.ts";

/** A member whose ID is made of a number. */
function member(n: number): Member {
  const hex = (Math.imul(n, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0") +
    n.toString(16).padStart(8, "0");
  return { id: `X${hex}`, address: `circuit://10.0.0.1:${1 + n % 60_000}/1/Q${hex}` };
}

Deno.test("Directory finds each server that is kept and none that was released, however many", () => {
  const directory = new Directory();
  const kept = new Map<string, number>();
  // Of four servers that come three go again, the oldest first: slots are used many times.
  for (let n = 0; n < 4000; n++) {
    const { id } = member(n);
    const slot = directory.intern(member(n));
    directory.retain(slot);
    assertEquals(directory.findId(id), slot);
    assertEquals([...kept.values()].includes(slot), false, "a slot is given to one at a time");
    kept.set(id, slot);
    if (n % 4 === 0) continue;
    for (const [oldest, freed] of kept) {
      directory.release(freed);
      kept.delete(oldest);
      assertEquals(directory.findId(oldest), -1);
      break;
    }
  }
  for (let n = 0; n < 4000; n++) {
    const { id } = member(n);
    assertEquals(directory.findId(id), kept.get(id) ?? -1);
  }
  assertEquals(directory.size < 4000, true, "slots are used again");
});

Deno.test("Directory.release() of one who comes again does not hide it", () => {
  const directory = new Directory();
  for (let round = 0; round < 300; round++) {
    const slot = directory.intern(member(7));
    directory.retain(slot);
    directory.retain(slot);
    directory.release(slot);
    assertEquals(directory.findId(member(7).id), slot);
    directory.release(slot);
    assertEquals(directory.findId(member(7).id), -1);
  }
});
