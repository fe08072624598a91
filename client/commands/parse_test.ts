import { assertEquals, assertThrows } from "@std/assert";
import { type Arguments, type Command, command, type Flags, UsageError } from "./command.ts";
import { parse, wholeNumber } from "./parse.ts";

const FLAGS = {
  dial: { type: "string", alias: "d", value: "ADDRESS", help: "" },
  long: { type: "boolean", alias: "l", help: "" },
  join: { type: "string", alias: "j", value: "ADDRESS", repeatable: true, help: "" },
  timeout: { type: "number", value: "SECONDS", default: 5, help: "" },
  level: { type: "number", value: "N", least: 1, help: "" },
} as const satisfies Flags;

const DEFAULTS = { dial: undefined, long: false, join: [], timeout: 5, level: undefined };

function make(args: Arguments = { PATH: {} }): Command {
  return command({
    name: "try",
    group: "Anchors",
    summary: "",
    args,
    flags: FLAGS,
    example: "",
    run: () => Promise.resolve(),
  });
}

function flagsOf(...argv: string[]): Record<string, unknown> {
  return parse(make({ PATH: { optional: true, rest: true } }), argv).flags;
}

function refuse(message: string, ...argv: string[]): void {
  const error = assertThrows(() => parse(make(), argv), UsageError);
  assertEquals(error.message, message);
}

Deno.test("parse() takes a flag in all spellings and places", () => {
  for (const name of ["-d", "--d", "-dial", "--dial"]) {
    for (const flag of [[name, "a=b"], [`${name}=a=b`]]) {
      for (const argv of [[...flag, "/"], ["/", ...flag]]) {
        const { flags, args } = parse(make(), argv);
        assertEquals(flags, { ...DEFAULTS, dial: "a=b" });
        assertEquals(args, { PATH: "/" });
      }
    }
  }
});

Deno.test("parse() fills in defaults", () => {
  assertEquals(flagsOf(), DEFAULTS);
});

Deno.test("parse() takes what follows -- for arguments", () => {
  const run = make({ SELECTOR: {}, CMD: { rest: true } });
  const { args, flags } = parse(run, ["-l", "/", "--", "ls", "-l", "--", "-dial"]);
  assertEquals(args, { SELECTOR: "/", CMD: ["ls", "-l", "--", "-dial"] });
  assertEquals(flags, { ...DEFAULTS, long: true });
});

Deno.test("parse() keeps arguments as they were typed", () => {
  const { args } = parse(make({ A: {}, B: {}, C: {}, D: {} }), ["007", "-", "-1", ""]);
  assertEquals(args, { A: "007", B: "-", C: "-1", D: "" });
});

Deno.test("parse() keeps values as they were typed", () => {
  for (const value of ["007", "1e3", "true", "-", "-5", "a\nb", "", "=", "no-x", "a b"]) {
    assertEquals(flagsOf(`-dial=${value}`)["dial"], value);
    assertEquals(flagsOf("-dial", value, "x")["dial"], value);
    assertEquals(flagsOf("-join", value, `-j=${value}`)["join"], [value, value]);
  }
});

Deno.test("parse() lets a flag that is given again replace its value, or adds to it", () => {
  assertEquals(flagsOf("-d", "a", "--dial=b")["dial"], "b");
  assertEquals(flagsOf("-l", "-long=false")["long"], false);
  assertEquals(flagsOf("-l=false", "-l")["long"], true);
  assertEquals(flagsOf("-j", "a", "x", "-join=b")["join"], ["a", "b"]);
});

Deno.test("parse() does not give a boolean flag the argument behind it", () => {
  const { args } = parse(make(), ["-l", "true"]);
  assertEquals(args, { PATH: "true" });
});

Deno.test("parse() reads numbers", () => {
  assertEquals(flagsOf("-timeout", "0.5")["timeout"], 0.5);
  assertEquals(flagsOf("-timeout=1e2")["timeout"], 100);
  const no = (value: string) => `-timeout needs a number, 0 at least, not ${JSON.stringify(value)}`;
  for (const value of ["x", "-1", "", " ", "NaN", "Infinity", "5s"]) {
    refuse(no(value), `-timeout=${value}`, "/");
  }
  refuse('-level needs a number, 1 at least, not "0"', "-level", "0", "/");
});

Deno.test("parse() refuses a flag without its value", () => {
  const message = "-d needs a value: -d ADDRESS";
  refuse(message, "/", "-d");
  refuse(message, "/", "-d", "--", "x");
  refuse(message, "-d", "-l", "/");
  refuse(message, "-d", "--timeout=3", "/");
});

Deno.test("parse() refuses a value for a flag that takes none", () => {
  refuse('-l takes no value, or true or false, not "yes"', "-l=yes", "/");
  refuse('-long takes no value, or true or false, not ""', "--long=", "/");
});

Deno.test("parse() answers an unknown flag with the nearest", () => {
  refuse('unknown flag "-dail": did you mean "-dial"?', "-dail", "x", "/");
  refuse('unknown flag "--time-out=3": did you mean "-timeout"?', "--time-out=3", "/");
  refuse('unknown flag "-x"', "-x", "/");
  refuse('unknown flag "-__proto__"', "-__proto__", "/");
  refuse('unknown flag "--constructor=1"', "--constructor=1", "/");
});

Deno.test("parse() sees that help is wanted before anything is missing", () => {
  for (const flag of ["-h", "--h", "-help", "--help"]) {
    assertEquals(parse(make(), [flag]).help, true);
    assertEquals(parse(make(), ["a", "b", flag]).help, true);
  }
  assertEquals(parse(make(), ["--", "-h"]), {
    flags: DEFAULTS,
    args: { PATH: "-h" },
    help: false,
  });
});

Deno.test("parse() counts arguments", () => {
  refuse("PATH is missing");
  refuse('too many arguments: "c"', "a", "c", "d");
  const none = assertThrows(() => parse(make({}), ["a"]), UsageError);
  assertEquals(none.message, 'takes no arguments: "a"');
  const rest = assertThrows(() => parse(make({ A: {}, B: { rest: true } }), ["a"]), UsageError);
  assertEquals(rest.message, "B is missing");
  const optional = make({ A: {}, B: { optional: true } });
  assertEquals(parse(optional, ["a"]).args, { A: "a", B: undefined });
  assertEquals(parse(optional, ["a", "b"]).args, { A: "a", B: "b" });
});

Deno.test("wholeNumber() takes digits only, within bounds", () => {
  assertEquals(wholeNumber("CAPACITY", "3", 0, 3), 3);
  assertEquals(wholeNumber("CAPACITY", "0", 0, 3), 0);
  for (const text of ["4", "-1", "1.5", "1e0", "", " 1", "0x1", "three"]) {
    const error = assertThrows(() => wholeNumber("CAPACITY", text, 0, 3), UsageError);
    const shown = JSON.stringify(text);
    assertEquals(error.message, `CAPACITY must be a whole number from 0 to 3, not ${shown}`);
  }
});
