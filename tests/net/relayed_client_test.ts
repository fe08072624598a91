/**
 * A client that reaches one server of a circuit and no other, and that no server can reach.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { clientCommands } from "../../client/commands/mod.ts";
import { run, RunningTool, tool } from "../tool.ts";
import { until, within } from "../until.ts";
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
  const used = new Set<string>();
  let slowest = 0;
  const circuit = async (args: readonly string[], stdin = "") => {
    const began = performance.now();
    const [command = "", ...rest] = args;
    used.add(command);
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
    used.add("recv");
    await using receiver = new RunningTool(["recv", "-d", `${outside}:7000`, chan], { program });
    await circuit(["send", chan], path);
    const { code, stdout: received } = await within(COMMAND_MS, "the message", receiver.result());
    assertEquals([code, received], [0, path]);
    elements.push(cat, chan);
  }
  const paths = (await circuit(["ls", "/..."])).split("\n");
  assertEquals(paths.filter((path) => elements.includes(path)), elements.toSorted());
  await circuit(["scrub", `${first.path}/cat`]);

  // All the other commands, on a server that the client cannot reach.
  const [, far, last] = all;
  assert(far && last);
  const at = (name: string) => `${far.path}/${name}`;
  const sleep = '{"Path": "/bin/sh", "Args": ["-c", "echo failing >&2; exec sleep 1000"]}';
  await circuit(["mkproc", at("proc")], sleep);
  await using errors = new RunningTool(["stderr", "-d", `${outside}:7000`, at("proc")], {
    program,
  });
  used.add("stderr");
  assertEquals(await within(COMMAND_MS, "what it says", errors.stdout.line()), "failing");
  assertMatch(await circuit(["peek", at("proc")]), /"Phase": "running"/);
  await circuit(["signal", "KILL", at("proc")]);
  assertMatch(await circuit(["peek", at("proc")]), /"Phase": "signaled"/);
  await circuit(["waitall"], `${at("cat")}\n`);
  const container = '{"Image": "none"}';
  const mkdkr = ["mkdkr", "-d", `${outside}:7000`, at("docker")];
  const refused = await tool(mkdkr, { program, stdin: container });
  used.add("mkdkr");
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(refused.stderr, /-docker/);

  await circuit(["mkchan", at("buffered"), "1"]);
  await circuit(["send", at("buffered")], "kept");
  await circuit(["close", at("buffered")]);
  assertEquals(await circuit(["recv", at("buffered")]), "kept");
  await circuit(["mk@join", at("joins")]);
  assert(idsOf(all).includes((await circuit(["recv", at("joins")])).trim().slice(1)));
  await circuit(["mk@leave", at("leaves")]);

  await circuit(["mkdns", at("names")]);
  await circuit(["set", at("names"), "a. 60 IN A 10.0.0.1"]);
  assertMatch(await circuit(["peek", at("names")]), /10\.0\.0\.1/);
  await circuit(["unset", at("names"), "a."]);

  await circuit(["join", far.path, last.address]);
  assertMatch(await circuit(["stk", far.path]), new RegExp(far.id));
  if (clientCommands.some(({ name }) => name === "run")) {
    assertMatch(await circuit(["run", far.path, "--", "echo", "run there"]), /run there/);
  }
  await circuit(["suicide", last.path]);
  assertEquals((await circuit(["recv", at("leaves")])).trim(), last.path);
  await until("it to be gone", () => circuit(["ls", "/"]), (seen) => !seen.includes(last.id));
  const talking = clientCommands.filter(({ flags }) => flags && "dial" in flags);
  assertEquals(talking.map(({ name }) => name).filter((name) => !used.has(name)), []);
  assertAtMost("the slowest of the commands", slowest, COMMAND_MS, "ms");
});
