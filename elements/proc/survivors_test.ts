import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { Hosted, PATH } from "./_testing/hosted.ts";
import { type Child, formatChildren, parseChildren, survivors } from "./survivors.ts";

const CHILD: Child = { path: "/X1/a\n", pid: 7, start: "99", command: ["/bin/echo", "a b", '"'] };

Deno.test("parseChildren() reads what formatChildren() wrote", () => {
  for (const children of [[], [CHILD], [CHILD, { ...CHILD, pid: 8, command: ["x"] }]]) {
    assertEquals(parseChildren(formatChildren(children)), children);
  }
});

Deno.test("parseChildren() refuses what was cut off or is something else", () => {
  const text = formatChildren([CHILD]);
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
  const child = await hosted.element.identity();
  assertEquals(child, {
    path: PATH,
    pid: hosted.element.pid,
    start: child.start,
    command: ["sleep", "1000"],
  });
  const another = { ...child, start: `${child.start}1` };
  const untold = { ...child, start: "" };
  assertEquals(await survivors([another, child, untold]), [child]);
  await hosted.signal("STOP");
  assertEquals(await survivors([child]), [child]);
  await hosted.signal("KILL");
  await hosted.wait();
  assertEquals(await survivors([child]), []);
});
