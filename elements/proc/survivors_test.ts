import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { Hosted, PATH } from "./_testing/hosted.ts";
import {
  type Child,
  formatChild,
  formatChildren,
  parseChildren,
  startTimes,
  survivors,
} from "./survivors.ts";

const CHILD: Child = { path: "/X1/a\n", pid: 7, start: "99", command: ["/bin/echo", "a b", '"'] };

Deno.test("parseChildren() reads what formatChildren() wrote", () => {
  for (const children of [[], [CHILD], [CHILD, { ...CHILD, pid: 8, command: ["x"] }]]) {
    assertEquals(parseChildren(formatChildren(children.map(formatChild))), children);
  }
});

Deno.test("formatChild() records the beginning of a command that is very long", () => {
  const command = ["sh", "-c", "x".repeat(100_000), "y", ""];
  const line = formatChild({ ...CHILD, command });
  assert(line.length < 2_000, line);
  const [child] = parseChildren(formatChildren([line]));
  assertEquals(child?.command.slice(0, 2), ["sh", "-c"]);
  assert("x".repeat(100_000).startsWith(child?.command[2] ?? "-"));
});

Deno.test("parseChildren() refuses what was cut off or is something else", () => {
  const text = formatChildren([formatChild(CHILD)]);
  const wrong = [
    "",
    "[]",
    "{}",
    text.slice(0, -4),
    text.replace("7", '"7"'),
    text.replace("7", "0"),
  ];
  for (const each of wrong) {
    const error = assertThrows(() => parseChildren(each), CircuitError);
    assertEquals(error.code, "BAD_REQUEST");
    assertStringIncludes(error.message, "record of children");
  }
});

Deno.test("survivors() finds those that are still the same", async () => {
  await using hosted = await Hosted.start({ path: "sleep", args: ["1000"] });
  const { pid } = hosted.element;
  assertEquals(hosted.element.identity(), { path: PATH, pid, command: ["sleep", "1000"] });
  const start = (await startTimes([pid])).get(pid) ?? "";
  const child = { ...hosted.element.identity(), start };
  const another = { ...child, start: `${child.start}1` };
  const untold = { ...child, start: "" };
  assertEquals(await survivors([another, child, untold]), [child]);
  await hosted.signal("STOP");
  assertEquals(await survivors([child]), [child]);
  await hosted.signal("KILL");
  await hosted.wait();
  assertEquals(await survivors([child]), []);
});
