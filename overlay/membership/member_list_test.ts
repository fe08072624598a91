import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Directory } from "./directory.ts";
import { MemberList } from "./member_list.ts";
import { ALIVE, DEAD, LEFT, standing, SUSPECT, UNKNOWN } from "./standing.ts";

function member(n: number) {
  const hex = (n * 0x9e3779b1 % 2 ** 32).toString(16).padStart(16, "0");
  return { id: `X${hex}`, address: `circuit://h:${n}/1/Q${hex}` };
}

function filled(count: number) {
  const directory = new Directory();
  const list = new MemberList(directory);
  const slots = Array.from({ length: count }, (_, i) => {
    const slot = directory.intern(member(i + 1));
    list.set(slot, standing(1, ALIVE));
    return slot;
  });
  return { directory, list, slots };
}

Deno.test("MemberList.hash does not depend on the order of arrival", () => {
  const { list } = filled(50);
  const directory = new Directory();
  const other = new MemberList(directory);
  for (let i = 50; i > 0; i--) {
    other.set(directory.intern(member(i)), standing(1, ALIVE));
  }
  assertEquals(other.hashText(), list.hashText());
  assertEquals(other.alive, 50);
});

Deno.test("MemberList.hash covers incarnations and deaths, not suspicions", () => {
  const { list, slots } = filled(3);
  const [a, b] = slots as [number, number, number];
  const before = list.hashText();
  list.set(a, standing(1, SUSPECT));
  assertEquals(list.hashText(), before);
  list.set(a, standing(2, ALIVE));
  const raised = list.hashText();
  assertNotEquals(raised, before);
  list.set(b, standing(1, DEAD));
  assertNotEquals(list.hashText(), raised);
  assertEquals([list.alive, list.dead, list.known], [2, 1, 3]);
});

Deno.test("MemberList.sweep() forgets tombstones when they are old enough, not the living", () => {
  const { list, slots, directory } = filled(10);
  list.set(slots[0] as number, standing(1, DEAD));
  for (let i = 0; i < 12; i++) list.sweep(24);
  list.set(slots[1] as number, standing(1, LEFT));
  for (let i = 0; i < 11; i++) list.sweep(24);
  assertEquals(list.known, 10);
  list.sweep(24);
  assertEquals(list.known, 9);
  assertEquals(list.get(slots[0] as number), UNKNOWN);
  assertEquals(directory.findId(member(1).id), -1);
  for (let i = 0; i < 12; i++) list.sweep(24);
  assertEquals([list.known, list.alive], [8, 8]);
});

Deno.test("MemberList.successor() walks the ring of IDs", () => {
  const { list, slots, directory } = filled(20);
  const ids = slots.map((slot) => directory.member(slot).id).sort();
  let slot = directory.findId(ids[0] as string);
  const walked = ids.map(() => {
    slot = list.successor(slot, () => true);
    return directory.member(slot).id;
  });
  assertEquals(walked, [...ids.slice(1), ids[0]]);
});

Deno.test("MemberList.randomListed() finds the last one that fits", () => {
  const { list, slots } = filled(300);
  const last = slots.pop() as number;
  for (const slot of slots) list.set(slot, standing(1, DEAD));
  assertEquals(list.randomListed(Math.random, () => true), last);
  assertEquals(list.randomListed(Math.random, (s) => s !== last), -1);
  assert(slots.includes(list.randomDead(Math.random)));
});

Deno.test("Directory reuses slots that nobody keeps", () => {
  const directory = new Directory();
  for (let round = 0; round < 500; round++) {
    const slot = directory.intern(member(round + 1));
    directory.retain(slot);
    assertEquals(directory.findId(member(round + 1).id), slot);
    directory.release(slot);
    assertEquals(directory.findId(member(round + 1).id), -1);
  }
  assertEquals(directory.size, 1);
});
