import { assertEquals } from "@std/assert";
import { didYouMean, editDistance, suggest } from "./suggest.ts";

const NAMES = ["ls", "peek", "scrub", "mkproc", "mkchan", "stdin", "stdout", "stderr", "waitall"];

Deno.test("suggest() finds what was meant", () => {
  const meant = {
    lss: "ls",
    sl: "ls",
    pekc: "peek",
    PEEK: "peek",
    mkporc: "mkproc",
    mkchn: "mkchan",
    "wait-all": "waitall",
    sdtout: "stdout",
    scr: "scrub",
  };
  for (const [typed, name] of Object.entries(meant)) assertEquals(suggest(typed, NAMES), name);
});

Deno.test("suggest() keeps quiet where nothing is near", () => {
  for (const typed of ["", "frobnicate", "x1", "std", "mkk-ch-pr"]) {
    assertEquals(suggest(typed, NAMES), undefined);
  }
});

Deno.test("didYouMean() asks, or says nothing", () => {
  assertEquals(didYouMean("lss", NAMES), ': did you mean "ls"?');
  assertEquals(didYouMean("dail", ["dial"], "-"), ': did you mean "-dial"?');
  assertEquals(didYouMean("frobnicate", NAMES), "");
});

Deno.test("editDistance() counts changes, and swaps of neighbours as one", () => {
  const distances: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["abc", "abc", 0],
    ["ab", "ba", 1],
    ["kitten", "sitting", 3],
    ["abcdef", "badcfe", 3],
    ["ca", "abc", 3],
  ];
  for (const [a, b, distance] of distances) {
    assertEquals(editDistance(a, b), distance);
    assertEquals(editDistance(b, a), distance);
  }
});
