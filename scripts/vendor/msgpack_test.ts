// What the wire relies on in @std/msgpack. It holds for the real package and for the stand-in.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode, encode, type ValueMap, type ValueType } from "@std/msgpack";

const WIRE: readonly [string, ValueType, string][] = [
  ["null", null, "c0"],
  ["false", false, "c2"],
  ["true", true, "c3"],
  ["0", 0, "00"],
  ["127", 127, "7f"],
  ["128", 128, "cc80"],
  ["255", 255, "ccff"],
  ["256", 256, "cd0100"],
  ["65535", 65535, "cdffff"],
  ["65536", 65536, "ce00010000"],
  ["2^32 - 1", 2 ** 32 - 1, "ceffffffff"],
  ["2^32 as float 64", 2 ** 32, "cb41f0000000000000"],
  ["2^53 as float 64", 2 ** 53, "cb4340000000000000"],
  ["-1", -1, "ff"],
  ["-32", -32, "e0"],
  ["-33", -33, "d0df"],
  ["-128", -128, "d080"],
  ["-129", -129, "d1ff7f"],
  ["-32769", -32769, "d2ffff7fff"],
  ["-2^31", -(2 ** 31), "d280000000"],
  ["-2^31 - 1 as float 64", -(2 ** 31) - 1, "cbc1e0000000200000"],
  ["1.5", 1.5, "cb3ff8000000000000"],
  ["0n", 0n, "cf0000000000000000"],
  ["2^64 - 1 as bigint", 2n ** 64n - 1n, "cfffffffffffffffff"],
  ["-1n", -1n, "d3ffffffffffffffff"],
  ["-2^63 as bigint", -(2n ** 63n), "d38000000000000000"],
  ["text", "é", "a2c3a9"],
  ["no bytes", new Uint8Array(), "c400"],
  ["bytes", Uint8Array.of(1, 2), "c4020102"],
  ["array", [1, [2]], "92019102"],
  ["map", { a: 1, b: { c: null } }, "82a16101a16281a163c0"],
];

/** The size of the payload and the first byte of what it becomes. */
const SIZES: readonly [string, (size: number) => ValueType, [
  number,
  number,
][]][] = [
  ["text", (size) => "x".repeat(size), [
    [31, 0xbf],
    [32, 0xd9],
    [255, 0xd9],
    [256, 0xda],
    [65535, 0xda],
    [65536, 0xdb],
  ]],
  ["bytes", (size) => new Uint8Array(size).fill(7), [
    [255, 0xc4],
    [256, 0xc5],
    [65535, 0xc5],
    [65536, 0xc6],
  ]],
  ["array", (size) => Array.from({ length: size }, (_, i) => i), [
    [15, 0x9f],
    [16, 0xdc],
    [65535, 0xdc],
    [65536, 0xdd],
  ]],
  [
    "map",
    (size) => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i])),
    [
      [15, 0x8f],
      [16, 0xde],
      [65535, 0xde],
      [65536, 0xdf],
    ],
  ],
];

Deno.test("encode() writes the shortest form, decode() reads it", async (t) => {
  for (const [name, value, wire] of WIRE) {
    await t.step(name, () => {
      assertEquals(encode(value).toHex(), wire);
      const back = decode(Uint8Array.fromHex(wire));
      assertEquals(back, value);
      assertEquals(typeof back, typeof value);
    });
  }
});

Deno.test("encode() and decode() take every length form", async (t) => {
  for (const [name, make, sizes] of SIZES) {
    for (const [size, first] of sizes) {
      await t.step(`${name} of ${size}`, () => {
        const bytes = encode(make(size));
        assertEquals(bytes[0], first);
        // Bytes are compared, since equality of large maps takes seconds.
        assertEquals(encode(decode(bytes)), bytes);
      });
    }
  }
});

Deno.test("encode() refuses what MessagePack has no form for", async (t) => {
  const refused: readonly [string, unknown][] = [
    ["undefined", undefined],
    ["undefined in a map", { a: undefined }],
    ["undefined in an array", [undefined]],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a set", new Set()],
    ["an instance", new (class {})()],
    ["another typed array", new Float32Array(1)],
    ["a buffer", new ArrayBuffer(1)],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a bigint of 65 bits", 2n ** 64n],
    ["a negative bigint of 65 bits", -(2n ** 63n) - 1n],
  ];
  for (const [name, value] of refused) {
    await t.step(name, () => {
      assertThrows(() => encode(value as ValueType), Error);
    });
  }
});

Deno.test("encode() takes objects without a prototype", () => {
  const value: ValueMap = Object.create(null);
  value["a"] = 1;
  assertEquals(encode(value).toHex(), "81a16101");
});

Deno.test("encode() returns bytes of its own", () => {
  const value = Uint8Array.of(1, 2);
  const bytes = encode(value);
  value[0] = 9;
  assertEquals(bytes.toHex(), "c4020102");
  assertEquals(bytes.byteOffset, 0);
  assertEquals(bytes.buffer.byteLength, bytes.length);
});

Deno.test("decode() returns binary as a view of its input", () => {
  const input = Uint8Array.fromHex("00c40201020000").subarray(1, 5);
  const value = decode(input);
  assert(value instanceof Uint8Array && value.buffer === input.buffer);
  input[2] = 9;
  assertEquals([...value], [9, 2]);
});

Deno.test("decode() reads forms that encode() does not write", () => {
  assertEquals(decode(Uint8Array.fromHex("ca3fc00000")), 1.5);
  assertEquals(decode(Uint8Array.fromHex("cd0001")), 1);
  assertEquals(decode(Uint8Array.fromHex("d300000000000000ff")), 255n);
  assertEquals(decode(Uint8Array.fromHex("8101a161")), { 1: "a" });
  assertEquals(decode(Uint8Array.fromHex("a1ff")), "\ufffd");
});

Deno.test("decode() refuses extensions, 0xc1 and odd keys", () => {
  for (const wire of ["c70001", "c8000001", "c90000000001", "d40100", "c1"]) {
    assertThrows(() => decode(Uint8Array.fromHex(wire)), Error);
  }
  for (const wire of ["81c001", "81c301", "819001", "81c4010100"]) {
    assertThrows(() => decode(Uint8Array.fromHex(wire)), Error);
  }
});

Deno.test("decode() refuses input that ends early, at every byte", () => {
  const whole = encode({
    text: "x".repeat(300),
    bytes: new Uint8Array(300),
    list: [1, 200, 70000, 2 ** 40, -200, 1.5, 5n, -5n],
  });
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => decode(whole.subarray(0, length)), Error);
  }
});

Deno.test("decode() refuses input that goes on", () => {
  assertThrows(() => decode(Uint8Array.fromHex("0000")), Error);
});

Deno.test("decode() believes no length before it has the bytes", () => {
  for (const wire of ["dbffffffff", "c6ffffffff", "ddffffffff", "dfffffffff"]) {
    assertThrows(() => decode(Uint8Array.fromHex(wire)), Error);
  }
});
