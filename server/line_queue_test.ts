import { assertEquals, assertMatch } from "@std/assert";
import { LineQueue, type LineQueueOptions } from "./line_queue.ts";

/** A place for bytes that takes them when it is told to, as many as it is told to, or fails. */
class Gate {
  text = "";
  #take = Promise.withResolvers<number | Error>();
  #asked = Promise.withResolvers<void>();

  /** Resolves when a write waits. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.#asked.resolve();
    const most = await this.#take.promise;
    this.#take = Promise.withResolvers();
    this.#asked = Promise.withResolvers();
    if (most instanceof Error) throw most;
    const taken = bytes.subarray(0, most);
    this.text += new TextDecoder().decode(taken);
    return taken.length;
  }

  /** Answers the write that waits, or the next. */
  async answer(how: number | Error): Promise<void> {
    await this.asked;
    this.#take.resolve(how);
    // The queue goes on in the same turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const OPTIONS: LineQueueOptions = {
  dropped: (count) => `${count} lines dropped`,
  failed() {},
};

async function closed(queue: LineQueue, gate: Gate): Promise<void> {
  const closing = queue.close(60_000);
  const done = closing.then(() => true);
  // Whatever is left is taken.
  while (!await Promise.race([done, gate.asked.then(() => false)])) await gate.answer(Infinity);
}

Deno.test("LineQueue writes lines in order, however little is taken at a time", async () => {
  const gate = new Gate();
  const queue = new LineQueue(gate, OPTIONS);
  for (const line of ["one", "two", "thrée"]) queue.add(line);
  for (let i = 0; i < 5; i++) await gate.answer(3);
  queue.add("four");
  await closed(queue, gate);
  assertEquals(gate.text, "one\ntwo\nthrée\nfour\n");
});

Deno.test("LineQueue drops what comes on top of what may wait, and says where and how many", async () => {
  const gate = new Gate();
  const queue = new LineQueue(gate, { ...OPTIONS, maxWaiting: 40 });
  queue.add("12345");
  for (let i = 0; i < 37; i++) queue.add("x".repeat(100));
  queue.add("1");
  await gate.answer(Infinity);
  queue.add("next");
  await closed(queue, gate);
  assertEquals(gate.text, "12345\n38 lines dropped\nnext\n");
});

Deno.test("LineQueue tries again after a failure, with each line once, and reports it once", async () => {
  const gate = new Gate();
  const failures: unknown[] = [];
  const queue = new LineQueue(gate, { ...OPTIONS, failed: (error) => failures.push(error) });
  queue.add("one");
  await gate.answer(2);
  const full = new Error("no space left on device");
  await gate.answer(full);
  queue.add("two");
  await gate.answer(full);
  await closed(queue, gate);
  assertEquals(gate.text, "one\ntwo\n");
  assertEquals(failures, [full]);
});

Deno.test("LineQueue does not report that it has to wait, or that nothing was taken", async () => {
  const gate = new Gate();
  const failures: unknown[] = [];
  const queue = new LineQueue(gate, { ...OPTIONS, failed: (error) => failures.push(error) });
  queue.add("one");
  await gate.answer(new Deno.errors.WouldBlock("try again"));
  assertEquals(failures, []);
  await gate.answer(0);
  assertMatch(String(failures), /nothing was written/);
  await closed(queue, gate);
  assertEquals(gate.text, "one\n");
});

Deno.test("LineQueue.close() gives up a write that never ends, and takes nothing after it", async () => {
  const gate = new Gate();
  const queue = new LineQueue(gate, OPTIONS);
  queue.add("one");
  await queue.close(10);
  queue.add("two");
  await gate.answer(Infinity);
  assertEquals(gate.text, "one\n");
});

Deno.test("LineQueue writes at most 64 KiB at once, and whole lines where they fit", async () => {
  const lengths: number[] = [];
  let text = "";
  const queue = new LineQueue({
    write(bytes) {
      lengths.push(bytes.length);
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  }, OPTIONS);
  const lines = Array.from({ length: 200 }, (_, i) => String(i).padEnd(1_000, "."));
  lines.push("x".repeat(200_000));
  for (const line of lines) queue.add(line);
  await queue.close(60_000);
  assertEquals(text, lines.map((line) => `${line}\n`).join(""));
  assertEquals(Math.max(...lengths), 64 * 1024);
  // The first write has the first line, and the next few whole ones.
  assertEquals(lengths.slice(0, 4), [1_001, 65_065, 65_065, 65_065]);
});
