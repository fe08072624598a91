// Tests of the manual page: that all of the table of commands is in it, and that groff, which is what
// `man` uses, has nothing to say against it.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { clientCommands, type Command, command } from "../client/commands/mod.ts";
import { startCommand } from "../server/start_command.ts";
import { manual } from "./man.ts";

const COMMANDS: readonly Command[] = [startCommand, ...clientCommands];

/** A command whose texts are full of what means something to roff. */
const odd = command({
  name: "odd@name",
  group: "This tool",
  summary: "take \\fBwhat\\fP is typed",
  args: { "ONE-FILE": {}, REST: { optional: true, rest: true } },
  flags: {
    "long-name": { type: "string", alias: "l", value: "A.B", default: "-", help: ".not a request" },
    again: { type: "string", value: "X", repeatable: true, help: '\'nor this, "quoted"' },
  },
  help: ".br at the start\n\n  a  table\n  \\n   \\033",
  example: "odd@name 'it''s'\n.odd -- -x",
  run: () => Promise.resolve(),
});

const hasGroff = await found("groff");

async function found(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'command -v "$1"', "sh", program],
    stdout: "null",
  }).output();
  return success;
}

/** The page as it is read, in lines wide enough for any paragraph, and groff's warnings. */
async function render(page: string, device: string): Promise<{ text: string; warnings: string }> {
  const groff = new Deno.Command("groff", {
    args: ["-man", `-T${device}`, "-ww", "-rLL=2000n", "-P-c", "-P-b", "-P-o", "-P-u"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = groff.stdin.getWriter();
  await writer.write(new TextEncoder().encode(page));
  await writer.close();
  const { stdout, stderr } = await groff.output();
  const decoder = new TextDecoder();
  // Tabs and runs of spaces are the formatter's choice.
  const text = decoder.decode(stdout).split("\n").map((line) => line.trim().replace(/\s+/g, " "));
  return { text: text.join("\n"), warnings: decoder.decode(stderr) };
}

const groffTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `${name} (needs groff)`, ignore: !hasGroff, fn });

groffTest("the manual page has every command, argument and flag", async () => {
  const { text } = await render(manual(COMMANDS, "1.2.3"), "utf8");
  assert(COMMANDS.length > 20);
  for (const { name, summary, args, flags, example } of COMMANDS) {
    const from = text.indexOf(`\ncircuit ${name}\n`);
    assert(from >= 0, `no section for ${name}`);
    const section = text.slice(from, text.indexOf("\nExample", from));
    assertStringIncludes(section.toLowerCase(), summary.toLowerCase());
    for (const arg of Object.keys(args)) assertStringIncludes(section, arg);
    for (const [flag, { alias, help, ...rest }] of Object.entries(flags)) {
      const form = `-${flag}${"value" in rest ? ` ${rest.value}` : ""}`;
      const forms = alias === undefined ? form : `-${alias}, ${form}`;
      // Those for finding a server are told of once, at the end.
      const where = "dial" in flags && !section.includes(`\n${forms}`) ? text : section;
      assertStringIncludes(where, `\n${forms}`);
      assertStringIncludes(where, help.replaceAll("…", "..."));
    }
    for (const line of example.split("\n")) {
      assertStringIncludes(text, line.trim().replaceAll("…", "...").replace(/\s+/g, " "));
    }
  }
  assertStringIncludes(text, "circuit 1.2.3");
});

for (const device of ["ascii", "utf8"]) {
  groffTest(`groff takes the manual page without a warning, for ${device}`, async () => {
    const { text, warnings } = await render(manual([...COMMANDS, odd], "1.2.3"), device);
    assertEquals(warnings, "");
    assert(text.length > 5000);
  });
}

groffTest("the manual page shows texts as they are, whatever roff makes of them", async () => {
  const { text } = await render(manual([odd], "1.2.3"), "utf8");
  for (
    const part of [
      "Take \\fBwhat\\fP is typed.",
      "circuit odd@name [-l A.B] [-again X]... ONE-FILE [REST...]",
      "-l, -long-name A.B",
      ".not a request (default -)",
      '\'nor this, "quoted"',
      ".br at the start",
      "\na table\n\\n \\033\n",
      "odd@name 'it''s'\n.odd -- -x\n",
    ]
  ) {
    assertStringIncludes(text, part);
  }
});
