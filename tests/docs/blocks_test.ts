import { assert, assertEquals, assertThrows } from "@std/assert";
import { blocksOf, printed } from "./blocks.ts";

Deno.test("blocksOf() finds commands with what they print", () => {
  const page = "Text.\n\n```sh\ncircuit ls /\n```\n\nprints\n\n    /X1\n\n    /X2\n\nand\n\n" +
    "```sh fails\nfalse\n```\n\n```text\nno\n```\n\n```ts\nconst a = 1;\n```\n";
  assertEquals(blocksOf(page), [
    { language: "sh", code: "circuit ls /\n", output: "/X1\n\n/X2\n", fails: false, line: 4 },
    { language: "sh", code: "false\n", output: "no\n", fails: true, line: 16 },
    { language: "ts", code: "const a = 1;\n", output: undefined, fails: false, line: 24 },
  ]);
});

Deno.test("blocksOf() refuses a language that nobody runs", () => {
  assertThrows(() => blocksOf("```bash\nls\n```\n"), Error, "bash");
});

Deno.test("printed() takes … for what differs from run to run", () => {
  const pattern = printed('{\n\t"Pid": …,\n…\n}\n');
  assert(pattern.test('{\n\t"Pid": 12,\n\ta\n\tb\n}\n'));
  assert(pattern.test('{\n\t"Pid": 12,\n}\n'));
  assert(!pattern.test('{\n\t"Pid": 12,\n}\nmore\n'));
  assert(!printed("a.c\n").test("abc\n"));
});
