import { assert, assertEquals } from "@std/assert";
import {
  ALIVE,
  DEAD,
  incarnationOf,
  isListed,
  isStanding,
  LEFT,
  MAX_INCARNATION,
  refutation,
  standing,
  statusOf,
  SUPERSEDED,
  SUSPECT,
  UNKNOWN,
} from "./standing.ts";

Deno.test("standing() grows with the status, and more with the incarnation", () => {
  const ascending = [
    UNKNOWN,
    standing(1, ALIVE),
    standing(1, SUSPECT),
    standing(1, DEAD),
    standing(1, SUPERSEDED),
    standing(1, LEFT),
    standing(2, ALIVE),
    standing(MAX_INCARNATION, LEFT),
  ];
  for (let i = 1; i < ascending.length; i++) {
    assert((ascending[i] as number) > (ascending[i - 1] as number));
  }
});

Deno.test("incarnationOf() and statusOf() take a standing apart", () => {
  for (const incarnation of [1, 2, 1000, MAX_INCARNATION]) {
    for (const status of [ALIVE, SUSPECT, DEAD, SUPERSEDED, LEFT] as const) {
      const s = standing(incarnation, status);
      assertEquals(incarnationOf(s), incarnation);
      assertEquals(statusOf(s), status);
    }
  }
});

Deno.test("isListed() holds for the living and the suspected only", () => {
  assertEquals(isListed(UNKNOWN), false);
  assertEquals(isListed(standing(3, ALIVE)), true);
  assertEquals(isListed(standing(3, SUSPECT)), true);
  assertEquals(isListed(standing(3, DEAD)), false);
  assertEquals(isListed(standing(3, SUPERSEDED)), false);
  assertEquals(isListed(standing(3, LEFT)), false);
});

Deno.test("refutation() beats whatever was said, and stays in bounds", () => {
  for (const status of [ALIVE, SUSPECT, DEAD, SUPERSEDED, LEFT] as const) {
    assert(refutation(standing(7, status)) > standing(7, status));
    assertEquals(refutation(standing(7, status)), standing(8, ALIVE));
  }
  const last = refutation(standing(MAX_INCARNATION, ALIVE));
  assertEquals(incarnationOf(last), MAX_INCARNATION);
});

Deno.test("isStanding() refuses what no server says", () => {
  assert(isStanding(1, ALIVE));
  assert(!isStanding(0, ALIVE));
  assert(!isStanding(MAX_INCARNATION + 1, ALIVE));
  assert(!isStanding(1, 5));
});
