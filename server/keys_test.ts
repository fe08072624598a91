import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CircuitError } from "../overlay/errors.ts";
import { startServer } from "./server.ts";

const KEY = new Uint8Array(64).fill(1);

async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await assertRejects(() => work, CircuitError);
  assertEquals(error.code, "BAD_REQUEST");
  assertMatch(error.message, message);
}

Deno.test("startServer() takes no key that is not one", async () => {
  const keys = [KEY, new Uint8Array(32)];
  await refused(startServer({ addr: "127.0.0.1:0", keys }), /a key of 32 bytes: .* has 64/);
});

Deno.test("setKeys() takes keys in the place of keys, and nothing else", async () => {
  const log: string[] = [];
  await using server = await startServer({
    addr: "127.0.0.1:0",
    keys: [KEY],
    log: (level, line) => void log.push(`${level} ${line}`),
  });
  await refused(server.setKeys([]), /cannot begin or cease to have a key/);
  await refused(server.setKeys([new Uint8Array(63)]), /a key of 63 bytes/);
  await server.setKeys([new Uint8Array(64), KEY]);
  const keys = log.filter((line) => line.startsWith("info key"));
  assertMatch(keys[0] ?? "", /^info key [0-9a-f]{8}$/);
  assertMatch(keys[1] ?? "", /^info key f5a5fd42, also accepted [0-9a-f]{8}$/);

  await using keyless = await startServer({ addr: "127.0.0.1:0" });
  await keyless.setKeys([]);
  await refused(keyless.setKeys([KEY]), /cannot begin or cease to have a key/);
});
