/** What processes print is in the server's budget. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Budget } from "../../overlay/budget.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { eventually, Hosted, over, readText, readUntil } from "./_testing/hosted.ts";

const MIB = 1024 * 1024;

const sh = (script: string, more: { keep?: number; scrub?: boolean } = {}) => ({
  path: "/bin/sh",
  args: ["-c", script],
  ...more,
});

Deno.test("a process whose Keep finds no room is not started", async () => {
  const budget = new Budget(8 * MIB);
  budget.channels.take(6 * MIB);
  const error = await assertRejects(
    () => Hosted.start(sh("exit 0", { keep: MIB }), false, { budget }),
    CircuitError,
  );
  assertEquals(error.code, "BUSY");
  assertStringIncludes(error.message, 'cannot start "/bin/sh" at');
  assertStringIncludes(error.message, "no memory for 2097152 bytes more");
  assertEquals(budget.outputs.used, 0);
  // Without Keep, and with what fits, it is.
  await using one = await Hosted.start(sh("exit 0"), false, { budget });
  await using two = await Hosted.start(sh("exit 0", { keep: MIB / 2 }), false, { budget });
  assertEquals([(await one.wait()).exit, (await two.wait()).exit], [null, null]);
});

Deno.test("a process whose output finds no room is neither held back nor forgotten", async () => {
  const budget = new Budget(8 * MIB);
  await using hosted = await Hosted.start(
    sh("read go; head -c 3000000 /dev/zero; echo end", { keep: 2 * MIB }),
    false,
    { budget },
  );
  budget.channels.add(7 * MIB - MIB / 2);
  await hosted.feed("go\n");
  assertEquals((await hosted.wait()).exit, null);
  await eventually(async () => (await hosted.peek()).dropped?.stdout !== 0);
  await hosted.element.released;
  // What there is room for is kept, and peek tells where it begins.
  const { dropped } = await hosted.peek();
  const text = await hosted.text("stdout");
  assert(text.endsWith("\0end\n"));
  assertEquals(text.length + (dropped?.stdout ?? 0), 3_000_004);
  assert(text.length > MIB / 4 && text.length < MIB, `${text.length} bytes are kept`);
  assert(budget.outputs.used < MIB, `${budget.outputs.used} bytes are counted`);
});

Deno.test("what an exited process has printed waits in its pipe where there is no room", async () => {
  const budget = new Budget(MIB);
  budget.channels.add(MIB);
  await using hosted = await Hosted.start(sh("head -c 1000 /dev/zero"), false, { budget });
  await hosted.wait();
  assertEquals(budget.outputs.used, 0);
  assertEquals((await hosted.text("stdout")).length, 1000);
});

Deno.test("a reader that acknowledges nothing is BUSY where there is no room", async () => {
  const budget = new Budget(4 * MIB);
  budget.channels.add(4 * MIB);
  await using hosted = await Hosted.start(sh("exec cat /dev/zero"), false, { budget });
  const lazy = hosted.call("stdout", undefined, { window: 16 * MIB });
  await over(lazy);
  assertEquals(lazy.error?.code, "BUSY");
  assert(budget.outputs.used < MIB, `${budget.outputs.used} bytes are counted`);
  // One that acknowledges what it reads goes on.
  const good = hosted.call("stdout");
  for (let seen = 0; seen < 4 * MIB;) seen += (await good.read())?.length ?? NaN;
});

Deno.test("nothing of a process that is gone stays in the account", async () => {
  const budget = new Budget(64 * MIB);
  const runs = [
    { keep: MIB, scrub: true },
    { keep: MIB, scrub: false },
    { scrub: true },
    { scrub: false },
  ];
  for (const run of runs) {
    await using hosted = await Hosted.start(
      sh("read go; seq 1 10000; echo end >&2", run),
      false,
      { budget },
    );
    const [reader, leaver] = [hosted.call("stdout"), hosted.call("stderr")];
    await hosted.feed("go\n");
    await readUntil(leaver, "end");
    leaver.goAway();
    assert((await readText(reader)).endsWith("10000\n"));
    await hosted.element.released;
    if (!run.scrub) hosted.scrub();
    await eventually(() => Promise.resolve(hosted.removed && budget.outputs.used === 0));
  }
});
