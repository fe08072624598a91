/**
 * The commands for processes: `mkproc`, `signal`, `wait`, `waitall`, `stdin`, `stdout`, `stderr`.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { digest, digestOf, pattern } from "../bytes.ts";
import { cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused, assertUsage } from "../refused.ts";
import { shell } from "../shell.ts";
import { run, RunningTool, tool } from "../tool.ts";
import { callsAt, untilCalls } from "../traces.ts";
import { until } from "../until.ts";

circuitTest("mkproc takes its JSON in any letter case, and -scrub", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  const at = ["-d", near.address];
  const job = `${far.path}/job`;
  const stdin =
    '{"pAtH": "/bin/sh", "args": ["-c", "pwd; echo $A"], "ENV": ["A=1"], "Dir": "/usr"}\n';
  assertEquals(await run(["mkproc", ...at, job], { stdin }), "");
  assertEquals(await run(["stdout", ...at, job]), "/usr\n1\n");
  assertEquals(JSON.parse(await run(["wait", ...at, job])).Cmd.Env, ["A=1"]);

  const cat = { stdin: '{"Path": "cat"}' };
  const going = `${far.path}/going`;
  await run(["mkproc", "-scrub", ...at, going], cat);
  assertEquals(JSON.parse(await run(["peek", ...at, going])).Cmd.Scrub, true);
  await run(["stdin", ...at, going]);
  await until("it to go", () => run(["peek", ...at, going]), (state) => state === "null\n");
  // What peek prints can be used to make another.
  const { Cmd } = JSON.parse(await run(["peek", ...at, job]));
  await run(["mkproc", ...at, `${far.path}/again`], { stdin: JSON.stringify(Cmd) });
  assertEquals(await run(["stdout", ...at, `${far.path}/again`]), "/usr\n1\n");
});

circuitTest("mkproc that fails says why and leaves the anchor empty", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  const args = ["mkproc", "-d", near.address, `${far.path}/job`];
  const failures: [string, RegExp][] = [
    ["", /standard input is empty/],
    ["{", /bad JSON, line 1, column 2/],
    ['{"Path": "/bin/ls"\n "Args": []}', /bad JSON, line 2, column 2: want a comma/],
    ["[]", /want an object/],
    ["{}", /"Path" is missing/],
    ['{"Path": ""}', /"Path" is empty/],
    ['{"Path": 1}', /Path: want a string/],
    ['{"Path": "ls", "Argz": []}', /unknown key "Argz": did you mean "Args"\?/],
    ['{"Path": "ls", "path": "ls"}', /"Path" is given twice/],
    ['{"Path": "ls", "Args": [1]}', /Args: \[0\]: want a string/],
    ['{"Path": "/no/such"}', /cannot start "\/no\/such" at .*\/job: there is no such program/],
    ['{"Path": "ls", "Dir": "/no/such"}', /there is no such directory "\/no\/such"/],
    ['{"Path": "/"}', /"\/" is a directory/],
    ['{"Path": "ls", "Env": ["nonsense"]}', /want NAME=VALUE, not "nonsense"/],
  ];
  for (const [stdin, message] of failures) await assertRefused(args, message, { stdin });
  assertEquals(await run(["ls", "-d", near.address, far.path]), "");
  await run(args, { stdin: '{"Path": "true"}' });
  const again = { stdin: '{"Path": "false"}' };
  await assertRefused(args, /cannot make an element at .*\/job: it holds a proc already/, again);
  const { Cmd } = JSON.parse(await run(["peek", "-d", near.address, `${far.path}/job`]));
  assertEquals(Cmd.Path, "true");
});

circuitTest("signal takes names in any form and refuses others with the list", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const at = ["-d", near.address];
  for (const name of ["TERM", "sigterm", "SIGKILL", "usr1"]) {
    const path = `${far.path}/${name}`;
    await client.anchor(path).makeProc({ path: "sleep", args: ["1000"] });
    assertEquals(await run(["signal", ...at, name, path]), "");
    const state = JSON.parse(await run(["wait", ...at, path]));
    assertEquals(state.Phase, "signaled");
    assertEquals(state.Signal, `SIG${name.toUpperCase().replace(/^SIG/, "")}`);
    assertMatch(state.Exit, /^signal: /);
    assertEquals(state.ExitCode, null);
    await assertRefused(["signal", ...at, name, path], /has exited already, signal: /);
  }
  const path = `${far.path}/TERM`;
  await assertRefused(["signal", ...at, "NONE", path], /unknown signal "NONE": want one of .*TERM/);
  await assertUsage(["signal", ...at, "TERM"], /PATH is missing/);
});

circuitTest("wait prints the state at exit, and an interrupt ends it at once", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/job`;
  const proc = await client.anchor(path).makeProc({
    path: "/bin/sh",
    args: ["-c", "read x; exit 3"],
  });
  await using waiting = new RunningTool(["wait", "-d", near.address, path]);
  await using interrupted = new RunningTool(["wait", "-d", near.address, path]);
  await untilCalls(client, far, 2);
  interrupted.kill("SIGINT");
  assertEquals(await interrupted.result(), { code: 130, stdout: "", stderr: "" });
  await untilCalls(client, far, 1);
  await proc.stdin().close();
  const { code, stdout } = await waiting.result();
  // The status of the tool is its own.
  assertEquals(code, 0);
  const { Phase, Exit, ExitCode } = JSON.parse(stdout);
  assertEquals([Phase, Exit, ExitCode], ["exited", "exit status 3", 3]);
  assertEquals(await run(["wait", "-d", near.address, path]), stdout);
});

circuitTest("waitall waits for every path on its standard input", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const at = ["-d", near.address];
  const start = (server: string, name: string, script: string) =>
    client.anchor(`${server}/${name}`).makeProc({ path: "/bin/sh", args: ["-c", script] });
  await start(far.path, "good", "exit 0");
  await start(near.path, "good", "exit 0");
  await start(far.path, "bad", "exit 4");
  await start(far.path, "killed", "kill -9 $$");

  const good = [`${far.path}/good`, `${near.path}/good`];
  const well = await tool(["waitall", ...at], { stdin: `${good.join("\n\n")}\n` });
  assertEquals([well.code, well.stderr], [0, ""]);
  assertEquals(
    well.stdout.trim().split("\n").sort(),
    good.map((path) => `${path}\texit status 0`).sort(),
  );

  const paths = [...good, `${far.path}/bad`, `${far.path}/killed`, `${far.path}/none`];
  const mixed = await tool(["waitall", "-json", ...at], { stdin: paths.join("\n") });
  assertEquals([mixed.code, mixed.stderr], [1, ""]);
  const results = new Map(
    mixed.stdout.trim().split("\n").map((line) => {
      const { path, ...rest } = JSON.parse(line);
      return [path, rest];
    }),
  );
  const success = { exit: null, exitCode: 0, signal: null };
  assertEquals(results.get(good[0]), success);
  assertEquals(results.get(good[1]), success);
  assertEquals(results.get(`${far.path}/bad`), {
    exit: "exit status 4",
    exitCode: 4,
    signal: null,
  });
  assertEquals(results.get(`${far.path}/killed`), {
    exit: "signal: killed",
    exitCode: null,
    signal: "SIGKILL",
  });
  assertMatch(results.get(`${far.path}/none`).error, /there is nothing at/);
  assertEquals(await tool(["waitall", ...at]), { code: 0, stdout: "", stderr: "" });

  // From one command to the next, as the manual has it.
  const piped = await shell(`circuit ls -d ${near.address} ${near.path} |
    circuit waitall -d ${near.address}`);
  assertEquals(piped.stdout, `${near.path}/good\texit status 0\n`);
});

circuitTest("stdin, stdout and stderr carry bytes exactly", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/job`;
  await client.anchor(path).makeProc({ path: "/bin/sh", args: ["-c", "tee /dev/stderr"] });
  const at = ["-d", near.address];
  const message = pattern(20_000_000);
  await using out = new RunningTool(["stdout", ...at, path]);
  await using err = new RunningTool(["stderr", ...at, path]);
  const [input, ...outputs] = await Promise.all([
    tool(["stdin", ...at, path], { stdin: message }),
    out.stdout.rest(),
    err.stdout.rest(),
  ]);
  assertEquals(input, { code: 0, stdout: "", stderr: "" });
  for (const output of outputs) assertEquals(digestOf(output), digestOf(message));
  assertEquals([(await out.status).code, (await err.status).code], [0, 0]);
  const late = { stdin: "too late" };
  await assertRefused(["stdin", ...at, path], /cannot write to the stdin of .*\/job/, late);
  // To close what is closed is no failure: a process may be faster than who closes its input.
  assertEquals(await run(["stdin", ...at, path]), "");
  assertEquals(await run(["stdout", ...at, path]), "");
});

circuitTest("stdin and stdout refuse a second writer and reader", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/job`;
  const at = ["-d", near.address];
  const proc = await client.anchor(path).makeProc({ path: "cat" });
  await using reader = new RunningTool(["stdout", ...at, path]);
  await using writer = new RunningTool(["stdin", ...at, path]);
  await untilCalls(client, far, 2);
  await assertRefused(["stdout", ...at, path], /cannot read the stdout of .*: somebody else/);
  await assertRefused(["stdin", ...at, path], /cannot write to the stdin of .*: somebody else/);
  await writer.write("one\n");
  assertEquals(await reader.stdout.line(), "one");

  // An interrupt leaves the process's standard input open for the next.
  writer.kill("SIGINT");
  assertEquals((await writer.result()).code, 130);
  await untilCalls(client, far, 1);
  assertEquals((await proc.peek()).phase, "running");
  await run(["stdin", ...at, path], { stdin: "two\n" });
  assertEquals((await reader.result()).stdout, "two\n");
  assertEquals((await proc.wait()).exitCode, 0);
});

circuitTest("stdout ends quietly when its reader has seen enough", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/job`;
  const proc = await client.anchor(path).makeProc({ path: "yes" });
  const script = `(circuit stdout -d ${near.address} ${path}; echo status $? >&2) | head -n 2`;
  const { stdout, stderr } = await shell(script);
  assertEquals([stdout, stderr], ["y\ny\n", "status 0\n"]);
  // The process is held back until the next reader comes.
  await untilCalls(client, far, 0);
  assertEquals((await proc.peek()).phase, "running");
  assertEquals(await callsAt(client, near), 0);
  await proc.signal("KILL");
  const { length } = await digest(proc.stdout());
  assert(length > 0 && length <= 1 << 20, `${length} bytes were left`);
});
