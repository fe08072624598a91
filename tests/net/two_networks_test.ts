/**
 * A server on a host that has two networks, and those who look for it in the one or the other.
 *
 * @module
 */

import { assertMatch } from "@std/assert";
import { assertRefused } from "../refused.ts";
import { run } from "../tool.ts";
import { until } from "../until.ts";
import { type Host, Lab, labTest } from "./lab.ts";
import { Servers } from "./servers.ts";

const GROUP = "239.77.1.2:7711";

/** Arguments of a client that looks for a server there. */
const LOOK = ["ls", "-discover", GROUP, "/"];

labTest("a server on two networks says which of them reach it, and so do clients", async (logs) => {
  await using lab = await Lab.create(0);
  const [both, one, two] = [await lab.host(1, 2), await lab.host(1), await lab.host(2)];
  await using servers = new Servers(logs);
  await servers.start(both, { args: ["-a", "0.0.0.0:7000", "-discover", GROUP] });
  await until(
    "the server's remark",
    () => String(logs),
    (text) => text.includes("others are told 10.77.1.1 (eth0) alone"),
  );
  assertMatch(String(logs), /reach this machine only at 10\.77\.2\.1 \(eth1\)/);
  await run(LOOK, { program: one.program() });
  // It answers there, too, but with an address that is of no use.
  await assertRefused(LOOK, /cannot connect to 10\.77\.1\.1:7000: /, { program: two.program() });
});

labTest("-if is the network of the address that others are told", async (logs) => {
  await using lab = await Lab.create(0);
  const [both, one, two] = [await lab.host(1, 2), await lab.host(1), await lab.host(2)];
  await using servers = new Servers(logs);
  const server = await servers.start(both, { args: ["-if", "eth1", "-discover", GROUP] });
  assertMatch(server.hostPort, /^10\.77\.2\.1:/);
  const look = (host: Host) => run(LOOK, { program: host.program() });
  assertMatch(await look(two), new RegExp(`^${server.path}\n$`));
  const briefly = [...LOOK, "-timeout", "1"];
  await assertRefused(briefly, /no server answered/, { program: one.program() });
});
