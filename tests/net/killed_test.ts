/**
 * Servers that end, or stand still, while their host is well.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Lab, labTest } from "./lab.ts";
import { assertAtMost } from "./report.ts";
import { idsOf, listing, Servers } from "./servers.ts";

/** Milliseconds in which a server whose process was killed is gone everywhere. */
const KILLED_MS = 1_000;

/** Servers that are killed while they join, one after the other. */
const JOINS = 8;

/** Milliseconds in which a server that stands still is gone everywhere. */
const SILENT_MS = 4_500;

/** Milliseconds in which it is back everywhere when it goes on. */
const BACK_MS = 10_000;

labTest("a server that is killed is gone everywhere within a second", async (logs) => {
  await using lab = await Lab.create(5);
  await using servers = new Servers(logs);
  const [lost, ...others] = await servers.circuit(lab.hosts);
  if (!lost) throw new Error("no servers");

  const killed = Date.now();
  lost.kill("SIGKILL");
  const { last } = await servers.gone(others, lost, killed, KILLED_MS);
  assertAtMost("gone everywhere after", last, KILLED_MS, "ms");
  await servers.listed(others, others, killed, KILLED_MS);

  // Another one on the same host takes its place.
  const [seed] = others;
  const next = await servers.start(lost.host, { args: ["-if", "eth0", "-j", seed?.address ?? ""] });
  const all = [...others, next];
  await servers.listed(all, all, killed, BACK_MS);
  assertEquals(await listing(next), idsOf(all));
});

labTest("a server that is killed as soon as it is ready is gone within a second", async (logs) => {
  await using lab = await Lab.create(2);
  await using servers = new Servers(logs);
  const [here, there] = lab.hosts;
  if (!here || !there) throw new Error("no hosts");
  const seed = await servers.start(here);
  const args = ["-if", "eth0", "-j", seed.address];
  // What it has done by then differs from time to time.
  for (let round = 0; round < JOINS; round++) {
    const lost = await servers.start(there, { args });
    const killed = Date.now();
    lost.kill("SIGKILL");
    const { last } = await servers.gone([seed], lost, killed, KILLED_MS);
    assertAtMost("gone after", last, KILLED_MS, "ms");
  }
});

labTest("a server that stands still is gone, and back when it goes on", async (logs) => {
  await using lab = await Lab.create(5);
  await using servers = new Servers(logs);
  const all = await servers.circuit(lab.hosts);
  const [lost, ...others] = all;
  if (!lost) throw new Error("no servers");

  const stopped = Date.now();
  lost.kill("SIGSTOP");
  const { last } = await servers.gone(others, lost, stopped, SILENT_MS);
  assertAtMost("gone everywhere after", last, SILENT_MS, "ms");
  await servers.listed(others, others, stopped, SILENT_MS);

  const woken = Date.now();
  lost.kill("SIGCONT");
  const back = await servers.listed(all, all, woken, BACK_MS);
  assertAtMost("back everywhere after", back, BACK_MS, "ms");
  assertEquals(await listing(lost), idsOf(all));
});
