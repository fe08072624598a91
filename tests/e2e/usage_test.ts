/**
 * How commands are typed: flags, arguments, help, and what a mistake is answered with.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertUsage } from "../refused.ts";
import { shell } from "../shell.ts";
import { run, tool } from "../tool.ts";

/** The commands of the table, with the arguments that each needs. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  start: [],
  ls: ["PATH"],
  peek: ["PATH"],
  scrub: ["PATH"],
  mkproc: ["PATH"],
  signal: ["NAME", "PATH"],
  wait: ["PATH"],
  waitall: [],
  stdin: ["PATH"],
  stdout: ["PATH"],
  stderr: ["PATH"],
  mkchan: ["PATH", "CAPACITY"],
  send: ["PATH"],
  recv: ["PATH"],
  close: ["PATH"],
  "mk@join": ["PATH"],
  "mk@leave": ["PATH"],
  join: ["PATH", "ADDRESS"],
  stk: ["PATH"],
  suicide: ["PATH"],
  completions: ["SHELL"],
  version: [],
};

circuitTest("flags are taken in both spellings, in any place, and -- ends them", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  const { address } = near;
  await using client = await dialTo(near);
  await client.anchor(far.path).walk("a").makeChan();
  const expected = `chan            ${far.path}/a\n`;
  const ways = [
    ["-d", address, "-l", far.path],
    ["--d", address, "--l", far.path],
    ["-dial", address, "-long", far.path],
    ["--dial", address, "--long", far.path],
    [`-d=${address}`, "-l=true", far.path],
    [`--dial=${address}`, "--long=true", far.path],
    [far.path, "-l", "-d", address],
    ["-l", far.path, `--d=${address}`],
    ["-l", "-d", address, "--", far.path],
    ["-d", "127.0.0.1:1", "-l", far.path, "-d", address],
    ["-d", near.hostPort, "-l", far.path],
  ];
  for (const way of ways) assertEquals(await run(["ls", ...way]), expected, way.join(" "));
  // Behind -- a flag is an argument, and so one too many.
  await assertUsage(["ls", "-d", address, far.path, "--", "-l"], /too many arguments: "-l"/);
});

circuitTest("a mistake is answered with the usage line and status 2", async () => {
  for (const [name, args] of Object.entries(COMMANDS)) {
    await assertUsage([name, "-nonsense"], /unknown flag "-nonsense"/);
    const [first] = args;
    if (first !== undefined) await assertUsage([name], new RegExp(`${first} is missing`));
    await assertUsage([name, ...args, "extra"], /too many arguments|takes no arguments/);
  }
  await assertUsage(["ls", "-d"], /-d needs a value: -d ADDRESS/);
  await assertUsage(["ls", "/", "-timeout", "soon"], /-timeout needs a number/);
  await assertUsage(["ls", "/", "-l=maybe"], /-l takes no value, or true or false, not "maybe"/);
  for (const capacity of ["-1", "many", "1.5", "1000001"]) {
    await assertUsage(
      ["mkchan", "/X0123456789abcdef/a", capacity],
      /CAPACITY must be a whole number/,
    );
  }
});

circuitTest("a mistyped command or flag is answered with the nearest one", async () => {
  const mistyped: [string, string][] = [
    ["lls", "ls"],
    ["pek", "peek"],
    ["mkprco", "mkproc"],
    ["mkchann", "mkchan"],
    ["versoin", "version"],
    ["hlep", "help"],
    ["strat", "start"],
  ];
  for (const [typed, meant] of mistyped) {
    const { code, stdout, stderr } = await tool([typed, "/"]);
    assertEquals([code, stdout], [2, ""]);
    const [line, ...rest] = stderr.split("\n");
    assertEquals(line, `circuit: unknown command "${typed}": did you mean "${meant}"?`);
    assert(rest.join("\n").includes("circuit help"), stderr);
  }
  await assertUsage(["ls", "-dpeth", "/"], /unknown flag "-dpeth": did you mean "-depth"\?/);
  await assertUsage(["peek", "--dail", "x", "/"], /unknown flag "--dail": did you mean "-dial"\?/);
  const { stderr } = await tool(["xyzzy"]);
  assert(stderr.startsWith('circuit: unknown command "xyzzy"\n'), stderr);
});

circuitTest("help lists the commands and tells of each", async () => {
  const overview = await run(["help"]);
  for (const [name, args] of Object.entries(COMMANDS)) {
    assertMatch(overview, new RegExp(`^ +${[name, ...args].join(" ")} +\\w`, "m"));
    const help = await run(["help", name]);
    assertMatch(help, new RegExp(`^circuit ${name}: `));
    assertMatch(help, new RegExp(`^usage: circuit ${name}\\b`, "m"));
    assertEquals(await run([name, "-h"]), help);
  }
  assertEquals(await run(["-h"]), overview);
  assertEquals(await run(["--help"]), overview);
  assertEquals(await run(["ls", "--help", "/", "-nonsense"]), await run(["help", "ls"]));
  const { code, stderr } = await tool(["help", "pek"]);
  assertEquals(code, 2);
  assertMatch(stderr, /did you mean "peek"\?/);
});

circuitTest("without a command the help goes to standard error, with status 2", async () => {
  const { code, stdout, stderr } = await tool([]);
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr, await run(["help"]));
});

circuitTest("version prints the version", async () => {
  const { default: { version } } = await import("../../deno.json", { with: { type: "json" } });
  assertEquals(await run(["version"]), `circuit ${version}\n`);
  assertEquals(JSON.parse(await run(["version", "-json"])).version, version);
});

circuitTest(
  "standard streams that fail end the tool with status 1 and their names",
  async (logs) => {
    await using circuit = await cluster(2, { logs });
    const { near, far } = circuit;
    await using client = await dialTo(near);
    await client.anchor(far.path).walk("p").makeProc({ path: "cat" });
    await client.anchor(far.path).walk("c").makeChan(1);
    const at = `-d ${near.address}`;
    const failing: [string, RegExp][] = [
      [`ls ${at} / > /dev/full`, /cannot write to standard output: No space left/],
      ["help > /dev/full", /cannot write to standard output: No space left/],
      [`run ${at} / -- echo x > /dev/full`, /cannot write to standard output: No space left/],
      [`send ${at} ${far.path}/c < /`, /cannot read standard input: Is a directory/],
      [`stdin ${at} ${far.path}/p < /`, /cannot read standard input: Is a directory/],
      [`mkproc ${at} ${far.path}/q < /`, /cannot read standard input: Is a directory/],
      [`waitall ${at} < /`, /cannot read standard input: Is a directory/],
      [`run ${at} ${far.path} -- cat < /`, /cannot read standard input: Is a directory/],
    ];
    for (const [line, message] of failing) {
      const { code, stdout, stderr } = await shell(`circuit ${line}`);
      assertEquals([code, stdout], [1, ""], line);
      assertMatch(stderr, /^circuit: [^\n]+\n$/, line);
      assertMatch(stderr, message, line);
    }
  },
  { ignore: Deno.build.os !== "linux" },
);
