/**
 * Server elements of the library, over two servers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Client, Server } from "../../mod.ts";
import { textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused } from "../refused.ts";
import { onBothRoutes } from "../routes.ts";
import { run } from "../tool.ts";
import { untilCalls } from "../traces.ts";
import { until, within } from "../until.ts";

async function serverOf(client: Client, path: string): Promise<Server> {
  const element = await client.anchor(path).get();
  if (element?.kind !== "server") throw new Error(`want a server, not ${element?.kind}`);
  return element;
}

onBothRoutes("Server.peek() tells of the server", async ({ near, far }) => {
  await using client = await dialTo(near);
  const server = await serverOf(client, far.path);
  await client.anchor(far.path).walk("c").makeChan();
  await client.anchor(far.path).walk("p").makeProc({ path: "cat" });
  const stat = await server.peek();
  assertEquals(stat.addr, far.address);
  assertEquals(stat.elements, { server: 1, chan: 1, proc: 1 });
  assertEquals([stat.os, stat.hostname], [Deno.build.os, Deno.hostname()]);
  assertMatch(stat.version, /^\d+\.\d+\.\d+/);
  assert(stat.cpus > 0 && stat.rss > 1_000_000 && stat.uptime > 0, Deno.inspect(stat));
  assert(Date.parse(stat.joined) <= Date.now());
});

onBothRoutes("Server.profile() reports as text", async ({ near, far }) => {
  await using client = await dialTo(near);
  const server = await serverOf(client, far.path);
  const chan = await client.anchor(far.path).walk("c").makeChan(2);
  await chan.sendBytes(new Uint8Array(3));
  const empty = await client.anchor(far.path).walk("empty").makeChan();
  const waiting = empty.recvBytes().catch(() => {});
  await untilCalls(client, far, 1);

  const tasks = await textOf(server.profile("tasks"));
  for (
    const line of [
      `^server ${far.id}: version \\d+\\.\\d+\\.\\d+, process ${far.pid}, up [\\d.]+ s$`,
      "^event loop: [\\d.]+ ms late on average, [\\d.]+ ms at most$",
      "^elements: 1 server, 2 chan, at 3 anchors$",
      "^memory: [\\d.]+ MB resident, ",
      `^  ${far.path}/c: 1 waiting$`,
      `^  chan.recv ${far.path}/empty$`,
      `^  server.profile ${far.path}$`,
      `^  (client|server) .*: [1-9]\\d* streams, [1-9]\\d* bytes in, [1-9]\\d* bytes out, \\d+ bytes`,
    ]
  ) assertMatch(tasks, new RegExp(line, "m"));

  assertMatch(await textOf(server.profile("connections")), /^connections: [1-9]\n {2}\w+ .*\n/);
  assertMatch(await textOf(server.profile("calls")), /^ {2}chan\.recv /m);
  assertMatch(await textOf(server.profile("queues")), /^queues: 1 in use, 1 empty$/m);
  const members = await textOf(server.profile("members"));
  assertMatch(members, new RegExp(`^  ${far.id} ${far.address} itself$`, "m"));
  assertMatch(members, new RegExp(`^  ${near.id} ${near.address} (connected|known)$`, "m"));
  assertMatch(await textOf(server.profile("memory")), /^rss \d+$/m);
  const json = JSON.parse(await run(["stk", "-json", "-d", near.address, far.path]));
  assertEquals([json.server, json.pid, json.elements.chan], [far.path, far.pid, 2]);
  assertMatch(await textOf(server.profile("cpu")), /^cpu: in \d+ ms, .*\nsamples: /);
  const error = await assertFails("BAD_REQUEST", textOf(server.profile("nonsense")));
  assert(error.message.includes("tasks") && error.message.includes("cpu"), error.message);
  await empty.scrub();
  await waiting;
});

onBothRoutes("Server.profile() can be cancelled", async ({ near, far }) => {
  await using client = await dialTo(near);
  const server = await serverOf(client, far.path);
  const cancel = new AbortController();
  const report = assertFails("ABORTED", textOf(server.profile("cpu", { signal: cancel.signal })));
  await untilCalls(client, far, 1);
  cancel.abort();
  await report;
  await untilCalls(client, far, 0);
});

onBothRoutes("stk, join and suicide", async ({ near, far }, { program }, logs) => {
  const options = program ? { program } : {};
  const at = ["-d", near.address];
  const stk = await run(["stk", ...at, far.path], options);
  assertMatch(stk, new RegExp(`^server ${far.id}: version .*\nevent loop: .*\nelements: .*\n`));
  assertMatch(stk, /^queues: 0 in use, 0 empty\nconnections: [1-9]\d*$/m);
  assertMatch(stk, new RegExp(`^  server.profile ${far.path}$`, "m"));
  await using client = await dialTo(near);
  await client.anchor(far.path).walk("c").makeChan();
  await assertRefused(
    ["stk", ...at, `${far.path}/c`],
    /is a channel; it should be a server/,
    options,
  );

  await using other = await RunningServer.start({ logs });
  assertEquals(await run(["join", ...at, far.path, other.address], options), "");
  await until("the two to be one", () => client.servers(), (servers) => servers.length === 3);
  await assertRefused(
    ["join", ...at, far.path, "127.0.0.1:1"],
    /cannot join .*127\.0\.0\.1:1/,
    options,
  );

  assertEquals(await run(["suicide", ...at, far.path], options), "");
  const { code } = await within(10_000, "the server's end", far.status);
  assertEquals(code, 0);
  await until("it to be gone", () => client.servers(), (servers) => servers.length === 2);
});

onBothRoutes("Server.suicide() stops a server in order", async ({ near, far }) => {
  await using client = await dialTo(near);
  await (await serverOf(client, far.path)).suicide();
  const { code } = await within(10_000, "the server's end", far.status);
  assertEquals(code, 0);
  await until("it to be gone", () => client.servers(), (servers) => servers.length === 1);
  await assertFails("SERVER_GONE", client.anchor(far.path).get());
});

circuitTest("Server.rejoin() merges two circuits", async (logs) => {
  await using one = await cluster(2, { logs });
  await using other = await cluster(2, { logs });
  await using client = await dialTo(one.near);
  assertEquals((await client.servers()).length, 2);
  const server = await serverOf(client, one.far.path);
  await server.rejoin(other.near.address);
  const all = [...one.servers, ...other.servers];
  for (const each of all) await untilSeen(each, all);
  // What was in one can be used from the other.
  await client.anchor(other.far.path).walk("c").makeChan();
  // Merging again changes nothing.
  await server.rejoin(other.far.address);
  assertEquals((await client.servers()).length, 4);
});

circuitTest("Server.rejoin() says why it cannot", async (logs) => {
  await using server = await RunningServer.start({ logs });
  await using client = await dialTo(server);
  const element = await serverOf(client, server.path);
  await assertFails("BAD_REQUEST", element.rejoin("nonsense"));
  await assertFails("BAD_REQUEST", element.rejoin(""));
  const error = await assertFails("UNREACHABLE", element.rejoin("127.0.0.1:1"));
  assert(error.message.includes("127.0.0.1:1"), error.message);
  assertEquals((await client.servers()).length, 1);
});
