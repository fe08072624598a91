import { assert, assertEquals } from "@std/assert";
import { concat } from "./concat.ts";
import { ByteLines, MAX_LINE_BYTES, prefixed } from "./byte_lines.ts";
import { encode } from "./fake_world_test.ts";

/** All lines of a text that comes in pieces of this size. */
function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const lines = new ByteLines();
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    all.push(...lines.feed(bytes.subarray(at, at + size)));
  }
  const last = lines.end();
  return last ? [...all, last] : all;
}

Deno.test("ByteLines cuts lines however the bytes come", () => {
  const bytes = encode("one\n\ntwo ä\nthree");
  for (let size = 1; size <= bytes.length; size++) {
    const text = cut(bytes, size).map((line) => new TextDecoder().decode(line));
    assertEquals(text, ["one", "", "two ä", "three"]);
  }
  assertEquals(cut(encode("a\n"), 2).length, 1);
  assertEquals(cut(encode(""), 2), []);
});

Deno.test("ByteLines gives what is no text as it is", () => {
  assertEquals(cut(Uint8Array.of(0xff, 0, 0x0a, 0xfe), 1), [
    Uint8Array.of(0xff, 0),
    Uint8Array.of(0xfe),
  ]);
});

Deno.test("ByteLines gives a line when its end has come, and not before", () => {
  const lines = new ByteLines();
  assertEquals([...lines.feed(encode("half"))], []);
  assertEquals([...lines.feed(encode(" a line\nand"))], [encode("half a line")]);
  assertEquals(lines.end(), encode("and"));
  assertEquals(lines.end(), undefined);
});

Deno.test("ByteLines cuts a line that is too long to wait for its end, and loses nothing", () => {
  for (const extra of [0, 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1]) {
    const bytes = new Uint8Array(MAX_LINE_BYTES + extra).map((_, i) => 32 + i % 90);
    for (const ending of ["", "\n"]) {
      const lines = cut(concat([bytes, encode(ending)]), 100_000);
      assertEquals(lines.length, Math.ceil(bytes.length / MAX_LINE_BYTES));
      assert(lines.every((line) => line.length <= MAX_LINE_BYTES));
      assertEquals(concat(lines), bytes);
    }
  }
});

Deno.test("prefixed() puts a prefix before each line and an end behind it", () => {
  const piece = prefixed(encode("/X1: "), [encode("a"), encode(""), encode("b")]);
  assertEquals(new TextDecoder().decode(piece), "/X1: a\n/X1: \n/X1: b\n");
});
