/**
 * Subscriptions to servers that come and go, and the commands for servers: `mk@join`, `mk@leave`,
 * `join`, `stk`, `suicide`.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import type { Subscription } from "../../mod.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused } from "../refused.ts";
import { onBothRoutes } from "../routes.ts";
import { run, RunningTool } from "../tool.ts";
import { untilCalls } from "../traces.ts";
import { until, within } from "../until.ts";

/** Takes the next events, which must come. */
async function take(subscription: Subscription, count: number): Promise<(string | undefined)[]> {
  const events = [];
  for (let i = 0; i < count; i++) {
    events.push(await within(20_000, `event ${i + 1} of ${count}`, subscription.consume()));
  }
  return events;
}

onBothRoutes(
  "Anchor.makeOnJoin() gives the servers there are and those that come",
  async ({ near, far }, _, logs) => {
    await using client = await dialTo(near);
    const joins = await client.anchor(far.path).walk("joins").makeOnJoin();
    assertEquals([joins.kind, (await joins.peek()).source], ["@join", "join"]);
    assertEquals((await take(joins, 2)).sort(), [near.path, far.path].sort());
    const next = joins.consume();
    await untilCalls(client, far, 1);
    await using third = await RunningServer.start({ logs, args: ["-j", near.address] });
    assertEquals(await next, third.path);
    assertEquals(await joins.peek(), { source: "join", pending: 0, closed: false });

    // Scrubbing it ends who waits, and the loop over it.
    const loop = Array.fromAsync(joins);
    await untilCalls(client, far, 1);
    await joins.scrub();
    assertEquals(await loop, []);
  },
);

onBothRoutes(
  "Anchor.makeOnLeave() gives the servers that go, each once",
  async ({ near, far }, _, logs) => {
    await using client = await dialTo(near);
    const leaves = await client.anchor(far.path).walk("leaves").makeOnLeave();
    assertEquals(leaves.kind, "@leave");
    await using polite = await RunningServer.start({ logs, args: ["-j", near.address] });
    await using killed = await RunningServer.start({ logs, args: ["-j", near.address] });
    await untilSeen(near, [near, far, polite, killed]);
    const aborted = new AbortController();
    const cancelled = assertFails("ABORTED", leaves.consume(aborted));
    await untilCalls(client, far, 1);
    aborted.abort();
    await cancelled;
    await untilCalls(client, far, 0);

    polite.kill("SIGTERM");
    assertEquals(await take(leaves, 1), [polite.path]);
    killed.kill("SIGKILL");
    await until("the event", () => leaves.peek(), ({ pending }) => pending === 1);
    assertEquals(await take(leaves, 1), [killed.path]);
    assertEquals(await leaves.peek(), { source: "leave", pending: 0, closed: false });
  },
);

circuitTest("mk@join and mk@leave make what recv prints, a path and a newline", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const at = ["-d", near.address];
  assertEquals(await run(["mk@join", ...at, `${far.path}/joins`]), "");
  assertEquals(await run(["mk@leave", ...at, `${far.path}/leaves`]), "");
  assertEquals(
    await run(["ls", "-l", ...at, far.path]),
    `@join           ${far.path}/joins\n@leave          ${far.path}/leaves\n`,
  );
  const seen = [];
  for (let i = 0; i < 2; i++) seen.push(await run(["recv", ...at, `${far.path}/joins`]));
  assertEquals(seen.sort(), [`${near.path}\n`, `${far.path}\n`].sort());
  assertEquals(JSON.parse(await run(["peek", ...at, `${far.path}/joins`])), {
    Source: "join",
    Pending: 0,
    Closed: false,
  });

  await using third = await RunningServer.start({ logs, args: ["-j", near.address] });
  assertEquals(await run(["recv", ...at, `${far.path}/joins`]), `${third.path}\n`);
  await using waiting = new RunningTool(["recv", ...at, `${far.path}/leaves`]);
  await untilCalls(client, far, 1);
  await third.crash();
  assertEquals(await waiting.result(), { code: 0, stdout: `${third.path}\n`, stderr: "" });

  // As JSON too; a channel's message is what it is.
  await run(["mk@join", ...at, `${near.path}/joins`]);
  const line = await run(["recv", "-json", ...at, `${near.path}/joins`]);
  assertEquals(JSON.parse(line).event, "join");
  assertMatch(JSON.parse(line).path, /^\/X[0-9a-f]{16}$/);
  await run(["mkchan", ...at, `${far.path}/c`, "1"]);
  await assertRefused(
    ["recv", "-json", ...at, `${far.path}/c`],
    /is a channel; it should be a join subscription or a leave subscription/,
  );

  await assertRefused(["mk@join", ...at, `${far.path}/leaves`], /holds a @leave already/);
  await assertRefused(["send", ...at, `${far.path}/leaves`], /it should be a channel/);
});

circuitTest("join merges two circuits, and says why it cannot", async (logs) => {
  await using one = await cluster(2, { logs });
  await using other = await RunningServer.start({ logs });
  const { near, far } = one;
  const at = ["-d", near.address];
  assertEquals(await run(["join", ...at, far.path, other.address]), "");
  const all = [near, far, other];
  for (const each of all) await untilSeen(each, all);
  // Joining what is one already is harmless, by whatever address.
  for (const address of [other.address, other.hostPort, far.hostPort]) {
    assertEquals(await run(["join", ...at, far.path, address]), "");
  }
  for (const each of all) await untilSeen(each, all);
  await assertRefused(["join", ...at, far.path, "127.0.0.1:1"], /127\.0\.0\.1:1/);
  await assertRefused(["join", ...at, far.path, "nonsense"], /bad circuit address "nonsense"/);
  await assertRefused(["join", ...at, `${far.path}/a`, other.address], /it should be a server/);
});

circuitTest("stk tells what a server is doing, and suicide stops it", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const at = ["-d", near.address];
  assertMatch(await run(["stk", ...at, far.path]), new RegExp(far.id));
  assertEquals(await run(["suicide", ...at, far.path]), "");
  assertEquals((await within(10_000, "the server's end", far.status)).code, 0);
  await until("it to be gone", () => client.servers(), (servers) => servers.length === 1);
  await assertRefused(["stk", ...at, far.path], new RegExp(far.id));
  await assertRefused(["suicide", ...at, `${near.path}/a`], /it should be a server/);
});
