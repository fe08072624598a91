/**
 * Hosts that know nothing but a multicast group.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { run } from "../tool.ts";
import { Lab, labTest } from "./lab.ts";
import { assertAtMost } from "./report.ts";
import { idsOf, type LabServer, listing, Servers } from "./servers.ts";

const GROUP = "239.77.1.1:7711";

const ARGS = ["-discover", GROUP, "-if", "eth0"];

/** Milliseconds, after the last server is ready, in which all must have found each other. */
const FOUND_MS = 10_000;

labTest("five hosts that start at once find each other by multicast", async (logs) => {
  await using lab = await Lab.create(5);
  await using servers = new Servers(logs);
  const all = await Promise.all(lab.hosts.map((host) => servers.start(host, { args: ARGS })));
  const ready = Date.now();
  const found = await servers.listed(all, all, ready, FOUND_MS);
  assertAtMost("all list all, after the last is ready, within", found, FOUND_MS, "ms");
  await assertListed(all);
});

labTest("hosts that start one after the other find each other by multicast", async (logs) => {
  await using lab = await Lab.create(5);
  await using servers = new Servers(logs);
  const all: LabServer[] = [];
  let slowest = 0;
  for (const host of lab.hosts) {
    all.push(await servers.start(host, { args: ARGS }));
    const ready = Date.now();
    slowest = Math.max(slowest, await servers.listed(all, all, ready, FOUND_MS));
  }
  assertAtMost("each newcomer is listed within", slowest, FOUND_MS, "ms");
  await assertListed(all);
  // A client on a host without a server finds them in the same way.
  const program = (await lab.host(1)).program();
  const text = await run(["ls", "-discover", GROUP, "/"], { program });
  assertEquals(text, idsOf(all).map((id) => `/${id}\n`).join(""));
});

labTest("a host that starts without a network finds the others when it has one", async (logs) => {
  await using lab = await Lab.create(3);
  await using servers = new Servers(logs);
  const [late, ...others] = lab.hosts;
  await late?.unplug();
  const all = await Promise.all(lab.hosts.map((host) => servers.start(host, { args: ARGS })));
  const [alone, ...rest] = all;
  if (!alone || others.length !== rest.length) throw new Error("no servers");
  await servers.listed(rest, rest, Date.now(), FOUND_MS);
  await servers.listed([alone], [alone], Date.now(), FOUND_MS);
  const plugged = Date.now();
  await late?.plug();
  const found = await servers.listed(all, all, plugged, FOUND_MS);
  assertAtMost("all list all, after the cable is plugged in, within", found, FOUND_MS, "ms");
});

async function assertListed(all: readonly LabServer[]): Promise<void> {
  for (const server of [all[0], all.at(-1)]) {
    if (server) assertEquals(await listing(server), idsOf(all));
  }
}
