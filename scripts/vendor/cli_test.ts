// What the command line relies on in @std/cli. It holds for the real package
// and for the stand-in alike.

import { assertEquals, assertThrows } from "@std/assert";
import { parseArgs, type ParseOptions } from "@std/cli/parse-args";

const CASES: readonly [
  name: string,
  args: string[],
  options: ParseOptions,
  result: Record<string, unknown>,
][] = [
  ["nothing", [], {}, { _: [] }],
  ["operands", ["a", "1", "-"], {}, { _: ["a", 1, "-"] }],
  ["operands as text", ["1"], { string: ["_"] }, { _: ["1"] }],
  ["a value after the name", ["--a", "b"], {}, { _: [], a: "b" }],
  ["a value after a sign", ["--a=b=c"], {}, { _: [], a: "b=c" }],
  ["no value", ["--a", "--b"], {}, { _: [], a: true, b: true }],
  ["a number", ["--a", "0x10", "-n5"], {}, { _: [], a: 16, n: 5 }],
  ["a string", ["--a", "1"], { string: "a" }, { _: [], a: "1" }],
  ["an empty string", ["--a"], { string: "a" }, { _: [], a: "" }],
  ["a string that is not given", [], { string: "a" }, { _: [] }],
  ["a flag", ["--a", "b"], { boolean: "a" }, { _: ["b"], a: true }],
  ["a flag that is not given", [], { boolean: ["a"] }, { _: [], a: false }],
  ["a flag with a value", ["--a=false"], { boolean: "a" }, { _: [], a: false }],
  ["a flag and a word", ["-a", "true"], { boolean: "a" }, { _: [], a: true }],
  ["all flags", ["--a", "b"], { boolean: true }, { _: ["b"], a: true }],
  ["letters", ["-abc"], {}, { _: [], a: true, b: true, c: true }],
  ["a letter's value", ["-a", "b"], {}, { _: [], a: "b" }],
  ["a letter's value after a sign", ["-a=b"], {}, { _: [], a: "b" }],
  ["a letter's path", ["-v/x:y"], {}, { _: [], v: "/x:y" }],
  ["a negative value", ["-n", "-5"], {}, { _: [], n: true, 5: true }],
  ["the last counts", ["--a=1", "--a=2"], {}, { _: [], a: 2 }],
  ["collecting", ["--a=1", "--a", "x"], { collect: "a" }, {
    _: [],
    a: [1, "x"],
  }],
  ["collecting nothing", [], { collect: "a", string: "a" }, { _: [], a: [] }],
  ["negated", ["--no-a"], { negatable: "a" }, { _: [], a: false }],
  ["not negated", ["--no-a"], {}, { _: [], "no-a": true }],
  ["aliases", ["-j", "x"], { alias: { j: ["join", "J"] } }, {
    _: [],
    j: "x",
    join: "x",
    J: "x",
  }],
  ["a flag's alias", ["--vv", "x"], { boolean: "v", alias: { v: "vv" } }, {
    _: ["x"],
    v: true,
    vv: true,
  }],
  ["a default", [], { default: { a: 1 }, alias: { a: "b" } }, {
    _: [],
    a: 1,
    b: 1,
  }],
  ["dots", ["--a.b=1", "--a.c", "x"], {}, { _: [], a: { b: 1, c: "x" } }],
  ["after --", ["a", "--", "--b", "1"], {}, { _: ["a", "--b", "1"] }],
  ["after -- apart", ["a", "--", "-b"], { "--": true }, {
    _: ["a"],
    "--": ["-b"],
  }],
  ["stopping early", ["--a", "x", "b", "--c"], { stopEarly: true }, {
    _: ["b", "--c"],
    a: "x",
  }],
  ["the prototype", ["--__proto__.x=1", "--constructor=1"], {}, { _: [] }],
];

Deno.test("parseArgs() takes", async (t) => {
  for (const [name, args, options, result] of CASES) {
    await t.step(name, () => {
      assertEquals<unknown>(parseArgs(args, options as never), result);
    });
  }
});

Deno.test("parseArgs() asks about what is not named", () => {
  const asked: unknown[] = [];
  const parsed = parseArgs(["--known", "1", "--other=2", "-x", "operand"], {
    string: ["known"],
    unknown: (arg, key, value) => {
      asked.push([arg, key, value]);
      return false;
    },
  });
  assertEquals(asked, [["--other=2", "other", "2"], ["-x", "x", "operand"]]);
  assertEquals<unknown>(parsed, { _: [], known: "1" });
});

Deno.test("parseArgs() refuses an alias that is undefined", () => {
  // As from a program without types.
  const alias = { a: undefined } as unknown as { a: string };
  assertThrows(() => parseArgs([], { alias }), TypeError);
});

Deno.test("parseArgs() types its result by the options", () => {
  const parsed = parseArgs(["--name=x", "-j", "1"], {
    boolean: ["verbose"],
    string: ["name", "join"],
    collect: ["join"],
    alias: { j: "join" },
    default: { size: 3 },
    "--": true,
  });
  const verbose: boolean = parsed.verbose;
  const name: string | undefined = parsed.name;
  const join: string[] = parsed.join;
  const rest: string[] = parsed["--"];
  assertEquals({ verbose, name, join, rest }, {
    verbose: false,
    name: "x",
    join: ["1"],
    rest: [],
  });
  assertEquals<unknown>(parsed["size"], 3);
});
