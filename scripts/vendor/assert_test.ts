// What the project's tests rely on in @std/assert. It holds for the real
// package and for the stand-in alike.

import {
  ok as holds,
  rejects as nodeRejects,
  strictEqual as is,
  throws as nodeThrows,
} from "node:assert/strict";
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unimplemented,
  unreachable,
} from "@std/assert";

/** The failed assertion's message. */
function failure(body: () => void): string {
  try {
    body();
  } catch (error) {
    holds(error instanceof AssertionError, `threw ${error}`);
    return error.message;
  }
  throw new Error("the assertion holds");
}

class Point {
  constructor(readonly x: number, readonly y: unknown = 0) {}
}

class Other {
  constructor(readonly x: number, readonly y: unknown = 0) {}
}

const CYCLE_A: Record<string, unknown> = { a: 1 };
CYCLE_A["self"] = CYCLE_A;
const CYCLE_B: Record<string, unknown> = { a: 1 };
CYCLE_B["self"] = CYCLE_B;

const EQUAL: readonly [string, unknown, unknown][] = [
  ["numbers", 1, 1],
  ["NaN", NaN, NaN],
  ["zeros of either sign", 0, -0],
  ["bigints", 1n, 1n],
  ["nested", { a: [1, { b: null }] }, { a: [1, { b: null }] }],
  ["key order", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["no prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["bytes", Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
  ["a view", Uint8Array.of(0, 1, 2).subarray(1), Uint8Array.of(1, 2)],
  ["buffers", Uint8Array.of(1).buffer, Uint8Array.of(1).buffer],
  [
    "maps in any order",
    new Map([[1, "a"], [2, "b"]]),
    new Map([[2, "b"], [
      1,
      "a",
    ]]),
  ],
  ["maps with object keys", new Map([[{ k: 1 }, 1]]), new Map([[{ k: 1 }, 1]])],
  ["sets in any order", new Set([1, 2]), new Set([2, 1])],
  ["sets of objects", new Set([{ a: 1 }]), new Set([{ a: 1 }])],
  ["dates", new Date(5), new Date(5)],
  ["patterns", /a/g, /a/g],
  ["URLs", new URL("http://a/b"), new URL("http://a/b")],
  ["instances", new Point(1), new Point(1)],
  ["cycles", CYCLE_A, CYCLE_B],
];

const UNEQUAL: readonly [string, unknown, unknown][] = [
  ["numbers", 1, 2],
  ["number and text", 1, "1"],
  ["number and bigint", 1, 1n],
  ["null and undefined", null, undefined],
  ["undefined and missing", { a: undefined }, {}],
  ["undefined under another name", { a: undefined }, { b: undefined }],
  ["a hole and undefined", [, 1], [undefined, 1]],
  ["lengths", [1], [1, 2]],
  ["bytes", Uint8Array.of(1), Uint8Array.of(2)],
  ["kinds of arrays", Uint8Array.of(1), Int8Array.of(1)],
  ["bytes and array", Uint8Array.of(1), [1]],
  ["array and object", [1], { 0: 1, length: 1 }],
  ["map values", new Map([[1, "a"]]), new Map([[1, "b"]])],
  ["map keys", new Map([[1, "a"]]), new Map([[2, "a"]])],
  ["sets", new Set([1]), new Set([2])],
  ["dates", new Date(5), new Date(6)],
  ["patterns", /a/g, /a/],
  ["URLs", new URL("http://a/b"), new URL("http://a/c")],
  ["classes", new Point(1), new Other(1)],
  ["functions", () => 1, () => 1],
  ["symbol keys", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 2 }],
  ["error messages", new Error("a"), new Error("b")],
];

Deno.test("assertEquals() holds for what is deeply equal", async (t) => {
  for (const [name, a, b] of EQUAL) {
    await t.step(name, () => {
      holds(equal(a, b) && equal(b, a));
      assertEquals(a, b);
      failure(() => assertNotEquals(a, b));
    });
  }
});

Deno.test("assertEquals() fails for what is not", async (t) => {
  for (const [name, a, b] of UNEQUAL) {
    await t.step(name, () => {
      holds(!equal(a, b) && !equal(b, a));
      assertNotEquals(a, b);
      failure(() => assertEquals(a, b));
    });
  }
});

Deno.test("assertEquals() says what differs, and the caller's remark", () => {
  const message = failure(() => assertEquals({ a: 1 }, { a: 2 }, "the remark"));
  for (const part of ["not equal", "the remark", "1", "2"]) {
    holds(message.includes(part), `${part} in ${message}`);
  }
});

Deno.test("equal() refuses weak collections", () => {
  nodeThrows(() => equal(new WeakMap(), new WeakMap()), TypeError);
  nodeThrows(() => equal(new WeakSet(), new WeakSet()), TypeError);
});

Deno.test("assertStrictEquals() compares as Object.is", () => {
  assertStrictEquals(NaN, NaN);
  assertStrictEquals(EQUAL, EQUAL);
  failure(() => assertStrictEquals(0, -0));
  holds(
    failure(() => assertStrictEquals({}, {})).includes("reference-equal"),
  );
});

Deno.test("assertThrows() returns the error", () => {
  const error = assertThrows(
    () => {
      throw new RangeError("too far");
    },
    RangeError,
    "far",
  );
  is(error.message, "too far");
  const anything = assertThrows(() => {
    throw "text";
  });
  is(anything, "text");
});

Deno.test("assertThrows() fails for another class, message or none", () => {
  const wrong = () => {
    throw new RangeError("too far");
  };
  failure(() => assertThrows(wrong, TypeError));
  failure(() => assertThrows(wrong, RangeError, "near"));
  failure(() => assertThrows(() => 1));
  failure(() =>
    assertThrows(() => {
      throw "text";
    }, Error)
  );
  holds(failure(() => assertThrows(() => 1, "remark")).includes("remark"));
});

Deno.test("assertRejects() returns the error", async () => {
  const error = await assertRejects(
    () => Promise.reject(new RangeError("too far")),
    RangeError,
    "far",
  );
  is(error.message, "too far");
  is(await assertRejects(() => Promise.reject("text")), "text");
});

Deno.test("assertRejects() fails for another class, message or none", async () => {
  const wrong = () => Promise.reject(new RangeError("too far"));
  await nodeRejects(assertRejects(wrong, TypeError), AssertionError);
  await nodeRejects(assertRejects(wrong, RangeError, "near"), AssertionError);
  await nodeRejects(
    assertRejects(() => Promise.resolve(1)),
    AssertionError,
  );
  await nodeRejects(
    assertRejects(() => {
      throw new RangeError("not even a promise");
    }, RangeError),
    AssertionError,
  );
});

Deno.test("assertObjectMatch() looks at what is named only", () => {
  interface Shape {
    a: number;
    b: { c: number; d: number[] };
  }
  const shape: Shape = { a: 1, b: { c: 2, d: [1, 2] } };
  assertObjectMatch(shape as unknown as Record<string, unknown>, {
    b: { d: [1] },
  });
  const actual = { a: 1, b: { c: 2 }, when: new Date(1), s: new Set([1, 2]) };
  assertObjectMatch(actual, { b: { c: 2 } });
  assertObjectMatch(actual, { when: new Date(1), s: new Set([1]) });
  failure(() => assertObjectMatch(actual, { b: { c: 3 } }));
  failure(() => assertObjectMatch(actual, { z: 1 }));
  failure(() => assertObjectMatch(actual, { when: new Date(2) }));
});

Deno.test("each assertion holds and fails where it should", () => {
  assert(1);
  is(failure(() => assert(0, "remark")), "remark");
  assertFalse("");
  is(failure(() => assertFalse(1, "remark")), "remark");
  assertExists(0);
  failure(() => assertExists(null));
  assertGreater(2, 1);
  failure(() => assertGreater(1, 1));
  assertGreaterOrEqual(1n, 1n);
  failure(() => assertGreaterOrEqual(1, NaN));
  assertLess(1, 2);
  failure(() => assertLess(1, 1));
  assertLessOrEqual(1, 1);
  failure(() => assertLessOrEqual("b", "a"));
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(1, 1.5, 0.5);
  failure(() => assertAlmostEquals(1, 1.001));
  assertStringIncludes("abc", "b");
  failure(() => assertStringIncludes("abc", "d"));
  assertMatch("abc", /b/);
  failure(() => assertMatch("abc", /d/));
  assertArrayIncludes([{ a: 1 }, 2, 3], [3, { a: 1 }]);
  failure(() => assertArrayIncludes([1, 2], [3]));
  assertInstanceOf(new Date(), Date);
  holds(failure(() => assertInstanceOf({}, Date)).includes('"Date"'));
  failure(() => fail());
  failure(() => unreachable());
  failure(() => unimplemented());
});

Deno.test("AssertionError has a name, a message and a cause", () => {
  const cause = new Error("why");
  const error = new AssertionError("what", { cause });
  is(error.name, "AssertionError");
  is(error.message, "what");
  is(error.cause, cause);
  holds(error instanceof Error);
});
