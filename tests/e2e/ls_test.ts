/**
 * `circuit ls`, `peek` and `scrub`, over two servers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../mod.ts";
import { textOf } from "../bytes.ts";
import { assertRefused } from "../refused.ts";
import { cluster, dialTo, type RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { shell } from "../shell.ts";
import { run, RunningTool } from "../tool.ts";
import { FairClock, until } from "../until.ts";

circuitTest(
  "ls lists children sorted, -l with kinds, -depth from the leaves, -json exactly",
  async (logs) => {
    await using circuit = await cluster(2, { logs });
    const { near, far } = circuit;
    await using client = await dialTo(near);
    const top = client.anchor(far.path).walk("top");
    await top.walk("b", "chan").makeChan();
    await top.walk("a").makeProc({ path: "true" });
    await top.walk("new\nline").makeChan();
    const ls = async (...args: string[]) =>
      (await run(["ls", "-d", near.address, ...args])).split("\n").slice(0, -1);

    const t = top.path;
    const escaped = `${t}/new\\nline`;
    assertEquals(await ls(t), [`${t}/a`, `${t}/b`, escaped]);
    assertEquals(await ls(`${t}/`), [`${t}/a`, `${t}/b`, escaped]);
    assertEquals(await ls(`${t}/...`), [`${t}/a`, `${t}/b`, `${t}/b/chan`, escaped]);
    assertEquals(await ls("-depth", `${t}/...`), [`${t}/a`, `${t}/b/chan`, `${t}/b`, escaped]);
    assertEquals(await ls("-l", t), [
      `proc            ${t}/a`,
      `·               ${t}/b`,
      `chan            ${escaped}`,
    ]);
    assertEquals((await ls("--json", `${t}/...`)).map((line) => JSON.parse(line)), [
      { path: `${t}/a`, kind: "proc" },
      { path: `${t}/b`, kind: null },
      { path: `${t}/b/chan`, kind: "chan" },
      { path: `${t}/new\nline`, kind: "chan" },
    ]);
    assertEquals(await ls("-l", "/"), [near, far].map((s) => `server          ${s.path}`).sort());
    assertEquals((await ls("/...")).length, 7);
    assertEquals(await ls("-l", "-depth", "/..."), await ls("-depth", "-l", "/..."));
    // What is not there has no children.
    assertEquals(await ls(`${near.path}/nothing/here`), []);
  },
);

circuitTest("ls ends quietly when its reader has seen enough", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const many = client.anchor(far.path).walk("many");
  // More than a pipe holds, so that it is still writing when nobody reads.
  const count = 4_000;
  await Promise.all(Array.from({ length: count }, (_, i) => many.walk(`channel-${i}`).makeChan()));
  const script = `(circuit ls -d ${near.address} ${many.path}; echo status $? >&2) | head -n 2`;
  const { stdout, stderr } = await shell(script);
  assertEquals(stdout, `${many.path}/channel-0\n${many.path}/channel-1\n`);
  assertEquals(stderr, "status 0\n");
});

circuitTest("peek prints the state of any element, and null for none", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const anchor = client.anchor(far.path);
  await anchor.walk("c").makeChan(2);
  const proc = await anchor.walk("p").makeProc({
    path: "/bin/sh",
    args: ["-c", "exit 2"],
    env: ["A=1"],
    dir: "/",
  });
  const { pid } = await proc.wait();
  const peek = (path: string) => run(["peek", "-d", near.address, path]);
  assertEquals(await peek(`${far.path}/nothing`), "null\n");
  assertEquals(await peek("/"), "null\n");
  assertEquals(JSON.parse(await peek(`${far.path}/c`)), {
    Cap: 2,
    Closed: false,
    Aborted: false,
    NumSend: 0,
    NumRecv: 0,
  });
  const state = await peek(`${far.path}/p`);
  assertEquals(JSON.parse(state), {
    Cmd: { Path: "/bin/sh", Args: ["-c", "exit 2"], Env: ["A=1"], Dir: "/", Scrub: false },
    Phase: "exited",
    Exit: "exit status 2",
    ExitCode: 2,
    Signal: null,
    Pid: pid,
  });
  assert(state.startsWith('{\n\t"Cmd": {\n\t\t"Path": "/bin/sh",\n'), state);
  assertEquals(JSON.parse(await peek(far.path)).Elements, { server: 1, chan: 1, proc: 1 });
});

circuitTest("scrub removes an element, and says when it may not", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  await client.anchor(far.path).walk("c").makeChan();
  const at = ["-d", near.address];
  assertEquals(await run(["scrub", ...at, `${far.path}/c`]), "");
  assertEquals(await run(["ls", ...at, far.path]), "");
  assertEquals(await run(["scrub", ...at, `${far.path}/c`]), "");
  await assertRefused(["scrub", ...at, far.path], /cannot scrub \/X.*stays for good/);
  await assertRefused(["scrub", ...at, "/"], /\/ holds nothing/);
});

circuitTest(
  "a path that leads nowhere is refused by every command that takes one",
  async (logs) => {
    await using circuit = await cluster(2, { logs });
    const at = ["-d", circuit.near.address];
    const unknown = "/X0123456789abcdef/a";
    const commands = [
      ["ls", unknown],
      ["peek", unknown],
      ["scrub", unknown],
      ["signal", "TERM", unknown],
      ["wait", unknown],
      ["stdin", unknown],
      ["stdout", unknown],
      ["stderr", unknown],
      ["mkchan", unknown, "1"],
      ["send", unknown],
      ["recv", unknown],
      ["close", unknown],
    ];
    for (const [name = "", ...args] of commands) {
      await assertRefused([name, ...at, ...args], /there is no server X0123456789abcdef/);
    }
    const json = { stdin: '{"Path": "true"}' };
    await assertRefused(["mkproc", ...at, unknown], /there is no server X0123456789abcdef/, json);
    for (const path of ["nonsense", "/nonsense", `${circuit.near.path}/..`]) {
      await assertRefused(["peek", ...at, path], /bad path/);
    }
  },
);

circuitTest("an element of another kind is refused by what it is", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  await client.anchor(far.path).walk("c").makeChan();
  await client.anchor(far.path).walk("p").makeProc({ path: "true" });
  const at = ["-d", near.address];
  const [chan, proc, none] = ["c", "p", "none"].map((name) => `${far.path}/${name}`);
  for (const name of ["wait", "stdin", "stdout", "stderr"]) {
    await assertRefused([name, ...at, chan ?? ""], /is a channel; it should be a process/);
    await assertRefused(
      [name, ...at, none ?? ""],
      /there is nothing at .*; it should be a process/,
    );
  }
  await assertRefused(["signal", ...at, "TERM", chan ?? ""], /is a channel/);
  for (const name of ["send", "recv", "close"]) {
    await assertRefused([name, ...at, proc ?? ""], /is a process; it should be a channel/);
    await assertRefused([name, ...at, far.path], /is a server; it should be a channel/);
    await assertRefused(
      [name, ...at, none ?? ""],
      /there is nothing at .*; it should be a channel/,
    );
  }
});

circuitTest("ls of 100,000 anchors begins within 100 ms and never holds them all", async (logs) => {
  const [folders, each] = [100, 1_000];
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const server = client.anchor(far.path);
  for (let folder = 0; folder < folders; folder++) {
    const parent = server.walk(`folder-${folder}`);
    await Promise.all(Array.from({ length: each }, (_, i) => parent.walk(`chan-${i}`).makeChan()));
  }

  // The time that the tool adds is that of its start, which is the same for all commands.
  const first: number[] = [];
  for (let round = 0; round < 5; round++) {
    using clock = new FairClock();
    for await (const _entry of client.anchor("/").list({ recursive: true })) break;
    first.push(clock.ms);
  }
  assert(Math.min(...first) <= 100, `ms to the first entry: ${first}`);

  // Nobody reads what the tool prints but the first line: then it takes no more from the server.
  const before = await sent(client, far);
  await using running = new RunningTool(["ls", "-d", near.address, `${far.path}/...`]);
  assertEquals(await running.stdout.line(), `${far.path}/folder-0`);
  const [held = 0] = await until(
    "the listing to be held back",
    async () => [await sent(client, far), await sent(client, far)],
    ([one = 0, other = 0]) => other - one < 4_096,
  );
  const lines = (await running.result()).stdout.split("\n").slice(0, -1);
  assertEquals(lines.length + 1, folders * (each + 1));
  assertEquals(new Set(lines).size, lines.length);
  const all = lines.reduce((sum, line) => sum + line.length - far.path.length, 0);
  assert(held - before < all / 3, `${held - before} bytes of more than ${all} were sent`);
});

/** Bytes that a server has sent to clients that are there. */
async function sent(client: Client, server: RunningServer): Promise<number> {
  const element = await client.anchor(server.path).get();
  if (element?.kind !== "server") throw new Error(`${server.path} holds no server`);
  const report = await textOf(element.profile("tasks"));
  return [...report.matchAll(/client .*?, (\d+) bytes out/g)]
    .reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}
