import { assertEquals } from "@std/assert";
import { takes } from "./binfmt.ts";
import { type Format, formatOf, HEAD_BYTES } from "./executable.ts";

const X86 = { os: "linux", arch: "x86_64" };

/** An ELF header, with some of its bytes changed. */
function elf(changes: Readonly<Record<number, number>> = {}): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // Position-independent, for x86-64; 13 program headers of 56 bytes at 64.
  Object.entries({ 16: 3, 18: 62, 32: 64, 54: 56, 56: 13, ...changes })
    .forEach(([at, byte]) => head[Number(at)] = byte);
  return head;
}

/** What a text is. */
function text(content: string): Format {
  const bytes = new TextEncoder().encode(content);
  return formatOf(bytes.subarray(0, HEAD_BYTES), bytes.length, X86);
}

/** What is refused, by a word of the reason. */
function refusal(format: Format): string {
  return typeof format === "object" && "refused" in format ? format.refused : `${format}`;
}

Deno.test("formatOf() takes programs of this machine", () => {
  assertEquals(formatOf(elf(), 10_000, X86), "program");
  assertEquals(formatOf(elf({ 16: 2 }), 10_000, X86), "program");
  assertEquals(formatOf(elf({ 18: 183 }), 10_000, { os: "linux", arch: "aarch64" }), "program");
  const i386 = elf({ 4: 1, 18: 3, 28: 52, 42: 32, 44: 9 });
  assertEquals(formatOf(i386, 10_000, { ...X86, i386: true }), "program");
  assertEquals(refusal(formatOf(i386, 10_000, X86)).includes("another kind of machine"), true);
});

Deno.test("formatOf() refuses what the system would not execute", () => {
  const cases: [string, Uint8Array, number][] = [
    ["another kind of machine", elf({ 18: 183 }), 10_000],
    ["another kind of machine", elf({ 5: 2, 18: 0, 19: 62 }), 10_000],
    // A relocatable file, as a compiler makes; a core dump.
    ["not a program", elf({ 16: 1 }), 10_000],
    ["not a program", elf({ 16: 4 }), 10_000],
    ["damaged", elf({ 4: 0 }), 10_000],
    ["damaged", elf({ 54: 55 }), 10_000],
    ["damaged", elf({ 56: 0 }), 10_000],
    ["cut off", elf(), 200],
    ["cut off", elf().subarray(0, 30), 30],
    ["not an executable", new Uint8Array(100), 100],
    ["not an executable", new Uint8Array(), 0],
  ];
  for (const [word, head, size] of cases) {
    const said = refusal(formatOf(head, size, X86));
    assertEquals(said.includes(word), true, `${word}: ${said}`);
  }
  assertEquals(refusal(text("echo hi\n")).includes("not an executable"), true);
});

Deno.test("formatOf() finds a script's interpreter as Linux does", () => {
  assertEquals(text("#!/bin/sh\n"), { interpreter: "/bin/sh" });
  assertEquals(text("#! \t/usr/bin/env -S deno run\nx"), { interpreter: "/usr/bin/env" });
  assertEquals(text("#!/bin/sh"), { interpreter: "/bin/sh" });
  assertEquals(text("#!/bin/sh\r\n"), { interpreter: "/bin/sh\r" });
  assertEquals(refusal(text("#!  \n")).includes("interpreter"), true);
  assertEquals(refusal(text(`#!/${"x".repeat(300)}\n`)).includes("256 bytes"), true);
  assertEquals(text(`#!/bin/sh ${"x".repeat(300)}\n`), { interpreter: "/bin/sh" });
});

Deno.test("takes() knows what Linux was told to execute", () => {
  const qemu =
    "enabled\ninterpreter /usr/bin/qemu\nflags: F\noffset 0\nmagic 7f454c46\nmask fffffffe\n";
  assertEquals(takes(qemu, "/a", elf()), true);
  assertEquals(takes(qemu, "/a", new Uint8Array([0x7f, 0x45, 0x4c, 0x47])), true);
  assertEquals(takes(qemu, "/a", new Uint8Array([0x7f, 0x45, 0x4d])), false);
  assertEquals(takes(qemu.replace("enabled", "disabled"), "/a", elf()), false);
  const named = "enabled\ninterpreter /usr/bin/wine\nflags: \nextension .exe\n";
  assertEquals([takes(named, "/a.exe", elf()), takes(named, "/a", elf())], [true, false]);
});
