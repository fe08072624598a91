/**
 * Name servers, of the library and of the tool, over two servers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { clientCommands } from "../../client/commands/mod.ts";
import type { Client, Nameserver } from "../../mod.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused } from "../refused.ts";
import { freshHost } from "../places.ts";
import { root } from "../program.ts";
import { onBothRoutes } from "../routes.ts";
import { run, tool } from "../tool.ts";
import { until } from "../until.ts";

/** Asks a name server of `HOST:PORT` as a program on this machine does. */
async function mx(address: string, name: string): Promise<string[]> {
  const [ipAddr = "", port] = address.split(":");
  const nameServer = { ipAddr, port: Number(port) };
  const records = await Deno.resolveDns(name, "MX", { nameServer });
  return records.map(({ preference, exchange }) => `${preference} ${exchange}`).sort();
}

async function nameserverAt(client: Client, path: string): Promise<Nameserver> {
  const element = await client.anchor(path).get();
  if (element?.kind !== "dns") throw new Error(`want a name server, not ${element?.kind}`);
  return element;
}

const MX_10 = "miek.nl.\t3600\tIN\tMX\t10 mx.miek.nl.";
const MX_20 = "miek.nl.\t3600\tIN\tMX\t20 mx2.miek.nl.";

onBothRoutes("Nameserver sets, tells and unsets records", async ({ near, far }) => {
  await using client = await dialTo(near);
  const path = `${far.path}/ns`;
  const made = await client.anchor(path).makeNameserver();
  assertEquals(made.kind, "dns");
  const { address, records } = await made.peek();
  assertMatch(address, /^127\.0\.0\.1:\d+$/);
  assertEquals(records, {});
  const found = await nameserverAt(client, path);
  await found.set("miek.nl. 3600 IN MX 10 mx.miek.nl.");
  await found.set("MIEK.nl MX 20 mx2.miek.nl");
  await found.set("miek.nl. 3600 IN MX 10 mx.miek.nl.");
  await found.set("other.nl. A 192.0.2.1");
  assertEquals(await made.peek(), {
    address,
    records: { "miek.nl.": [MX_10, MX_20], "other.nl.": ["other.nl.\t3600\tIN\tA\t192.0.2.1"] },
  });
  await found.unset("Miek.NL");
  await found.unset("miek.nl.");
  assertEquals(Object.keys((await made.peek()).records), ["other.nl."]);
});

onBothRoutes("Nameserver says what is wrong", async ({ near, far }) => {
  await using client = await dialTo(near);
  const anchor = client.anchor(`${far.path}/ns`);
  const nameserver = await anchor.makeNameserver(`${freshHost()}:0`);
  const error = await assertFails("BAD_REQUEST", nameserver.set("miek.nl. IN MX ten mx.miek.nl."));
  assertMatch(
    error.message,
    /bad preference of MX: want a whole number from 0 to 65535, not "ten"/,
  );
  await assertFails("BAD_REQUEST", nameserver.unset("a..b"));
  await assertFails("EXISTS", anchor.makeNameserver());
  const { address } = await nameserver.peek();
  for (
    const [where, code] of [[address, "BUSY"], ["192.0.2.1:0", "BAD_REQUEST"], [
      "nonsense:x",
      "BAD_REQUEST",
    ]] as const
  ) {
    const other = client.anchor(`${far.path}/other`);
    await assertFails(code, other.makeNameserver(where));
    assertEquals(await other.get(), undefined);
  }
  await nameserver.scrub();
  await assertFails("NOT_FOUND", nameserver.peek());
  // The port is free again.
  const again = await anchor.makeNameserver(address);
  assertEquals(await again.peek(), { address, records: {} });
});

circuitTest("a name server answers programs until it is scrubbed", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const nameserver = await client.anchor(`${far.path}/ns`).makeNameserver(`${freshHost()}:0`);
  const { address } = await nameserver.peek();
  await nameserver.set("miek.nl. 3600 IN MX 10 mx.miek.nl.");
  await nameserver.set("miek.nl. 3600 IN MX 20 mx2.miek.nl.");
  assertEquals(await mx(address, "Miek.nl."), ["10 mx.miek.nl.", "20 mx2.miek.nl."]);
  const [hostname = "", digits] = address.split(":");
  const port = Number(digits);
  (await Deno.connect({ port, hostname })).close();
  await nameserver.scrub();
  const listens = () =>
    Deno.connect({ port, hostname }).then((it) => (it.close(), true), () => false);
  await until("the port to be free", listens, (open) => !open);
});

onBothRoutes("mkdns, set, unset and peek", async ({ near, far }, { program }) => {
  const options = program ? { program } : {};
  const at = ["-d", near.address];
  const path = `${far.path}/mydns`;
  assertEquals(await run(["mkdns", ...at, path, "127.0.0.1:0"], options), "");
  const peek = async () => JSON.parse(await run(["peek", ...at, path], options));
  const { Address } = await peek();
  assertMatch(Address, /^127\.0\.0\.1:\d+$/);
  assertEquals(
    await run(["peek", ...at, path], options),
    `{\n\t"Address": "${Address}",\n\t"Records": {}\n}\n`,
  );
  assertEquals(await run(["set", ...at, path, "miek.nl. 3600 IN MX 10 mx.miek.nl."], options), "");
  // Without quotes the shell makes many arguments of it.
  await run(["set", ...at, path, ..."miek.nl. 3600 IN MX 20 mx2.miek.nl.".split(" ")], options);
  assertEquals(await peek(), { Address, Records: { "miek.nl.": [MX_10, MX_20] } });
  assertMatch(await run(["ls", ...at, "-l", `${far.path}/...`], options), /^dns +\/.*\/mydns$/m);
  assertEquals(await run(["unset", ...at, path, "MIEK.NL"], options), "");
  assertEquals(await peek(), { Address, Records: {} });
  assertEquals(await run(["scrub", ...at, path], options), "");
  assertEquals(await run(["peek", ...at, path], options), "null\n");
});

circuitTest("mkdns, set and unset say what is wrong in a line", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  const at = ["-d", near.address];
  const path = `${far.path}/ns`;
  await run(["mkdns", ...at, path]);
  const { Address } = JSON.parse(await run(["peek", ...at, path]));
  await assertRefused(["mkdns", ...at, path], /it holds a dns already/);
  await assertRefused(
    ["mkdns", ...at, `${far.path}/x`, Address],
    /cannot listen on .*: the port is taken/,
  );
  await assertRefused(["mkdns", ...at, `${far.path}/x`, "53"], /want HOST:PORT, HOST or :PORT/);
  await assertRefused(["set", ...at, path, "x A 192.0.2"], /want an IPv4 address, not "192\.0\.2"/);
  await assertRefused(["unset", ...at, path, "a..b"], /a label is empty/);
  await assertRefused(
    ["set", ...at, `${far.path}/x`, "x A 192.0.2.1"],
    /it should be a name server/,
  );
  await assertRefused(["unset", ...at, far.path, "x"], /is a server; it should be a name server/);
});

circuitTest("the examples in the help of mkdns, set and unset work", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  for (const name of ["mkdns", "set", "unset"]) {
    const example = clientCommands.find((each) => each.name === name)?.example;
    assert(example);
    // As a shell has it: white space parts arguments, but not inside quotes. The port may be taken.
    const typed = example.replace("/X88550014d4c82e4d", far.path).replace(":7711", ":0");
    const words = [...typed.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) =>
      quoted ?? plain ?? ""
    );
    const { code, stderr } = await tool([
      ...words.slice(1, 2),
      "-d",
      near.address,
      ...words.slice(2),
    ]);
    assertEquals([code, stderr], [0, ""], example);
  }
});

Deno.test("the tool's import graph holds nothing of npm", async () => {
  // Deno resolves what is in it when the tool starts, so it would ask npm's registry at every start
  // on a machine that can't reach it. The name server is loaded when the first one is made.
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", `--config=${root}deno.json`, `${root}main.ts`],
  }).output();
  assert(success);
  const graph = new TextDecoder().decode(stdout);
  assert(graph.includes("elements/dns/load.ts"));
  assert(!graph.includes("dns-packet") && !graph.includes("elements/dns/nameserver.ts"));
});
