import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { settle } from "../_testing/settle.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { Launcher } from "../launch/launcher.ts";
import { osState, statField } from "./os_state.ts";
import { eventually, Hosted, PATH, readText, readUntil, shell } from "./_testing/hosted.ts";

const SLEEP = { path: "sleep", args: ["1000"] };

Deno.test("wait() tells everyone who waits, and who comes later", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const waits = [hosted.wait(), hosted.wait(), hosted.wait()];
  await hosted.feed("");
  const expected = {
    cmd: { path: "cat" },
    phase: "exited",
    exit: null,
    exitCode: 0,
    signal: null,
    pid: hosted.element.pid,
  };
  for (const stat of await Promise.all(waits)) assertEquals<unknown>(stat, expected);
  assertEquals<unknown>(await hosted.wait(), expected);
  assertEquals<unknown>(await hosted.peek(), expected);
});

Deno.test("wait() that is cancelled leaves the others waiting", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const cancelled = hosted.call("wait");
  const other = hosted.wait();
  cancelled.cancel();
  const error = await assertRejects(() => cancelled.reply(), CircuitError);
  assertEquals(error.code, "ABORTED");
  await hosted.feed("");
  assertEquals((await other).phase, "exited");
});

Deno.test("peek() tells how the process ended", async () => {
  await using failed = await shell("exit 7");
  await failed.wait();
  const { phase, exit, exitCode, signal } = await failed.peek();
  assertEquals([phase, exit, exitCode, signal], ["exited", "exit status 7", 7, null]);
  await using killed = await Hosted.start(SLEEP);
  await killed.signal("KILL");
  const stat = await killed.wait();
  assertEquals(stat.phase, "signaled");
  assertEquals([stat.exit, stat.exitCode, stat.signal], ["signal: killed", null, "SIGKILL"]);
});

Deno.test("peek() tells running, stopped and continued", async () => {
  await using hosted = await Hosted.start(SLEEP);
  assertEquals((await hosted.peek()).phase, "running");
  await hosted.signal("STOP");
  assertEquals((await hosted.peek()).phase, "stopped");
  await hosted.signal("sigcont");
  assertEquals((await hosted.peek()).phase, "continued");
  const { exit, exitCode, signal } = await hosted.peek();
  assertEquals([exit, exitCode, signal], [null, null, null]);
});

Deno.test("peek() sees that somebody else stopped the process", async () => {
  await using hosted = await Hosted.start(SLEEP);
  Deno.kill(hosted.element.pid, "SIGSTOP");
  await eventually(async () => (await hosted.peek()).phase === "stopped");
  Deno.kill(hosted.element.pid, "SIGCONT");
  await eventually(async () => (await hosted.peek()).phase === "continued");
});

Deno.test("peek() right after the end tells the end", async () => {
  for (let round = 0; round < 20; round++) {
    await using hosted = await shell("echo x");
    await hosted.text("stdout");
    const { phase } = await hosted.peek();
    assert(phase === "running" || phase === "exited", phase);
    await hosted.signal("KILL").catch((error) => assertEquals(error.code, "CLOSED"));
    await hosted.wait();
  }
});

Deno.test("signal() reaches the process", async () => {
  await using hosted = await shell(
    "trap 'echo got; exit 5' USR1; echo ready; while read x; do :; done",
  );
  const reader = hosted.call("stdout");
  await readUntil(reader, "ready\n");
  const writer = hosted.call("stdin");
  await hosted.signal("usr1");
  await writer.write(new TextEncoder().encode("\n"));
  await readUntil(reader, "got\n");
  assertEquals((await hosted.wait()).exit, "exit status 5");
});

Deno.test("signal() refuses unknown names, and an exited process", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const unknown = await assertRejects(() => hosted.signal("nope"), CircuitError);
  assertEquals(unknown.code, "BAD_REQUEST");
  assertStringIncludes(unknown.message, "TERM");
  await hosted.feed("");
  await hosted.wait();
  const late = await assertRejects(() => hosted.signal("TERM"), CircuitError);
  assertEquals(late.code, "CLOSED");
  assertStringIncludes(late.message, "has exited already");
  assertStringIncludes(late.message, PATH);
});

Deno.test("getCmd() and getEnv() give what the process was started with", async () => {
  const cmd = { path: "cat", args: ["-u"], env: ["A=1"], dir: "/" };
  await using own = await Hosted.start(cmd);
  assertEquals<unknown>(await own.call("getCmd").reply(), cmd);
  assertEquals<unknown>(await own.call("getEnv").reply(), ["A=1"]);
  await using inherits = await Hosted.start({ path: "cat" });
  const env = await inherits.call("getEnv").reply() as string[];
  assert(env.includes(`PATH=${Deno.env.get("PATH")}`));
});

Deno.test("dispose() aborts who waits, reads and writes, and lets the process live", async () => {
  await using hosted = await shell("exec cat");
  const calls = ["wait", "stdout", "stderr", "stdin"].map((method) => hosted.call(method));
  hosted.scrub();
  // The process lives until it sees the end of its standard input, which was closed.
  assertEquals((await hosted.element.exited).exit, null);
  for (const call of calls) {
    assertEquals(call.error?.code, "ABORTED");
    assertStringIncludes(call.error?.message ?? "", PATH);
  }
  const late = await assertRejects(() => hosted.call("peek").reply(), CircuitError);
  assertEquals(late.code, "ABORTED");
  await hosted.element.released;
});

Deno.test("dispose() drains the output, so that the process runs to its end", async () => {
  const script = "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2; exit 6";
  for (const keep of [0, 1000]) {
    await using hosted = await shell(script, { keep });
    hosted.scrub();
    assertEquals((await hosted.element.exited).exit, "exit status 6");
    await hosted.element.released;
  }
});

Deno.test("dispose() in the middle of an output drains the rest", async () => {
  await using hosted = await shell("head -c 5000000 /dev/zero; exit 6");
  const reader = hosted.call("stdout");
  await reader.read();
  hosted.scrub();
  await assertRejects(() => reader.readAll(), CircuitError);
  assertEquals((await hosted.element.exited).exit, "exit status 6");
});

Deno.test("scrub removes the element at the exit, after who waits has the answer", async () => {
  await using hosted = await shell("read go; exit 2", { scrub: true });
  const wait = hosted.wait();
  const unread = hosted.call("stderr");
  await settle();
  assert(!hosted.removed);
  await hosted.feed("go\n");
  assertEquals((await wait).exit, "exit status 2");
  assert(hosted.removed);
  assertEquals(await readText(unread), "");
});

Deno.test("scrub lets who reads at the exit read to the end", async () => {
  await using hosted = await shell("read go; seq 1 10000; exit 2", { scrub: true });
  const reader = hosted.call("stdout", undefined, { window: 10 });
  await hosted.feed("go\n");
  const text = await readText(reader);
  assert(text.endsWith("\n9999\n10000\n"));
  assertEquals((await hosted.element.exited).exit, "exit status 2");
  await hosted.element.released;
  assert(hosted.removed);
});

Deno.test("scrub lets a reader that reads slowly read to the end after the exit", async () => {
  await using hosted = await shell("read go; seq 1 5000; exit 2", { scrub: true });
  const reader = hosted.call("stdout", undefined, { window: 10 });
  await hosted.feed("go\n");
  await hosted.element.exited;
  assert(hosted.removed);
  const text = await readText(reader);
  assert(text.endsWith("\n4999\n5000\n"));
});

Deno.test("terminate() asks first", async () => {
  const trap = "trap 'kill $!; exit 3' TERM; sleep 1000 > /dev/null 2>&1 & echo ready; wait";
  await using hosted = await shell(trap);
  await readUntil(hosted.call("stdout"), "ready\n");
  await hosted.element.terminate(100_000);
  assertEquals((await hosted.peek()).exit, "exit status 3");
});

Deno.test("terminate() kills what does not go", async () => {
  await using hosted = await shell("trap '' TERM; echo ready; exec sleep 1000");
  await readUntil(hosted.call("stdout"), "ready\n");
  await hosted.element.terminate(20);
  assertEquals((await hosted.peek()).exit, "signal: killed");
  await hosted.element.terminate(100_000);
});

Deno.test("terminate() reaches a stopped process without waiting for the grace", async () => {
  await using hosted = await Hosted.start(SLEEP);
  await hosted.signal("STOP");
  await hosted.element.terminate(100_000);
  assertEquals((await hosted.peek()).exit, "signal: terminated");
});

/** Prints the number of a child that has its pipes, then waits. */
const FAMILY = "sleep 1000 & echo $!; wait";

/** Reads the number that {@linkcode FAMILY} prints. */
async function childOf(hosted: Hosted): Promise<number> {
  return Number(await readUntil(hosted.call("stdout"), "\n"));
}

Deno.test("dispose() of a tied process ends it and the processes that it has started", async () => {
  await using hosted = await shell(FAMILY, {}, true);
  const child = await childOf(hosted);
  assertEquals(await osState(child), "running");
  const scrubbed = hosted.scrub();
  assertEquals((await hosted.element.exited).signal, "SIGTERM");
  await hosted.element.released;
  await scrubbed;
  await eventually(async () => await osState(child) === "ended");
});

Deno.test("dispose() of a tied process kills who does not heed SIGTERM", async () => {
  await using hosted = await shell(`trap "" TERM; ${FAMILY}`, {}, true);
  const child = await childOf(hosted);
  await hosted.scrub();
  assertEquals((await hosted.element.exited).signal, "SIGKILL");
  await eventually(async () => await osState(child) === "ended");
});

Deno.test("dispose() of a tied process ends what a stopped or exited one has left", async () => {
  await using stopped = await shell(FAMILY, {}, true);
  await childOf(stopped);
  await stopped.signal("STOP");
  await stopped.scrub();
  assertEquals((await stopped.element.exited).signal, "SIGTERM");

  await using exited = await shell("sleep 1000 & echo $!", {}, true);
  const child = await childOf(exited);
  await exited.wait();
  assertEquals(await osState(child), "running");
  await exited.scrub();
  await eventually(async () => await osState(child) === "ended");

  await using daemon = await shell("sleep 1000 <&- >&- 2>&- & echo $!", {}, true);
  const free = Number(await daemon.text("stdout"));
  await daemon.wait();
  await daemon.element.released;
  await daemon.scrub();
  assertEquals(await osState(free), "running");
  Deno.kill(free, "SIGKILL");
});

const groups = new Launcher().controlGroups;
const canGroup = await groups.make();
canGroup?.release();

Deno.test({
  name: "dispose() of a tied process ends what has left its process group (needs cgroup v2)",
  ignore: canGroup === undefined,
  async fn() {
    const script =
      `setsid sh -c 'trap "" TERM; exec sleep 1000' >/dev/null 2>&1 <&- & echo $!; wait`;
    await using hosted = await shell(script, {}, true);
    const child = await childOf(hosted);
    await hosted.scrub();
    await eventually(async () => await osState(child) === "ended");
  },
});

/** The number of a process's group. */
async function groupOf(pid: number): Promise<number> {
  return Number(await statField(pid, 5));
}

Deno.test({
  name: "a tied process leads a group of its own, whatever its program and arguments are",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const script = await Deno.makeTempFile();
    await Deno.writeTextFile(script, "#!/bin/sh\nsleep 1000\n");
    await Deno.chmod(script, 0o755);
    const wait = ["-c", "sleep 1000"];
    const cmds = [
      { path: "sh", args: wait },
      { path: "/bin/sh", args: wait, dir: "/tmp", env: [] },
      { path: "./sh", args: wait, dir: "/bin" },
      { path: "sh", args: [...wait, ...new Array(100).fill("x")] },
      { path: "sh", args: [...wait, "x".repeat(100_000)] },
      { path: script },
    ];
    for (const cmd of cmds) {
      await using hosted = await Hosted.start(cmd, true);
      const { pid } = hosted.element;
      await eventually(async () => await groupOf(pid) === pid);
      await hosted.scrub();
      assertEquals((await hosted.element.exited).signal, "SIGTERM");
    }
    await Deno.remove(script);
  },
});

Deno.test("dispose() of a tied process that was just started ends it", async () => {
  for (let i = 0; i < 20; i++) {
    await using hosted = await Hosted.start({ path: "sleep", args: ["1000"] }, true);
    await hosted.scrub();
    assertEquals((await hosted.element.exited).signal, "SIGTERM");
  }
});
