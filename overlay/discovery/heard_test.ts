import { assertEquals } from "@std/assert";
import { Heard, MAX_HEARD, REPORT_AGAIN_MS } from "./heard.ts";

Deno.test("Heard.isNews() is true for the new, the moved, and again after a while", () => {
  const heard = new Heard();
  const server = { id: "X0000000000000001", address: "a:1" };
  assertEquals(heard.isNews(server, 0), true);
  heard.reported(server, 0);
  assertEquals(heard.isNews(server, REPORT_AGAIN_MS - 1), false);
  assertEquals(heard.isNews({ ...server, address: "b:1" }, 1), true);
  assertEquals(heard.isNews(server, REPORT_AGAIN_MS), true);
});

Deno.test("Heard forgets the oldest beyond MAX_HEARD", () => {
  const heard = new Heard();
  for (let i = 0; i <= MAX_HEARD; i++) heard.reported({ id: `X${i}`, address: "a:1" }, 0);
  assertEquals(heard.size, MAX_HEARD);
  assertEquals(heard.isNews({ id: "X0", address: "a:1" }, 0), true);
  assertEquals(heard.isNews({ id: "X1", address: "a:1" }, 0), false);
});
