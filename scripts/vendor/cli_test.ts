// What the command line relies on in @std/cli. It holds for the real package and for the stand-in
// alike.

import { assertEquals } from "@std/assert";
import { parseArgs, type ParseOptions } from "@std/cli/parse-args";

const CASES: readonly [
  name: string,
  args: string[],
  options: ParseOptions,
  result: Record<string, unknown>,
][] = [
  ["nothing", [], {}, { _: [] }],
  ["a text with a sign in it", ["--a=b=c"], { string: ["a"] }, { _: [], a: "b=c" }],
  ["digits as text", ["--a=1"], { string: ["a"] }, { _: [], a: "1" }],
  ["a negative number as text", ["--a=-5"], { string: ["a"] }, { _: [], a: "-5" }],
  ["an empty text", ["--a="], { string: ["a"] }, { _: [], a: "" }],
  ["a text that is not given", [], { string: ["a"] }, { _: [] }],
  ["a flag", ["--a"], { boolean: ["a"] }, { _: [], a: true }],
  ["a flag that is not given", [], { boolean: ["a"] }, { _: [], a: false }],
  ["the last of many", ["--a=1", "--a=2"], { string: ["a"] }, { _: [], a: "2" }],
  ["all of many", ["--a=1", "--a=x"], { collect: ["a"], string: ["a"] }, {
    _: [],
    a: ["1", "x"],
  }],
  ["none of many", [], { collect: ["a"], string: ["a"] }, { _: [], a: [] }],
];

Deno.test("parseArgs() takes", async (t) => {
  for (const [name, args, options, result] of CASES) {
    await t.step(name, () => assertEquals(parseArgs(args, options), result));
  }
});
