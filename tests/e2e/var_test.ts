/**
 * The directory of a server: on a disk that is full for a while, and what it costs.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { dialTo, RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { beLoud } from "../loud.ts";
import { type Folder, folder } from "../temp.ts";
import { isAlive } from "../traces.ts";
import { until } from "../until.ts";

/** A file system of its own, of 4 MiB, below a folder; undefined where this user may not mount one. */
async function disk(): Promise<Folder | undefined> {
  const { path } = await folder();
  const mount = await run("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", path);
  if (!mount) return void await Deno.remove(path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      assert(await run("umount", "--lazy", path));
      await Deno.remove(path);
    },
  };
}

/** Whether a program succeeds. */
async function run(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, { args, stderr: "null" }).output();
  return success;
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  await using found = await disk();
  return found !== undefined;
}

/** Writes a file until there is no room for more. */
async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true });
  for (let size = 1024 * 1024; size > 0;) {
    try {
      await file.write(new Uint8Array(size));
    } catch (error) {
      assertMatch(String(error), /No space left on device/);
      size = Math.floor(size / 2);
    }
  }
}

function textOf(path: string): Promise<string> {
  return Deno.readTextFile(path).catch(() => "");
}

circuitTest(
  "start -var works on while its disk is full, and writes when it has room",
  async (logs) => {
    await using dir = await disk();
    assert(dir);
    const args = ["-var", dir.path];
    await using server = await RunningServer.start({ logs, args });
    await using client = await dialTo(server);
    const anchor = client.anchor(server.path);
    const sleep = { path: "sleep", args: ["1000"] };
    await anchor.walk("first").makeProc(sleep);
    const list = `${dir.path}/children.json`;
    await until("the first list", () => textOf(list), (text) => text.includes("/first"));
    const joins = await anchor.walk("joins").makeOnJoin();
    assertEquals(await joins.consume(), server.path);

    await fillUp(`${dir.path}/filler`);
    const proc = await anchor.walk("second").makeProc(sleep);
    const told = (what: RegExp) => until("it", () => String(server.log), (log) => what.test(log));
    await told(/WARN {2}the list of children: cannot be written down: No space left/);
    await beLoud(client, server.path, 10);
    await told(/WARN {2}cannot write the log to .*circuit\.log, trying on: No space left/);
    const dns = await anchor.walk("dns").makeNameserver("127.0.0.1:0");
    const { address } = await dns.peek();
    await anchor.walk("dns").scrub();
    const again = await anchor.walk("dns").makeNameserver(address);
    assertEquals((await again.peek()).address, address);
    await using other = await RunningServer.start({ logs, args: ["-j", server.address] });
    assertEquals(await joins.consume(), other.path);
    // More than what may wait for the disk.
    await beLoud(client, server.path, 1_000);
    // The list before is whole.
    const [child, ...others] = JSON.parse(await textOf(list)).children;
    assertEquals([child.path, others], [`${server.path}/first`, []]);

    await Deno.remove(`${dir.path}/filler`);
    await until("the list", () => textOf(list), (text) => text.includes("/second"));
    const log = () => textOf(`${dir.path}/circuit.log`);
    await until("the log", log, (text) => /WARN {2}\d+ lines dropped/.test(text));
    // The file may have missed it, if the list had room before the log tried again.
    await told(/INFO {2}the list of children: written down again/);
    // It goes on as if nothing had been.
    const { pid } = await proc.peek();
    await server.crash();
    await using next = await RunningServer.start({ logs, args });
    await until("the report", () => String(next.log), (text) => text.includes(`process ${pid} `));
    Deno.kill(pid, "SIGKILL");
    await until("its end", () => isAlive(pid), (alive) => !alive);
    const { children } = JSON.parse(await textOf(list));
    for (const { pid } of children) if (await isAlive(pid)) Deno.kill(pid, "SIGKILL");
  },
  { ignore: !await canMount() },
);

circuitTest("start -var starts on a disk that is full already", async (logs) => {
  await using dir = await disk();
  assert(dir);
  await fillUp(`${dir.path}/filler`);
  const args = ["-var", dir.path];
  {
    await using server = await RunningServer.start({ logs, args });
    await using client = await dialTo(server);
    await client.anchor(server.path).walk("true").makeProc({ path: "true" });
    server.kill("SIGTERM");
    assertEquals((await server.status).code, 0);
  }
  await Deno.remove(`${dir.path}/filler`);
  await using server = await RunningServer.start({ logs, args });
  const log = () => textOf(`${dir.path}/circuit.log`);
  await until("the log", log, (text) => text.includes(server.address));
}, { ignore: !await canMount() });

circuitTest(
  "start -var asks the system once about each process, and several at a time",
  async (logs) => {
    await using dir = await folder();
    // Deno lets the sources read nothing in /proc, so it is `cat` that does.
    const asked = `${dir.path}/asked`;
    const script = `#!/bin/sh\necho "$@" >> '${asked}'\nPATH=\${PATH#*:}; exec cat "$@"\n`;
    await Deno.mkdir(`${dir.path}/bin`);
    await Deno.writeTextFile(`${dir.path}/bin/cat`, script, { mode: 0o755 });
    const env = { PATH: `${dir.path}/bin:${Deno.env.get("PATH")}` };
    const args = ["-var", `${dir.path}/var`];
    await using server = await RunningServer.start({ logs, args, env });
    await using client = await dialTo(server);
    const anchor = client.anchor(server.path);
    const names = Array.from({ length: 100 }, (_, i) => `p${i}`);
    await Promise.all(
      names.map((name) => anchor.walk(name).makeProc({ path: "sleep", args: ["1000"] })),
    );
    const list = async () => JSON.parse(await textOf(`${dir.path}/var/children.json`) || "{}");
    const { children } = await until("the list", list, (text) => text.children?.length === 100);
    for (const { start } of children) assertMatch(start, /^\d+$/);
    const pids = (await textOf(asked)).match(/\d+/g) ?? [];
    assertEquals(new Set(pids).size, pids.length);
  },
);
