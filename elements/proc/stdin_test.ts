import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { settle } from "../_testing/settle.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { encode, eventually, Hosted, over, readText, readUntil, shell } from "./_testing/hosted.ts";
import { STDIN_WINDOW_BYTES } from "./stdin.ts";

Deno.test("stdin() reaches the process, and its end closes it", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const output = readText(hosted.call("stdout"));
  await hosted.feed("hello\n");
  assertEquals(await output, "hello\n");
  assertEquals((await hosted.wait()).exit, null);
});

Deno.test("stdin() is answered at once, and ends after the pipe was closed", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const writer = hosted.call("stdin");
  assert(writer.answered);
  await settle();
  assert(!writer.finished);
  writer.end();
  assertEquals(await writer.read(), undefined);
  assertEquals((await hosted.wait()).phase, "exited");
  assertEquals(writer.error, undefined);
});

Deno.test("stdin() joins and orders many small writes", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const output = readText(hosted.call("stdout"));
  const lines = Array.from({ length: 5_000 }, (_, index) => `${index}\n`);
  const writer = hosted.call("stdin");
  for (const line of lines) await writer.write(encode(line));
  writer.end();
  assertEquals(await output, lines.join(""));
});

Deno.test("stdin() takes one writer at a time, and any number in turn", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const output = hosted.call("stdout");
  const first = hosted.call("stdin");
  await first.write(encode("first\n"));
  const second = await assertRejects(() => hosted.call("stdin").reply(), CircuitError);
  assertEquals(second.code, "BUSY");
  await readUntil(output, "first\n");
  first.goAway();
  await hosted.feed("third\n");
  await readUntil(output, "third\n");
  const late = await assertRejects(() => hosted.call("stdin").reply(), CircuitError);
  assertEquals(late.code, "CLOSED");
  output.cancel();
});

Deno.test("stdin() lets a writer send a window, and no more than the process takes", async () => {
  await using hosted = await shell("read go; exec cat", { keep: 1000 });
  const writer = hosted.call("stdin");
  assertEquals(writer.allowed, STDIN_WINDOW_BYTES);
  await writer.write(encode("x".repeat(200_000)));
  // What was not written to the pipe is not granted again, and a pipe has an end.
  const most = STDIN_WINDOW_BYTES + 100_000;
  const rest = writer.write(encode("y".repeat(2_000_000)));
  await settle();
  assert(writer.sent <= most, `${writer.sent} sent`);
  writer.goAway();
  await assertRejects(() => rest, CircuitError);
});

Deno.test("stdin() goes on with the next writer behind the write of one that went away", async () => {
  await using hosted = await shell("kill -STOP $$; exec cat");
  await eventually(async () => (await hosted.peek()).phase === "stopped");
  const first = hosted.call("stdin");
  await first.write(new Uint8Array(200_000).fill(97));
  await settle();
  first.goAway();
  const next = hosted.call("stdin");
  await next.write(encode("end\n"));
  next.end();
  await hosted.signal("CONT");
  const output = await hosted.text("stdout");
  assert(/^a+end\n$/.test(output), `${output.length} bytes`);
});

Deno.test("stdin() fails with CLOSED when the process exits", async () => {
  await using hosted = await shell("read line; exit 3");
  const writer = hosted.call("stdin");
  await writer.write(encode("line\n"));
  const error = await assertRejects(() => writer.readAll(), CircuitError);
  assertEquals(error.code, "CLOSED");
  assertStringIncludes(error.message, "exit status 3");
  const later = await assertRejects(() => hosted.call("stdin").reply(), CircuitError);
  assertEquals(later.code, "CLOSED");
  assertStringIncludes(later.message, "exit status 3");
});

Deno.test("stdin() fails with CLOSED when the process has closed it", async () => {
  await using hosted = await shell("echo closed; exec sleep 1000 <&-");
  await readUntil(hosted.call("stdout"), "closed\n");
  const writer = hosted.call("stdin");
  const write = writer.write(encode("x".repeat(1_000_000)));
  const error = await assertRejects(() => write, CircuitError);
  assertEquals(error.code, "CLOSED");
  assertStringIncludes(error.message, "closed its standard input");
  assertEquals((await hosted.peek()).phase, "running");
});

Deno.test("stdin() of a blocked process is given up by scrub", async () => {
  await using hosted = await Hosted.start({ path: "sleep", args: ["1000"] });
  const writer = hosted.call("stdin");
  const write = writer.write(encode("x".repeat(1_000_000)));
  await eventually(() => writer.credit === 0);
  hosted.scrub();
  const error = await assertRejects(() => write, CircuitError);
  assertEquals(error.code, "ABORTED");
  await over(writer);
});
