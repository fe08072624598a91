/**
 * A server on a machine whose clock is set while it runs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../mod.ts";
import { FakeClock, hasFakeClock } from "../fake_clock.ts";
import { dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { freshGroup } from "../multicast.ts";
import { until } from "../until.ts";

/** Seconds in which a server that fell silent would be suspected and given up. */
const VERDICT_S = 4;

async function uptime(client: Client, server: RunningServer): Promise<number> {
  const element = await client.anchor(server.path).get();
  assert(element?.kind === "server");
  return (await element.peek()).uptime;
}

circuitTest(
  "setting a clock buries nobody, and keyed discovery says why it waits for it (needs libfaketime)",
  async (logs) => {
    const key = crypto.getRandomValues(new Uint8Array(64));
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(file, key.toBase64(), { mode: 0o600 });
      await using clock = await FakeClock.create("+3h");
      const args = ["-discover", freshGroup(), "-hmac", file];
      await using right = await RunningServer.start({ logs, args });
      await using wrong = await RunningServer.start({ logs, args, env: clock.env });
      const all = [right, wrong];
      const reason = "from 127.0.0.1 that is more than 60 s old or ahead: the clocks of the hosts";
      for (const server of all) {
        await until("the reason", () => String(server.log), (log) => log.includes(reason));
      }
      await using client = await dialTo(right, { key });
      assertEquals((await client.servers()).map(({ serverId }) => serverId), [right.id]);

      // They find each other once it is right.
      await clock.set("+0");
      for (const server of all) await untilSeen(server, all, { key });
      for (const offset of ["+5h", "-400d"]) {
        await clock.set(offset);
        const before = await uptime(client, wrong);
        const wanted = before + VERDICT_S / 2;
        await until("time to pass", () => uptime(client, wrong), (now) => now >= wanted);
        assert(await uptime(client, wrong) < before + 3_600);
      }
      assert(!/ left\b/.test(`${right.log}${wrong.log}`));
    } finally {
      await Deno.remove(file);
    }
  },
  { ignore: !hasFakeClock },
);
