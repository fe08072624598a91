import { assert, assertEquals, assertRejects } from "@std/assert";
import { Budget } from "../../overlay/budget.ts";
import { callPair, concat } from "../_testing/call_pair.ts";
import { settle } from "../_testing/settle.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { eventually, Hosted, readText, readUntil, shell } from "./_testing/hosted.ts";
import { READ_AHEAD_BYTES, SingleReaderOutput } from "./output.ts";

/** A pipe that always has more, and counts what was taken from it. */
function endless() {
  let taken = 0;
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller: ReadableByteStreamController) {
      const length = controller.byobRequest?.view?.byteLength ?? 0;
      taken += length;
      controller.byobRequest?.respond(length);
    },
  });
  return { stream, taken: () => taken };
}

/** `seq 1 COUNT`, as it is printed. */
function sequence(count: number): string {
  let text = "";
  for (let number = 1; number <= count; number++) text += `${number}\n`;
  return text;
}

Deno.test("stdout() and stderr() give what the process prints, to the end", async () => {
  await using hosted = await shell("echo out; echo err >&2; echo more");
  assertEquals(await hosted.text("stdout"), "out\nmore\n");
  assertEquals(await hosted.text("stderr"), "err\n");
  assertEquals(await hosted.text("stdout"), "");
});

Deno.test("stdout() can be read after the process has exited", async () => {
  await using hosted = await shell("echo out");
  await hosted.wait();
  assertEquals(await hosted.text("stdout"), "out\n");
  assertEquals(await hosted.text("stdout"), "");
  assertEquals(await hosted.text("stderr"), "");
});

Deno.test("stdout() gives output as it comes", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const reader = hosted.call("stdout");
  const writer = hosted.call("stdin");
  for (const line of ["a\n", "b\n", "c\n"]) {
    await writer.write(new TextEncoder().encode(line));
    assertEquals(await readUntil(reader, "\n"), line);
  }
});

Deno.test("stdout() takes one reader at a time", async () => {
  await using hosted = await Hosted.start({ path: "cat" });
  const first = hosted.call("stdout");
  const error = await assertRejects(() => hosted.call("stdout").reply(), CircuitError);
  assertEquals(error.code, "BUSY");
  first.goAway();
  const second = hosted.call("stdout");
  await hosted.feed("x");
  assertEquals(await readText(second), "x");
});

Deno.test("stdout() is not read before somebody asks", async () => {
  const source = endless();
  const output = new SingleReaderOutput("the stdout of /a", source.stream, new Budget().outputs);
  await settle();
  assertEquals(source.taken(), 0);
  const { call, caller } = callPair();
  output.serve(call);
  await settle();
  // The caller's window, what is read ahead, and the read that went over it.
  assert(source.taken() <= 32 * 1024 + 2 * READ_AHEAD_BYTES, `${source.taken()} taken`);
  caller.goAway();
  const before = source.taken();
  await settle();
  assertEquals(source.taken(), before);
});

Deno.test("stdout() of an exited process is taken in as far as a pipe holds", async () => {
  const source = endless();
  const output = new SingleReaderOutput("the stdout of /a", source.stream, new Budget().outputs);
  output.exited();
  await settle();
  assert(
    source.taken() > 0 && source.taken() <= 2 * READ_AHEAD_BYTES + 4096,
    `${source.taken()} taken`,
  );
});

Deno.test("stdout() loses and repeats nothing that was acknowledged, whoever reads", async () => {
  const text = sequence(1_000_000);
  await using hosted = await Hosted.start({ path: "seq", args: ["1", "1000000"] });
  const parts: Uint8Array[] = [];
  for (let reader = 0; reader < 30; reader++) {
    const caller = hosted.call("stdout", undefined, { window: 1 + reader * 4099 });
    for (let reads = 0; reads < reader % 5; reads++) {
      parts.push(await caller.read() ?? assertMore());
    }
    // What has arrived and was not read was not acknowledged either.
    await eventually(() => caller.poll() !== undefined);
    if (reader % 2 === 0) caller.goAway();
    else caller.cancel();
  }
  parts.push(new TextEncoder().encode(await hosted.text("stdout")));
  const read = new TextDecoder().decode(concat(parts));
  assert(read === text, "the parts make up what was printed");
});

function assertMore(): never {
  throw new Error("the output ended too early");
}

Deno.test("stdout() puts back what a reader had not acknowledged", async () => {
  await using hosted = await shell("printf 0123456789; exec cat");
  const first = hosted.call("stdout");
  await eventually(() => first.poll() !== undefined);
  first.grant(4);
  first.goAway();
  await hosted.feed("end");
  assertEquals(await hosted.text("stdout"), "456789end");
});

Deno.test("stdout() waits at its end for the reader to say that it has read everything", async () => {
  await using hosted = await shell("printf 0123456789");
  await hosted.wait();
  const first = hosted.call("stdout");
  await eventually(() => first.finished);
  assertEquals(new TextDecoder().decode(first.poll()), "0123456789");
  const busy = await assertRejects(() => hosted.call("stdout").reply(), CircuitError);
  assertEquals(busy.code, "BUSY");
  first.goAway();
  assertEquals(await hosted.text("stdout"), "0123456789");
  assertEquals(await hosted.text("stdout"), "");
});

Deno.test("stdout() takes the reader's own end for an acknowledgement of everything", async () => {
  await using hosted = await shell("printf 0123456789");
  const first = hosted.call("stdout");
  await eventually(() => first.finished);
  first.poll();
  first.end();
  assertEquals(await hosted.text("stdout"), "");
});

Deno.test("stdout() holds the process back until somebody reads", async () => {
  await using hosted = await shell("head -c 10000000 /dev/zero; echo done >&2");
  const done = hosted.call("stderr");
  const slow = hosted.call("stdout");
  let read = 0;
  while (read < 1_000_000) read += (await slow.read())?.length ?? assertMore();
  assertEquals(done.poll(), undefined);
  slow.goAway();
  assertEquals((await hosted.peek()).phase, "running");
  read += (await hosted.text("stdout")).length;
  assertEquals(read, 10_000_000);
  assertEquals(await readText(done), "done\n");
});

Deno.test("wait() does not wait for a process that has inherited the output", async () => {
  await using hosted = await shell("sleep 1000 & echo $!; exit 4");
  const reader = hosted.call("stdout");
  const heir = Number(await readUntil(reader, "\n"));
  try {
    assertEquals((await hosted.wait()).exit, "exit status 4");
    assert(!reader.finished);
  } finally {
    Deno.kill(heir, "SIGKILL");
  }
  assertEquals(await readText(reader), "");
});
