import { assertEquals } from "@std/assert";
import { KnownTexts } from "./known_texts.ts";

const encoder = new TextEncoder();

Deno.test("read() gives each text, whatever it has seen before", () => {
  const texts = new KnownTexts();
  const parts = ["", "a", "b", "c", "ab", "ba", "chan.send"];
  const all = parts.flatMap((first) => parts.map((second) => `/${first}/${second}`));
  // More than are kept, in two orders, so that they are found, missed and take each other's places.
  for (let i = 0; i < 20 * all.length; i++) {
    const text = all[(i % 2 ? i : i * i) % all.length] ?? "";
    const bytes = encoder.encode(`<${text}>`);
    assertEquals(texts.read(bytes, 1, bytes.length - 1), text);
  }
});

Deno.test("read() leaves what is long or not ASCII to others", () => {
  const texts = new KnownTexts();
  const long = encoder.encode("x".repeat(65));
  assertEquals(texts.read(long, 0, 64), "x".repeat(64));
  assertEquals(texts.read(long, 0, 65), undefined);
  const other = encoder.encode("/Xä");
  assertEquals(texts.read(other, 0, other.length), undefined);
  assertEquals(texts.read(other, 0, 2), "/X");
});
