import { assertEquals, assertRejects } from "@std/assert";
import type { CircuitError } from "../../overlay/errors.ts";
import { parseMounts } from "./mounts.ts";
import { Patience } from "./patience.ts";

/** Milliseconds after which the looks of these tests are given up. */
const SHORT_MS = 20;

Deno.test("ask() gives up a look that hangs, and goes on when it returns after all", async () => {
  const patience = new Patience(SHORT_MS);
  const hangs = Promise.withResolvers<string>();
  for (let i = 0; i < 10; i++) {
    const error = await assertRejects(() => patience.ask("/dead/x", () => hangs.promise));
    assertEquals((error as CircuitError).code, "TIMEOUT");
    assertEquals((error as CircuitError).message.includes('"/dead/x"'), true);
  }
  // Another place is none the worse, and this one neither once it answers.
  assertEquals(await patience.ask("/alive/x", () => Promise.resolve("yes")), "yes");
  hangs.resolve("late");
  assertEquals(await patience.ask("/dead/x", () => Promise.resolve("again")), "again");
});

Deno.test("ask() lets few looks at a place hang at a time", async () => {
  const patience = new Patience(SHORT_MS);
  const hangs = Promise.withResolvers<void>();
  let begun = 0;
  const looks = Array.from({ length: 100 }, () =>
    patience.ask("/dead/x", () => {
      begun++;
      return hangs.promise;
    }).catch((error) => error.code));
  assertEquals(new Set(await Promise.all(looks)), new Set(["TIMEOUT"]));
  assertEquals(begun, 2);
  hangs.resolve();
  await patience.ask("/dead/x", () => Promise.resolve());
});

Deno.test("ask() runs all of many looks, and passes on what they fail with", async () => {
  const patience = new Patience();
  const seen = await Promise.all(
    Array.from({ length: 100 }, (_, i) => patience.ask("/a/x", () => Promise.resolve(i))),
  );
  assertEquals(seen.length, 100);
  await assertRejects(
    () => patience.ask("/a/x", () => Promise.reject(new Deno.errors.NotFound("no"))),
    Deno.errors.NotFound,
  );
});

Deno.test("parseMounts() reads points, kinds and whether programs run from them", () => {
  const text = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n" +
    "40 22 0:30 / /mnt/a\\040b rw,nosuid,noexec - tmpfs none rw\n";
  assertEquals(parseMounts(text), [
    { point: "/", executes: true, type: "ext4" },
    { point: "/mnt/a b", executes: false, type: "tmpfs" },
  ]);
});
