/**
 * Servers inside a program. The test runner itself sees to it that nothing stays open.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dial } from "../../mod.ts";
import { startServer } from "../../server/mod.ts";
import { assertFails } from "../fails.ts";

const ADDR = "127.0.0.1:0";

Deno.test("startServer() starts several servers in one program, and stop() may be repeated", async () => {
  await using one = await startServer({ addr: ADDR });
  const two = await startServer({ addr: ADDR, join: one.address });
  {
    await using client = await dial(one.address);
    const paths = (await client.servers()).map(({ path }) => path);
    assertEquals(paths, [`/${one.serverId}`, `/${two.serverId}`].sort());
  }
  await Promise.all([two.stop(), two.stop()]);
  await two.stop();
  await two.closed;
  await assertFails("UNREACHABLE", dial(two.address));
});

Deno.test("startServer() comes to no harm from a log that throws or rejects", async () => {
  const lines: string[] = [];
  await using one = await startServer({
    addr: ADDR,
    log(_, line) {
      lines.push(line);
      throw new Error("the log's own fault");
    },
  });
  const log = () => Promise.reject(new Error("the log's own fault"));
  await using client = await dial(one.address);
  const joins = await client.anchor(`/${one.serverId}/joins`).makeOnJoin();
  assertEquals(await joins.consume(), `/${one.serverId}`);
  const two = await startServer({ addr: ADDR, join: one.address, log });
  assertEquals(await joins.consume(), `/${two.serverId}`);
  const dns = await client.anchor(`/${one.serverId}/dns`).makeNameserver("127.0.0.1:0");
  await dns.peek();
  const proc = await client.anchor(`/${one.serverId}/a\nb`).makeProc({ path: "true" });
  await proc.wait();
  await two.stop();
  assert(lines.some((line) => line.includes("a\\u000ab: mkproc true")), lines.join("\n"));
});

Deno.test("startServer() that fails leaves nothing open", async () => {
  const varDir = await Deno.makeTempDir();
  try {
    await using taken = await startServer({ addr: ADDR });
    const hostPort = new URL(taken.address.replace("circuit:", "http:")).host;
    await assertFails("BUSY", startServer({ addr: hostPort, varDir }));
    await assertFails("BAD_REQUEST", startServer({ addr: "nonsense:x", varDir }));
    await assertFails(
      "BAD_REQUEST",
      startServer({ addr: ADDR, keys: [new Uint8Array(3)], varDir }),
    );
    await assertFails("BAD_REQUEST", startServer({ addr: ADDR, discover: "nonsense", varDir }));
    const nobody = hostPort.replace(/:\d+$/, ":1");
    await assertFails("UNREACHABLE", startServer({ addr: ADDR, join: nobody, varDir }));
    // The directory is free each time.
    await using _server = await startServer({ addr: ADDR, varDir });
    await assertFails("BUSY", startServer({ addr: ADDR, varDir }));
  } finally {
    await Deno.remove(varDir, { recursive: true });
  }
});
