/**
 * A network that loses a fifth of all packets.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { circuitTest } from "../logs.ts";
import { impair, means } from "./bad_network.ts";
import { output } from "./ip.ts";
import { type Host, Lab } from "./lab.ts";
import { sum } from "./machine.ts";
import { assertAtMost } from "./report.ts";
import { Servers } from "./servers.ts";

/** What befalls the packets, on each way. */
const BAD = { lossPercent: 20, delayMs: 100 };

/** Milliseconds that it lasts. */
const LASTS_MS = 60_000;

/** Milliseconds in which a server that is killed after that is gone. */
const GONE_MS = 1_000;

/** The share of TCP's segments that are sent again shows how bad a network is; at least this. */
const LEAST_REPEATED = 0.1;

circuitTest(
  "20 % loss and 100 ms delay make nobody seem dead (needs root, ip netns, and netem or macvtap)",
  async (logs) => {
    await using lab = await Lab.create(5);
    await using servers = new Servers(logs);
    const all = await servers.circuit(lab.hosts);
    const [lost, ...others] = all;
    if (!lost) throw new Error("no servers");

    const joined = all.map(({ watcher }) => watcher.events.length);
    const before = await segments(lab.hosts);
    {
      await using _bad = await impair(lab.hosts, BAD);
      // What is tested is that nothing happens in this time: there is nothing to wait for.
      await new Promise((resolve) => setTimeout(resolve, LASTS_MS));
    }
    const after = await segments(lab.hosts);
    const repeated = (after.repeated - before.repeated) / (after.sent - before.sent);
    console.log(`${(100 * repeated).toFixed()} % of all segments were sent again (${means})`);
    assert(repeated >= LEAST_REPEATED, "the network was not as bad as it should be");
    const events = all.flatMap(({ watcher }, i) => watcher.events.slice(joined[i]));
    assertEquals(events, [], "servers were taken for dead");

    // A death is still a death.
    const killed = Date.now();
    lost.kill("SIGKILL");
    const { last } = await servers.gone(others, lost, killed, GONE_MS);
    assertAtMost("one that is killed is gone after", last, GONE_MS, "ms");
  },
  { ignore: means === undefined },
);

/** TCP segments that these hosts have sent so far, and how many of them were sent again. */
async function segments(hosts: readonly Host[]): Promise<{ sent: number; repeated: number }> {
  const counts = await Promise.all(hosts.map(async (host) => {
    const { command, args } = host.program({ command: "cat", args: ["/proc/net/snmp"] });
    const lines = (await output(command, args)).split("\n").filter((line) => /^Tcp:/.test(line));
    const [names = [], values = []] = lines.map((line) => line.split(" "));
    const count = (name: string) => Number(values[names.indexOf(name)]);
    return { sent: count("OutSegs"), repeated: count("RetransSegs") };
  }));
  return {
    sent: sum(counts.map(({ sent }) => sent)),
    repeated: sum(counts.map(({ repeated }) => repeated)),
  };
}
