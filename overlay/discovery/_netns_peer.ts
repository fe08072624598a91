/**
 * A program that a test runs in a network namespace: a server that announces itself, or a client.
 * Each line that it writes is an event in JSON.
 *
 *     _netns_peer.ts announce GROUP:PORT NUMBER ADDRESS [INTERFACE]
 *     _netns_peer.ts discover GROUP:PORT TIMEOUT_MS [INTERFACE]
 *
 * @module
 */

import { toCircuitError } from "../errors.ts";
import { Announcer } from "./announce.ts";
import { discoverServers } from "./query.ts";

const [role, group = "", first = "", second, third] = Deno.args;

function say(event: Record<string, string>): void {
  console.log(JSON.stringify(event));
}

if (role === "announce") {
  const announcer = new Announcer({
    group,
    self: { id: `X${first.padStart(16, "0")}`, address: `${second}:7000` },
    interface: third,
    log: (level, message) => say({ event: level, message }),
  });
  announcer.onServer(({ id, address }) => say({ event: "heard", id, address }));
  announcer.start();
} else {
  try {
    const options = { timeoutMs: Number(first), interface: second };
    for await (const { id, address } of discoverServers(group, options)) {
      say({ event: "found", id, address });
      break;
    }
  } catch (error) {
    const { code, message } = toCircuitError(error);
    say({ event: "failed", code, message });
  }
}
