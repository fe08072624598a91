/**
 * A client that reaches one server of a circuit and no other, and that no server can reach.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { run, RunningTool } from "../tool.ts";
import { within } from "../until.ts";
import { Lab, labTest } from "./lab.ts";
import { assertAtMost } from "./report.ts";
import { idsOf, Servers } from "./servers.ts";

/** Milliseconds for a command, the start of the tool included, on a machine that is busy. */
const COMMAND_MS = 10_000;

labTest("a client that reaches only its dial-in server can use all servers", async (logs) => {
  await using lab = await Lab.create(0);
  await using servers = new Servers(logs);
  // The first server is in two networks, between which it passes on nothing.
  const gate = await lab.host(1, 2);
  const hosts = [gate, await lab.host(1), await lab.host(1)];
  const place = await lab.host(2);
  const [, outside = ""] = gate.addresses;
  // So what the client sends to the others is lost without a word.
  await place.gateway(outside);
  const first = await servers.start(gate, { args: ["-a", "0.0.0.0:7000"] });
  const args = ["-if", "eth0", "-j", `${gate.address}:7000`];
  const all = [
    first,
    ...await Promise.all(hosts.slice(1).map((host) => servers.start(host, { args }))),
  ];
  await servers.listed(all, all, Date.now(), COMMAND_MS);

  const program = place.program();
  let slowest = 0;
  const circuit = async (args: readonly string[], stdin = "") => {
    const began = performance.now();
    const [command = "", ...rest] = args;
    const printed = await run([command, "-d", `${outside}:7000`, ...rest], { program, stdin });
    slowest = Math.max(slowest, performance.now() - began);
    return printed;
  };
  assertEquals(await circuit(["ls", "/"]), idsOf(all).map((id) => `/${id}\n`).join(""));

  const elements: string[] = [];
  for (const { path } of all) {
    // A process: what is typed into it comes out again.
    const cat = `${path}/cat`;
    assertEquals(await circuit(["mkproc", cat], '{"Path": "cat"}'), "");
    const stdout = circuit(["stdout", cat]);
    await circuit(["stdin", cat], `typed for ${path}\n`);
    assertEquals(await stdout, `typed for ${path}\n`);
    await circuit(["wait", cat]);

    // A channel: one waits for what another one sends.
    const chan = `${path}/chan`;
    await circuit(["mkchan", chan, "0"]);
    await using receiver = new RunningTool(["recv", "-d", `${outside}:7000`, chan], { program });
    await circuit(["send", chan], path);
    const { code, stdout: received } = await within(COMMAND_MS, "the message", receiver.result());
    assertEquals([code, received], [0, path]);
    elements.push(cat, chan);
  }
  const paths = (await circuit(["ls", "/..."])).split("\n");
  assertEquals(paths.filter((path) => elements.includes(path)), elements.sort());
  await circuit(["scrub", elements[0] ?? ""]);
  assertAtMost("the slowest of the commands", slowest, COMMAND_MS, "ms");
});
