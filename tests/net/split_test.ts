/**
 * A circuit whose network is cut in two, and mended.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { run } from "../tool.ts";
import { Lab, labTest } from "./lab.ts";
import { assertAtMost } from "./report.ts";
import { idsOf, type LabServer, listing, Servers } from "./servers.ts";

/** Milliseconds in which a server on the other side is gone. */
const GONE_MS = 4_500;

/** Milliseconds after which all list all again. */
const HEALED_MS = 15_000;

labTest("two sides of a cut find together by themselves, with what they hold", async (logs) => {
  await using lab = await Lab.create(5);
  await using servers = new Servers(logs);
  const all = await servers.circuit(lab.hosts);
  const [left, right] = [all.slice(0, 2), all.slice(2)];
  const [near, far] = [left[0], right[0]];
  if (!near || !far) throw new Error("no servers");
  // Something from before the cut, made from the other side, and something made while it lasts.
  await make(near, far, "before");
  await make(far, near, "before");

  const cut = Date.now();
  await lab.cut(left.map(({ host }) => host));
  const gone = await Promise.all([
    ...right.map((lost) => servers.gone(left, lost, cut, GONE_MS)),
    ...left.map((lost) => servers.gone(right, lost, cut, GONE_MS)),
  ]);
  assertAtMost("the other side is gone after", Math.max(...gone.map((g) => g.last)), GONE_MS, "ms");
  await servers.listed(left, left, cut, GONE_MS);
  await servers.listed(right, right, cut, GONE_MS);
  await make(near, near, "during");
  await make(far, far, "during");

  const mended = Date.now();
  await lab.mend();
  const healed = await servers.listed(all, all, mended, HEALED_MS);
  assertAtMost("all list all after", healed, HEALED_MS, "ms");
  assertEquals(await listing(near), idsOf(all));
  assertEquals(await listing(far), idsOf(all));
  const elements = [near, far].flatMap(({ path }) => [`${path}/before`, `${path}/during`]).sort();
  for (const server of [near, far]) {
    const paths = (await circuit(server, "ls", "/...")).split("\n");
    const found = paths.filter((path) => /\/(before|during)$/.test(path));
    assertEquals(found.sort(), elements);
  }
  // They are not only listed: what one side kept, the other one can take.
  await circuit(far, "send", `${near.path}/during`);
  assertEquals(await circuit(far, "recv", `${near.path}/during`), "");
});

/** Makes a channel. */
async function make(from: LabServer, at: LabServer, name: string): Promise<void> {
  await circuit(from, "mkchan", `${at.path}/${name}`, "1");
}

/** Runs the tool on a server's host, with that server as the one to talk to. */
function circuit(server: LabServer, command: string, ...args: string[]): Promise<string> {
  const program = server.host.program();
  return run([command, "-d", server.hostPort, ...args], { program });
}
