import { assertEquals } from "@std/assert";
import { oneLine } from "./log.ts";

Deno.test("oneLine() leaves nothing that ends a line or speaks to a terminal", () => {
  assertEquals(
    oneLine("a\n2030-01-01 INFO made up\r\x1b[2J\x9b2J\u2028é \\"),
    "a\\u000a2030-01-01 INFO made up\\u000d\\u001b[2J\\u009b2J\\u2028é \\",
  );
});
