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
import { onBothRoutes } from "../routes.ts";
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
  assertMatch(await textOf(server.profile("tasks")), new RegExp(far.id));
  assertMatch(await textOf(server.profile("memory")), /rss \d+/);
  const error = await assertFails("BAD_REQUEST", textOf(server.profile("nonsense")));
  assert(error.message.includes("tasks") && error.message.includes("memory"), error.message);
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
