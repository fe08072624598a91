/**
 * A server that is started again at the address that it had.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { cluster, dialTo, RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { freshHost } from "../places.ts";
import { run } from "../tool.ts";
import { until } from "../until.ts";

/** Milliseconds in which the others list the new server, and it alone, once it is ready. */
const LISTED_WITHIN_MS = 1_000;

/** How a server ends. */
const ENDS: Readonly<Record<string, (server: RunningServer, other: RunningServer) => unknown>> = {
  "kill -9": (server) => server.crash(),
  "SIGTERM": (server) => server.kill("SIGTERM"),
  "suicide": (server, other) => run(["suicide", "-d", other.address, server.path]),
};

circuitTest(
  "start takes the place of a server at its address, however that ended",
  async (logs) => {
    const listen = ["127.0.0.1:0", `${freshHost()}:0`, "127.0.0.1:0"];
    await using circuit = await cluster(3, { logs, listen });
    const { near } = circuit;
    const others = [near, circuit.server(2)];
    await using clients = new AsyncDisposableStack();
    const dialled = [clients.use(await dialTo(near)), clients.use(await dialTo(circuit.server(2)))];
    let last = circuit.far;
    const seen = new Set([last.id]);
    for (const [name, end] of [...Object.entries(ENDS), ...Object.entries(ENDS)]) {
      await end(last, near);
      await last.status;
      const args = ["-j", near.address];
      const next = clients.use(
        await RunningServer.start({ logs, listen: last.hostPort, args }),
      );
      assertEquals(next.hostPort, last.hostPort);
      assert(!seen.has(next.id), `${next.id} was there before`);
      seen.add(next.id);
      const expected = [...others, next].map(({ id }) => id).sort();
      await Promise.all(dialled.map((client) =>
        until(
          `the server after ${name} to be listed, and no other in its place`,
          async () => (await client.servers()).map(({ serverId }) => serverId).sort(),
          (ids) => ids.join() === expected.join(),
          { within: LISTED_WITHIN_MS },
        )
      ));
      last = next;
    }
  },
);
