import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Budget } from "../../overlay/budget.ts";
import { callPair } from "../_testing/call_pair.ts";
import { settle } from "../_testing/settle.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { encode, eventually, Hosted, over, readText, readUntil, shell } from "./_testing/hosted.ts";
import { KeptOutput } from "./kept.ts";

/** A pipe that the test writes to. */
function pipe() {
  const { readable, writable } = new TransformStream<Uint8Array>();
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value.slice());
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
  return { stream, write: (bytes: Uint8Array) => writer.write(bytes), end: () => writer.close() };
}

Deno.test("keep lets the process run to its end though nobody reads", async () => {
  await using hosted = await shell("seq 1 200000; seq 1 200000 >&2", { keep: 100 });
  assertEquals((await hosted.wait()).exit, null);
  const expected = "9996\n199997\n199998\n199999\n200000\n";
  for (const stream of ["stdout", "stderr"] as const) {
    await eventually(async () => (await hosted.text(stream)).endsWith(expected));
    assertEquals((await hosted.text(stream)).length, 100);
  }
});

Deno.test("keep gives every reader what is kept and what comes, until the end", async () => {
  await using hosted = await shell("echo one; exec cat", { keep: 1_000_000 });
  const first = hosted.call("stdout");
  await readUntil(first, "one\n");
  const second = hosted.call("stdout");
  const third = hosted.call("stdout");
  const leaving = hosted.call("stdout");
  await readUntil(leaving, "one\n");
  leaving.goAway();
  const rest = Promise.all([readText(first), readText(second), readText(third)]);
  await hosted.feed("two\n");
  assertEquals(await rest, ["two\n", "one\ntwo\n", "one\ntwo\n"]);
  assertEquals((await hosted.wait()).phase, "exited");
  assertEquals(await hosted.text("stdout"), "one\ntwo\n");
  assertEquals(await hosted.text("stdout"), "one\ntwo\n");
});

Deno.test("keep shows readers that follow everything, however little is kept", async () => {
  const source = pipe();
  const output = new KeptOutput("the stdout of /a", source.stream, 10, new Budget().outputs);
  const { call, caller } = callPair({ window: 1_000_000 });
  output.serve(call);
  let seen = 0;
  for (let round = 0; round < 200; round++) {
    await source.write(new Uint8Array(1000));
    for (let more = 1000; more > 0;) {
      const bytes = await caller.read();
      more -= bytes?.length ?? 0;
      seen += bytes?.length ?? 0;
    }
  }
  assertEquals(seen, 200_000);
  await source.end();
  assertEquals(await caller.read(), undefined);
});

Deno.test("keep fails a reader that falls behind, saying how much it missed", async () => {
  const source = pipe();
  const output = new KeptOutput("the stdout of /a", source.stream, 1000, new Budget().outputs);
  const { call, caller } = callPair({ window: 10 });
  output.serve(call);
  await source.write(encode("0123456789"));
  assertEquals(await caller.read(), encode("0123456789"));
  for (let round = 0; round < 300; round++) await source.write(new Uint8Array(1000));
  await settle();
  let seen = 10;
  const error = await assertRejects(async () => {
    for (;;) seen += (await caller.read())?.length ?? 0;
  }, CircuitError);
  assertEquals(error.code, "ABORTED");
  const missed = Number(/missed (\d+) bytes/.exec(error.message)?.[1]);
  assertStringIncludes(error.message, "the last 1000 are kept");
  // What it saw, what it missed, and what is still held make up the whole.
  const held = 300_010 - seen - missed;
  assert(held >= 1000 && held <= 1000 + 3 * 65536, `${held} held`);
  const { call: next, caller: recovered } = callPair();
  output.serve(next);
  await source.end();
  assertEquals((await recovered.readAll()).length, 1000);
});

Deno.test("keep survives a scrub neither in memory nor for readers", async () => {
  await using hosted = await shell("echo one; exec cat", { keep: 1000 });
  const reader = hosted.call("stdout");
  await readUntil(reader, "one\n");
  hosted.scrub();
  const error = await assertRejects(() => reader.readAll(), CircuitError);
  assertEquals(error.code, "ABORTED");
  await over(reader);
});

Deno.test("keep with scrub lets who reads at the exit read to the end", async () => {
  await using hosted = await shell("read go; seq 1 50000", { keep: 1_000_000, scrub: true });
  const reader = hosted.call("stdout");
  await hosted.feed("go\n");
  await hosted.wait().catch(() => {});
  const text = await readText(reader);
  assert(text.endsWith("\n49999\n50000\n"));
  assertEquals(text.split("\n").length, 50_001);
  assert(hosted.removed);
});

Deno.test("keep reads on while a grandchild prints", async () => {
  await using hosted = await Hosted.start({
    path: "/bin/sh",
    args: ["-c", "(seq 1 100000) & exit 0"],
    keep: 16,
  });
  await hosted.element.released;
  assertEquals(await hosted.text("stdout"), "\n99998\n99999\n100000\n".slice(-16));
});
