// What the project's tests rely on in @std/assert. It holds for the real package and for the
// stand-in.

import { ok, strictEqual, throws } from "node:assert/strict";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

class Point {
  constructor(readonly x: number) {}
}

class Other {
  constructor(readonly x: number) {}
}

const EQUAL: readonly [string, unknown, unknown][] = [
  ["numbers", 1, 1],
  ["NaN", NaN, NaN],
  ["bigints", 1n, 1n],
  ["nested", { a: [1, { b: null }], c: 2 }, { c: 2, a: [1, { b: null }] }],
  ["bytes and a view", Uint8Array.of(1, 2), Uint8Array.of(0, 1, 2).subarray(1)],
  ["maps in any order", new Map([[1, "a"], [2, "b"]]), new Map([[2, "b"], [1, "a"]])],
  ["sets in any order", new Set([1, 2]), new Set([2, 1])],
  ["instances", new Point(1), new Point(1)],
];

const UNEQUAL: readonly [string, unknown, unknown][] = [
  ["numbers", 1, 2],
  ["number and text", 1, "1"],
  ["number and bigint", 1, 1n],
  ["null and undefined", null, undefined],
  ["undefined and missing", { a: undefined }, {}],
  ["lengths", [1], [1, 2]],
  ["bytes", Uint8Array.of(1), Uint8Array.of(2)],
  ["kinds of arrays", Uint8Array.of(1), Int8Array.of(1)],
  ["bytes and array", Uint8Array.of(1), [1]],
  ["map values", new Map([[1, "a"]]), new Map([[1, "b"]])],
  ["sets", new Set([1]), new Set([2])],
  ["classes", new Point(1), new Other(1)],
  ["functions", () => 1, () => 1],
  ["error messages", new Error("a"), new Error("b")],
];

/** What each assertion must let pass, and what it must refuse with the remark. */
const CASES: readonly [string, () => void, (remark: string) => void][] = [
  ["assert", () => assert("text"), (remark) => assert("", remark)],
  ["assertFalse", () => assertFalse(0), (remark) => assertFalse(1, remark)],
  [
    "assertAlmostEquals",
    () => assertAlmostEquals(1, 1.00000001),
    (remark) => assertAlmostEquals(1, 1.1, 0.01, remark),
  ],
  [
    "assertStringIncludes",
    () => assertStringIncludes("abc", "b"),
    (remark) => assertStringIncludes("abc", "d", remark),
  ],
  ["assertMatch", () => assertMatch("abc", /b/), (remark) => assertMatch("abc", /d/, remark)],
  [
    "assertNotMatch",
    () => assertNotMatch("abc", /d/),
    (remark) => assertNotMatch("abc", /b/, remark),
  ],
];

const far = () => {
  throw new RangeError("too far");
};
const later = () => Promise.reject(new RangeError("too far"));

Deno.test("assertEquals() holds for what is deeply equal, assertNotEquals() for what is not", async (t) => {
  for (const [name, a, b] of EQUAL) {
    await t.step(`equal ${name}`, () => {
      assertEquals(a, b);
      throws(() => assertNotEquals(a, b));
    });
  }
  for (const [name, a, b] of UNEQUAL) {
    await t.step(`unequal ${name}`, () => {
      assertNotEquals(a, b);
      throws(() => assertEquals(a, b));
    });
  }
});

Deno.test("assertEquals() says what differs, and the caller's remark", () => {
  throws(() => assertEquals({ a: "one" }, { a: "two" }, "the remark"), ({ message }: Error) => {
    return ["the remark", "one", "two"].every((part) => message.includes(part));
  });
});

Deno.test("assertions let pass and refuse, with the caller's remark", async (t) => {
  for (const [name, holds, fails] of CASES) {
    await t.step(name, () => {
      holds();
      throws(() => fails("the remark"), /the remark/);
    });
  }
});

Deno.test("assertThrows() returns the error, and checks its class and message", () => {
  strictEqual(assertThrows(far, RangeError, "far").message, "too far");
  ok(assertThrows(far) instanceof RangeError);
  throws(() => assertThrows(far, TypeError));
  throws(() => assertThrows(far, RangeError, "near"));
  throws(() => assertThrows(() => 1, "the remark"), /the remark/);
});

Deno.test("assertRejects() returns the error, and checks its class and message", async () => {
  const refused = async (check: () => Promise<unknown>) => {
    const error: unknown = await check().then(() => undefined, (error) => error);
    ok(error instanceof Error && !(error instanceof RangeError), `${error}`);
  };
  strictEqual((await assertRejects(later, RangeError, "far")).message, "too far");
  ok(await assertRejects(later) instanceof RangeError);
  await refused(() => assertRejects(later, TypeError));
  await refused(() => assertRejects(later, RangeError, "near"));
  await refused(() => assertRejects(() => Promise.resolve(1)));
  await refused(() => assertRejects(far));
});
