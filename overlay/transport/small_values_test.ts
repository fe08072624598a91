import { assert, assertEquals } from "@std/assert";
import { decode, encode, type ValueType } from "@std/msgpack";
import { messagePack } from "./codec.ts";
import { decodeSmall, encodeSmall } from "./small_values.ts";

const SEED = 20_261_125;

/** Numbers from 0 to below `most`, always the same ones. */
function random(seed: number): (most: number) => number {
  return (most) => {
    seed = Math.imul(seed ^ seed >>> 15, seed | 1);
    seed ^= seed + Math.imul(seed ^ seed >>> 7, seed | 61);
    return ((seed ^ seed >>> 14) >>> 0) % most;
  };
}

const EDGES = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, -1, -32];

/** Mostly small and plain, sometimes not quite. */
function someValue(next: (most: number) => number, depth: number): ValueType {
  switch (next(depth === 0 ? 5 : 8)) {
    case 0:
      return null;
    case 1:
      return next(2) === 0;
    case 2:
      return EDGES[next(EDGES.length)] ?? 0;
    case 3:
      return "x".repeat(next(70));
    case 4:
      return [-33, 2 ** 32, 0.5, "grüße", "y".repeat(255), "z".repeat(256)][next(60)] ?? next(1000);
    case 5:
    case 6: {
      const fields: Record<string, ValueType> = {};
      for (let i = next(10) === 0 ? 17 : next(8); i > 0; i--) {
        fields[`field${i}`] = someValue(next, depth - 1);
      }
      return fields;
    }
    default:
      return Array.from(
        { length: next(10) === 0 ? 16 : next(8) },
        () => someValue(next, depth - 1),
      );
  }
}

Deno.test(`encodeSmall() makes the library's bytes, decodeSmall() its values, seed ${SEED}`, () => {
  const next = random(SEED);
  let small = 0;
  for (let i = 0; i < 5_000; i++) {
    const value = someValue(next, 5);
    const bytes = encode(value);
    const own = encodeSmall(value);
    if (own) {
      small++;
      assertEquals(own, bytes);
      assertEquals(decodeSmall(bytes), value);
    }
    assertEquals(messagePack.decode(messagePack.encode(value)), value);
  }
  assert(small > 2_000 && small < 4_999, `${small} of 5,000 were small`);
});

Deno.test("encodeSmall() leaves out undefined fields and leaves other values to the library", () => {
  assertEquals(encodeSmall({ a: undefined, b: 1 }), encode({ b: 1 }));
  for (const value of [undefined, -33, 2 ** 32, 0.5, NaN, 1n, "é", new Uint8Array(1), new Map()]) {
    assertEquals(encodeSmall(value), undefined);
    assertEquals(encodeSmall({ value: [value] }), undefined);
  }
  assertEquals(encodeSmall([[[[[]]]]]), undefined);
  assertEquals(encodeSmall(Array(16).fill(0)), undefined);
});

Deno.test("decodeSmall() gives undefined for whatever is cut short, too long, or not for it", () => {
  const whole = encode({ name: "chan", sizes: [1, 300, 70_000], more: { last: null } });
  assertEquals(decodeSmall(whole), decode(whole));
  for (let length = 0; length < whole.length; length++) {
    assertEquals(decodeSmall(whole.slice(0, length)), undefined, `${length} bytes`);
  }
  assertEquals(decodeSmall(Uint8Array.of(...whole, 0xc0)), undefined);
  assertEquals(decodeSmall(Uint8Array.of(0xd9)), undefined);
  assertEquals(decodeSmall(Uint8Array.of(0xa2, 0xc3, 0xa9)), undefined);
  assertEquals(decodeSmall(Uint8Array.of(0xc1)), undefined);
  assertEquals(decodeSmall(encode(JSON.parse('{"__proto__": 1}'))), undefined);
});
