/**
 * A server's budget of memory: a client that fills it is refused, and nobody else notices.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Anchor, Chan, CircuitError, Client, ServerStat } from "../../mod.ts";
import { startServer } from "../../server/mod.ts";
import { textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { dialTo, RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { run, tool } from "../tool.ts";

const MB = 1_000_000;

/** The budget of the servers under test. */
const LIMIT = 64 * MB;

/** A message, as large as one that may be given back. */
const MESSAGE = new Uint8Array(32 * 1024).fill(7);

/** What the server may take beside the bytes: V8's heap and what it has not collected yet. */
const BESIDE = 120 * MB;

async function statOf(client: Client, { path }: RunningServer): Promise<ServerStat> {
  const element = await client.anchor(path).get();
  assert(element?.kind === "server");
  return await element.peek();
}

/** Sends until the server refuses; how many it took, and what it said. */
async function fill(chan: Chan): Promise<{ taken: number; error: CircuitError }> {
  for (let taken = 0;; taken++) {
    assert(taken < 2 * LIMIT / MESSAGE.length, `${taken} messages were taken`);
    try {
      await chan.sendBytes(MESSAGE);
    } catch (error) {
      return { taken, error: error as CircuitError };
    }
  }
}

/** What another client does meanwhile. */
async function works(root: Anchor): Promise<void> {
  const proc = await root.walk("echo").makeProc({ path: "cat" });
  const output = textOf(proc.stdout());
  const writer = proc.stdin().getWriter();
  await writer.write(new TextEncoder().encode("hello"));
  await writer.close();
  assertEquals(await output, "hello");
  await proc.scrub();
  const chan = await root.walk("other").makeChan();
  const [received] = await Promise.all([chan.recvBytes(), chan.sendBytes(MESSAGE)]);
  assertEquals(received, MESSAGE);
  await chan.scrub();
}

circuitTest("a client that fills a server is BUSY, and others go on", async (logs) => {
  await using server = await RunningServer.start({ logs, args: ["-memory", `${LIMIT}`] });
  await using greedy = await dialTo(server);
  await using honest = await dialTo(server);
  const root = honest.anchor(server.path);
  await works(root);
  const before = await statOf(honest, server);
  assertEquals(before.memory.limit, LIMIT);
  for (let round = 0; round < 3; round++) {
    const jobs = await greedy.anchor(`${server.path}/jobs`).makeChan(1_000_000);
    const { taken, error } = await fill(jobs);
    assertEquals(error.code, "BUSY");
    assertMatch(
      error.message,
      /^cannot send to \/X[0-9a-f]{16}\/jobs: no memory for \d+ bytes more: .* 64000000 .*-memory/,
    );
    const { numSend, numRecv } = await jobs.stat();
    assertEquals([numSend, numRecv], [taken, 0]);
    // It is nearly full, with an eighth left for what passes through.
    const { memory, rss } = await statOf(honest, server);
    assert(memory.channels > 0.85 * LIMIT && memory.used <= LIMIT, Deno.inspect(memory));
    assert(rss - before.rss < LIMIT + BESIDE, `${rss - before.rss} bytes more`);
    await works(root);
    await assertFails("BUSY", root.walk("kept").makeProc({ path: "true", keep: 60 * MB }));
    // What is received makes room, and so does a scrub.
    for (let i = 0; i < 20; i++) assertEquals(await jobs.recvBytes(), MESSAGE);
    await jobs.sendBytes(MESSAGE);
    await jobs.scrub();
    assertEquals((await statOf(honest, server)).memory.channels, 0);
  }
});

circuitTest("stk and peek tell what a server may hold and holds", async (logs) => {
  await using server = await RunningServer.start({ logs, args: ["-memory", `${LIMIT}`] });
  const at = ["-d", server.address];
  await run(["mkchan", ...at, `${server.path}/c`, "1"]);
  await run(["send", ...at, `${server.path}/c`], { stdin: MESSAGE });
  const { Memory } = JSON.parse(await run(["peek", ...at, server.path]));
  assertEquals(Memory.limit, LIMIT);
  assert(Memory.channels > MESSAGE.length && Memory.calls > 0, JSON.stringify(Memory));
  const text = await run(["stk", ...at, server.path]);
  assertMatch(text, /^held for clients: 0\.0 MB of 64\.0 MB, channels 0\.0 MB, outputs/m);
  const { budget } = JSON.parse(await run(["stk", "-json", ...at, server.path]));
  assertEquals([budget.limit, budget.channels], [LIMIT, Memory.channels]);
});

circuitTest("start -memory takes a number of bytes, and not too few", async () => {
  for (const value of ["0", "1000", "half", "-1"]) {
    const { code, stderr } = await tool(["start", "-a", "127.0.0.1:0", "-memory", value]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, /-memory needs a number, 1048576 at least/);
  }
});

Deno.test("startServer() refuses a memory that is no number of bytes, or too small", async () => {
  for (const memory of [0, 1024 * 1024 - 1, 2e6 + 0.5, NaN, Infinity, -1]) {
    const error = await assertFails("BAD_REQUEST", startServer({ addr: "127.0.0.1:0", memory }));
    assertMatch(error.message, /bytes of memory for its clients: want a whole number, 1048576 at/);
  }
});
