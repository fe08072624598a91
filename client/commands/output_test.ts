import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HIGH_WATER_BYTES, Output, OutputClosed } from "./output.ts";

/** A sink that is as slow as the test wants: writes wait until they are let through. */
class Gate {
  readonly writes: Uint8Array[] = [];
  readonly #pending: { done: PromiseWithResolvers<number>; size: number }[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(bytes.slice());
    const done = Promise.withResolvers<number>();
    this.#pending.push({ done, size: bytes.length });
    return done.promise;
  }

  /** Lets the oldest write through, or these many bytes of it. */
  pass(size?: number): void {
    const next = this.#pending.shift();
    next?.done.resolve(size ?? next.size);
  }

  fail(error: Error): void {
    this.#pending.shift()?.done.reject(error);
  }

  get texts(): string[] {
    return this.writes.map((bytes) => new TextDecoder().decode(bytes));
  }
}

/** Lets everything happen that can without a sink. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function bytes(size: number, fill = 0): Uint8Array {
  return new Uint8Array(size).fill(fill);
}

Deno.test("Output writes the first line at once and gathers the rest meanwhile", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  output.line("one");
  await turn();
  output.line("two");
  output.line("drei·");
  await turn();
  assertEquals(gate.texts, ["one\n"]);
  gate.pass();
  await turn();
  assertEquals(gate.texts, ["one\n", "two\ndrei·\n"]);
  gate.pass();
  await output.flush();
});

Deno.test("Output gathers small pieces, keeps the order, and leaves large ones alone", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  await output.write(bytes(3, 1));
  output.line("x");
  await output.write(bytes(2, 2));
  await output.write(bytes(128 * 1024, 3));
  await output.write(bytes(1, 4));
  for (let i = 0; i < 4; i++) {
    await turn();
    gate.pass();
  }
  await output.flush();
  const [first, second, third, fourth] = gate.writes;
  assertEquals(gate.writes.map((each) => each.length), [3, 4, 128 * 1024, 1]);
  assertEquals(first, new Uint8Array([1, 1, 1]));
  assertEquals(second, new Uint8Array([120, 10, 2, 2]));
  assertEquals(third?.at(-1), 3);
  assertEquals(fourth, new Uint8Array([4]));
});

Deno.test("Output holds its caller when too much waits, and goes on", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  const half = HIGH_WATER_BYTES / 2;
  await output.write(bytes(half));
  await turn();
  await output.write(bytes(half));
  let held = true;
  const last = output.write(bytes(half)).then(() => held = false);
  await turn();
  assertEquals(held, true);
  gate.pass();
  await last;
  gate.pass();
  await turn();
  gate.pass();
  await output.flush();
  assertEquals(gate.writes.length, 3);
});

Deno.test("Output holds who writes lines when too much waits", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  let full: Promise<void> | undefined;
  let lines = 0;
  while (!full) {
    full = output.line("x".repeat(1023));
    lines++;
  }
  assertEquals(lines, HIGH_WATER_BYTES / 1024);
  await turn();
  gate.pass();
  await full;
  await output.flush();
});

Deno.test("Output writes what a partial write left over", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  output.line("hello");
  await turn();
  gate.pass(2);
  await turn();
  gate.pass();
  await output.flush();
  assertEquals(gate.texts, ["hello\n", "llo\n"]);
});

Deno.test("Output says that its reader has gone, also to who is held", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  const held = output.write(bytes(HIGH_WATER_BYTES + 1)).then(() => output.write(bytes(1)));
  const refused = assertRejects(() => held, OutputClosed);
  await turn();
  gate.fail(new Deno.errors.BrokenPipe("Broken pipe (os error 32)"));
  await refused;
  await assertRejects(() => output.flush(), OutputClosed);
  assertThrows(() => output.line("x"), OutputClosed);
});

Deno.test("Output lets go of everyone who is held", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  const first = output.write(bytes(HIGH_WATER_BYTES));
  const second = output.write(bytes(HIGH_WATER_BYTES));
  await turn();
  gate.pass();
  await turn();
  gate.pass();
  await Promise.all([first, second, output.flush()]);
});

Deno.test("Output that is given up holds nobody, whatever the sink does", async () => {
  const output = new Output(new Gate());
  const held = assertRejects(() => output.write(bytes(HIGH_WATER_BYTES)), OutputClosed);
  const flushed = assertRejects(() => output.flush(), OutputClosed);
  await turn();
  output.abandon();
  await Promise.all([held, flushed]);
  assertThrows(() => output.line("x"), OutputClosed);
});

Deno.test("Output passes other errors on", async () => {
  const gate = new Gate();
  const output = new Output(gate);
  output.line("x");
  const flushed = assertRejects(() => output.flush(), Error, "No space left");
  await turn();
  gate.fail(new Error("No space left on device"));
  await flushed;
});
