import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { command } from "./command.ts";
import { commandHelp, overview, usage } from "./help.ts";
import { clientCommands } from "./mod.ts";
import { parse } from "./parse.ts";

Deno.test("usage() shows own flags and arguments", () => {
  const usages = Object.fromEntries(clientCommands.map((each) => [each.name, usage(each)]));
  assertEquals(usages["ls"], "usage: circuit ls [-l] [-depth] [-json] PATH");
  assertEquals(usages["mkchan"], "usage: circuit mkchan PATH CAPACITY");
  assertEquals(usages["help"], "usage: circuit help [COMMAND]");
  const other = command({
    name: "start",
    group: "Servers",
    summary: "",
    args: { CMD: { rest: true } },
    flags: {
      join: { type: "string", alias: "j", value: "ADDRESS", repeatable: true, help: "" },
      discover: { type: "string", value: "GROUP:PORT", help: "" },
    },
    example: "",
    run: () => Promise.resolve(),
  });
  assertEquals(usage(other), "usage: circuit start [-j ADDRESS]… [-discover GROUP:PORT] CMD…");
});

Deno.test("overview() lists every command once", () => {
  const text = overview(clientCommands);
  for (const { summary } of clientCommands) assertEquals(text.split(`  ${summary}`).length, 2);
  assertStringIncludes(text, "\n\nChannels:\n  mkchan PATH CAPACITY  ");
});

Deno.test("commandHelp() tells flags, defaults and examples", () => {
  const ls = clientCommands.find((each) => each.name === "ls");
  assert(ls);
  const text = commandHelp(ls);
  for (
    const part of [
      "circuit ls: list what is below an anchor\n\nusage: circuit ls [-l]",
      "\n\nFlags:\n  -l, -long  put the kind",
      "-timeout SECONDS      give up finding a server after SECONDS (default 5)",
      "\n\nExample:\n  circuit ls /\n  circuit ls -l /...",
    ]
  ) assertStringIncludes(text, part);
});

Deno.test("help fits 80 columns", () => {
  const texts = [overview(clientCommands), ...clientCommands.map(commandHelp)];
  const long = texts.flatMap((text) => text.split("\n")).filter((line) => line.length > 80);
  assertEquals(long.filter((line) => !line.includes("circuit ")), []);
});

Deno.test("every command's example is one that it takes", () => {
  for (const each of clientCommands) {
    for (const line of each.example.split("\n")) {
      const typed = line.split("| ").at(-1)?.split(" ") ?? [];
      assertEquals(typed.slice(0, 2), ["circuit", each.name]);
      parse(each, typed.slice(2));
    }
  }
});
