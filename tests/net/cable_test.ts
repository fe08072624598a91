/**
 * A host whose cable is pulled, and plugged in again.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Lab, labTest } from "./lab.ts";
import { assertAtMost } from "./report.ts";
import { idsOf, listing, Servers } from "./servers.ts";

/** Milliseconds in which a silent host is gone everywhere. */
const GONE_MS = 4_500;

/** Milliseconds in which it is back everywhere. */
const BACK_MS = 15_000;

labTest(
  "a host whose cable is pulled is gone, and back when it is plugged in again",
  async (logs) => {
    await using lab = await Lab.create(5);
    await using servers = new Servers(logs);
    const all = await servers.circuit(lab.hosts);
    const [lost, ...others] = all;
    if (!lost) throw new Error("no servers");

    const pulled = Date.now();
    await lost.host.unplug();
    const { last } = await servers.gone(others, lost, pulled, GONE_MS);
    assertAtMost("gone everywhere after", last, GONE_MS, "ms");
    // Those who have each other stay.
    await servers.listed(others, others, pulled, GONE_MS);
    await servers.listed([lost], [lost], pulled, BACK_MS);

    const plugged = Date.now();
    await lost.host.plug();
    const back = await servers.listed(all, all, plugged, BACK_MS);
    assertAtMost("back everywhere after", back, BACK_MS, "ms");
    for (const server of [lost, ...others.slice(0, 1)]) {
      assertEquals(await listing(server), idsOf(all));
    }
  },
);
