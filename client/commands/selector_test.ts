import { assertEquals, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import type { Anchor } from "../types.ts";
import { UsageError } from "./command.ts";
import { parseSelector, select } from "./selector.ts";

const PATHS = ["/X1111111111111111", "/X1122222222222222", "/X2222222222222222"];

function selected(selector: string, paths: readonly string[] = PATHS): string[] {
  const servers = paths.map((path) => ({ path }) as Anchor);
  return select(parseSelector(selector), servers).map(({ path }) => path);
}

Deno.test("parseSelector() and select() take /, paths and prefixes, parted by commas", () => {
  const [a, b, c] = PATHS as [string, string, string];
  assertEquals(selected("/"), PATHS);
  assertEquals(selected("//"), PATHS);
  assertEquals(selected(a), [a]);
  assertEquals(selected(`${a}/`), [a]);
  assertEquals(selected("/X11"), [a, b]);
  assertEquals(selected("/X112"), [b]);
  assertEquals(selected(`${c},${a}`), [a, c]);
  assertEquals(selected("/X11,/X1,/X112"), [a, b]);
});

Deno.test("select() names what stands for no server, and the servers", () => {
  const error = assertThrows(() => selected("/X1,/X3"), CircuitError);
  assertEquals(error.code, "NOT_FOUND");
  assertEquals(
    error.message,
    `no server's path begins with "/X3"; the servers are ${PATHS.join(", ")}`,
  );
  const alone = assertThrows(() => selected("/Y", ["/X1"]), CircuitError);
  assertEquals(alone.message, `no server's path begins with "/Y"; the only server is /X1`);
  const many = Array.from({ length: 25 }, (_, i) => `/X${i}`);
  const cut = assertThrows(() => selected("/Y", many), CircuitError);
  assertEquals(cut.message.endsWith("/X9 and 15 more"), true);
});

Deno.test("parseSelector() refuses what is no selector", () => {
  const wrong: [string, string][] = [
    ["", "SELECTOR is empty"],
    ["/X1,,/X2", 'SELECTOR has an empty part: "/X1,,/X2"'],
    ["X1", 'SELECTOR must begin with /, as in "/X1", not "X1"'],
    ["/X1/jobs", 'SELECTOR names servers, as in "/X1", and not what is on one: "/X1/jobs"'],
  ];
  for (const [selector, message] of wrong) {
    assertEquals(assertThrows(() => parseSelector(selector), UsageError).message, message);
  }
});
