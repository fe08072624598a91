import { assertEquals } from "@std/assert";
import { newSeed, seeded } from "../../tests/random.ts";
import { Suspicions } from "./suspicions.ts";

/** What a suspicion rests on, by slot. */
type Model = Map<number, { since: number; first: number; mine: boolean; second: boolean }>;

function check(suspicions: Suspicions, model: Model, slots: number): void {
  assertEquals(suspicions.size, model.size);
  const listed = Array.from({ length: suspicions.size }, (_, place) => suspicions.at(place));
  assertEquals(new Set(listed), new Set(model.keys()));
  for (let slot = 0; slot < slots; slot++) {
    const expected = model.get(slot);
    assertEquals(suspicions.has(slot), expected !== undefined);
    assertEquals(suspicions.firstReporter(slot), expected?.first ?? -1);
    if (!expected) continue;
    const { since, mine, second } = expected;
    assertEquals(suspicions.evidence(slot), { since, mine, second, heldUntil: 0 });
  }
}

Deno.test("Suspicions keeps what each rests on, whoever comes and goes", () => {
  const random = seeded(newSeed("suspicions"));
  const below = (n: number) => Math.floor(random() * n);
  const slots = 300;
  const suspicions = new Suspicions();
  const model: Model = new Map();
  for (let i = 0; i < 5000; i++) {
    // Now more come than go, now more go, until nobody is left.
    const slot = below(slots);
    const held = model.get(slot);
    if (held && random() < (i % 2000 < 1000 ? 0.2 : 0.9)) {
      model.delete(slot);
      suspicions.delete(slot);
    } else if (held) {
      const [reporter, mine] = [below(slots), random() < 0.5];
      const news = (mine && !held.mine) || (reporter !== held.first && !held.second);
      assertEquals(suspicions.reported(slot, reporter, mine), news);
      held.mine ||= mine;
      held.second ||= reporter !== held.first;
    } else if (i % 2000 < 1000) {
      const [since, first, mine] = [i / 3, below(slots) - 1, random() < 0.5];
      suspicions.add(slot, since, first, mine);
      model.set(slot, { since, first, mine, second: false });
    }
    if (i % 250 === 0) check(suspicions, model, slots);
  }
  for (const slot of model.keys()) suspicions.delete(slot);
  check(suspicions, new Map(), slots);
});

Deno.test("Suspicions.hold() ends with the suspicion", () => {
  const suspicions = new Suspicions();
  suspicions.add(5, 100, -1, false);
  suspicions.hold(5, 900);
  assertEquals(suspicions.isHeld(5), true);
  assertEquals(suspicions.evidence(5).heldUntil, 900);
  suspicions.delete(5);
  suspicions.add(5, 200, 3, true);
  assertEquals(suspicions.isHeld(5), false);
  assertEquals(suspicions.evidence(5), { since: 200, mine: true, second: false, heldUntil: 0 });
});

Deno.test("Suspicions.delete() and reported() do nothing for who is no suspect", () => {
  const suspicions = new Suspicions();
  suspicions.add(1, 0, 2, false);
  suspicions.delete(1000);
  assertEquals(suspicions.reported(3, 4, true), false);
  assertEquals([suspicions.size, suspicions.has(1)], [1, true]);
});
