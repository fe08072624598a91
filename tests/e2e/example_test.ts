/**
 * The examples that the help shows, typed into a shell: a help that lies is worse than none.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { clientCommands } from "../../client/commands/mod.ts";
import type { Anchor } from "../../mod.ts";
import { startCommand } from "../../server/start_command.ts";
import { bytes } from "../bytes.ts";
import { type Cluster, dialTo } from "../launcher.ts";
import { onBothRoutes, type Route } from "../routes.ts";
import { shell } from "../shell.ts";

/** The server of the examples, and another one's address. */
const SERVER = "/X88550014d4c82e4d";
const ADDRESS = "circuit://10.0.0.2:11088/78517/Q938fe923bcdef239";

/** An example that needs what not every machine has; its own test runs it. */
const ELSEWHERE = ["mkdkr"];

const charlie = (server: Anchor) => server.walk("this", "is", "charlie").makeChan(1);
const pippi = (path: string, ...args: string[]) => (server: Anchor) =>
  server.walk("pippi").makeProc({ path, args });
const mydns = (server: Anchor) => server.walk("mydns").makeNameserver();

/** What has to be there for an example. */
const NEEDED: Readonly<Record<string, (server: Anchor) => Promise<unknown>>> = {
  peek: charlie,
  scrub: charlie,
  send: charlie,
  recv: async (server) => await (await charlie(server)).sendBytes(bytes("hello")),
  close: charlie,
  signal: pippi("sleep", "1000"),
  wait: pippi("true"),
  stdin: pippi("cat"),
  stdout: pippi("echo", "out"),
  stderr: pippi("sh", "-c", "echo err >&2"),
  waitall: async (server) => {
    for (const name of ["a", "b"]) await server.walk("jobs", name).makeProc({ path: "true" });
  },
  set: mydns,
  unset: mydns,
};

/** What an example prints, where that is certain. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  ls: /^\/X.*\n\/X.*\nserver {10}\/X.*\nserver {10}\/X.*\n$/,
  peek: /"Cap": 1,/,
  recv: /^hello$/,
  wait: /"Phase": "exited"/,
  stdout: /^out\n$/,
  stderr: /^err\n$/,
  waitall: /^(\/X[0-9a-f]{16}\/jobs\/[ab]\texit status 0\n){2}$/,
  run: /^(\/X.*\n){2}-+\n\/X/,
  version: /^circuit \d/,
  help: /^circuit \w+: /,
};

/** The lines to type: the example, with what there is in place of what it names. */
function typed(name: string, example: string, { near, far }: Cluster): string {
  const script = example
    .replaceAll(SERVER, far.path)
    .replaceAll(ADDRESS, near.address)
    // The port may be taken.
    .replaceAll(":7711", ":0");
  if (name !== "start") return script;
  // A server runs until it is told to stop.
  const until = "while [ ! -s address ]; do sleep 0.1; done";
  return `${script} > address 2> log &\n${until}; kill $!; wait $!`;
}

async function runExample(circuit: Cluster, route: Route, name: string, example: string) {
  await using client = await dialTo(circuit.near);
  const server = client.anchor(circuit.far.path);
  await NEEDED[name]?.(server);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, circuit.near.address);
    const { code, stdout, stderr } = await shell(`set -e\n${typed(name, example, circuit)}`, {
      env: { CIRCUIT: file },
      ...(route.program ? { program: route.program } : {}),
    });
    assertEquals([code, stderr], [0, ""], `${name}: ${example}`);
    const wanted = PRINTED[name] ?? /(?:)/;
    assertEquals(wanted.test(stdout), true, `${name}: ${example}\n${stdout}`);
  } finally {
    await Deno.remove(file);
  }
  if (name === "suicide") return;
  for await (const { path } of server.list({ recursive: true })) await client.anchor(path).scrub();
}

onBothRoutes("help gives examples that work", async (circuit, route) => {
  const commands = [startCommand, ...clientCommands].filter(({ name }) =>
    !ELSEWHERE.includes(name)
  );
  const last = commands.filter(({ name }) => name === "suicide");
  for (const { name, example } of [...commands.filter((each) => !last.includes(each)), ...last]) {
    await runExample(circuit, route, name, example);
  }
});
