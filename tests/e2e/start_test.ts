/**
 * `circuit start`: where it listens, whom it joins, and how it ends.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { dial } from "../../mod.ts";
import { cluster, dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { run, RunningTool, tool } from "../tool.ts";
import { childrenOf, hasProcFs, isAlive } from "../traces.ts";
import { FairClock, until, within } from "../until.ts";

/** Milliseconds in which a server that is told to stop must have stopped. */
const STOPS_WITHIN_MS = 2_000;

/** Milliseconds in which the others must see that it has gone. */
const SEEN_WITHIN_MS = 1_000;

const ADDRESS = /^circuit:\/\/(.+):(\d+)\/(\d+)\/Q[0-9a-f]{16}$/;

/** Starts a server with these arguments and nothing else; the host in its first line. */
async function hostWith(args: readonly string[]): Promise<string> {
  await using server = new RunningTool(["start", ...args]);
  const line = await server.stdout.line();
  const [, host = "", port, pid] = ADDRESS.exec(line) ?? [];
  assert(host !== "", `no address: ${line}`);
  assertEquals(Number(pid), server.pid);
  await using client = await dial(`${host}:${port}`);
  assertEquals(client.address, line);
  server.kill("SIGTERM");
  const { code, stdout } = await server.result();
  // Nothing but the address goes to standard output.
  assertEquals([code, stdout], [0, ""]);
  return host;
}

circuitTest("start listens where -a says, and picks a port where it does not", async () => {
  assertEquals(await hostWith(["-a", "127.0.0.1"]), "127.0.0.1");
  assertEquals(await hostWith(["-a", "127.0.0.1:0"]), "127.0.0.1");
  assertEquals(await hostWith(["--addr=localhost:0"]), "localhost");
});

circuitTest("start listens on the interface that -if names", async () => {
  const loopback = Deno.networkInterfaces().find(({ address }) => address === "127.0.0.1");
  assertEquals(await hostWith(["-if", loopback?.name ?? "lo"]), "127.0.0.1");
});

circuitTest("start advertises an address that is not loopback, if there is one", async () => {
  const outward = Deno.networkInterfaces().filter(({ address, family }) =>
    family === "IPv4" && !address.startsWith("127.") && !address.startsWith("169.254.")
  );
  assertEquals(await hostWith([]), outward[0]?.address ?? "127.0.0.1");
});

circuitTest("start joins every circuit that a -j names, by address or HOST:PORT", async (logs) => {
  await using one = await RunningServer.start({ logs });
  await using two = await RunningServer.start({ logs });
  const args = ["-j", one.address, "-join", two.hostPort];
  await using three = await RunningServer.start({ logs, args });
  const all = [one, two, three];
  for (const each of all) await untilSeen(each, all);
});

circuitTest("start fails with one clear line and status 1", async (logs) => {
  await using server = await RunningServer.start({ logs });
  const file = await Deno.makeTempFile();
  const wrong = server.address.replace(/Q.*/, "Q0123456789abcdef");
  const failures: [string[], RegExp][] = [
    [["-a", server.hostPort], /cannot listen on 127\.0\.0\.1:\d+: the port is in use/],
    [
      ["-if", "no-such-interface"],
      /there is no interface no-such-interface with an address: this machine has /,
    ],
    [["-a", "127.0.0.1", "-if", "lo"], /-a and -if exclude each other/],
    [["-a", "nonsense:nonsense"], /bad listening address "nonsense:nonsense"/],
    [["-a", "127.0.0.1:99999"], /bad listening address/],
    [["-a", "192.0.2.1:0"], /cannot listen on 192\.0\.2\.1:0: .*not an address of this machine/],
    [
      ["-a", "127.0.0.1", "-j", "127.0.0.1:1"],
      /cannot connect to 127\.0\.0\.1:1: connection refused/,
    ],
    [["-a", "127.0.0.1", "-j", "nonsense"], /bad circuit address "nonsense"/],
    [["-a", "127.0.0.1", "-j", wrong], /X0123456789abcdef/],
    [["-a", "127.0.0.1", "-var", file], /cannot use directory/],
  ];
  try {
    for (const [args, message] of failures) {
      const { code, stdout, stderr } = await tool(["start", ...args]);
      assertEquals([code, stdout], [1, ""], `${args}: ${stderr}`);
      const lines = stderr.trim().split("\n").filter((line) => line.startsWith("circuit: "));
      assertEquals(lines.length, 1, stderr);
      assertMatch(lines[0] ?? "", message);
      assert(!stderr.includes("    at "), stderr);
    }
  } finally {
    await Deno.remove(file);
  }
  // The server that was in the way is none the worse.
  assertEquals(await run(["ls", "-d", server.address, "/"]), `${server.path}\n`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  circuitTest(
    `start ends in order on ${signal}: the others see it, its processes too`,
    async (logs) => {
      await using circuit = await cluster(3, { logs, args: ["-grace", "1"] });
      const { near, far } = circuit;
      await using client = await dialTo(near);
      const anchor = client.anchor(far.path);
      const polite = await anchor.walk("polite").makeProc({ path: "sleep", args: ["1000"] });
      const trap = "trap '' TERM; echo ready; exec sleep 1000";
      const stubborn = await anchor.walk("stubborn").makeProc({
        path: "/bin/sh",
        args: ["-c", trap],
      });
      const reader = stubborn.stdout().getReader();
      await reader.read();
      await reader.cancel();
      const pids = [(await polite.peek()).pid, (await stubborn.peek()).pid];
      await using other = await dialTo(circuit.server(2));

      using clock = new FairClock();
      far.kill(signal);
      for (const each of [client, other]) {
        await until(
          "the departure to be seen",
          () => each.servers(),
          (servers) => servers.length === 2,
          { within: SEEN_WITHIN_MS },
        );
      }
      const { code } = await within(10_000, "the server's end", far.status);
      const took = clock.ms;
      assertEquals(code, 0);
      assert(took < STOPS_WITHIN_MS, `it took ${took} ms`);
      for (const pid of pids) {
        await until(`process ${pid} to end`, () => isAlive(pid), (alive) => !alive);
      }
      // The rest is one circuit still.
      await client.anchor(circuit.server(2).path).walk("c").makeChan();
    },
  );
}

circuitTest("start sees within a second that another server was killed", async (logs) => {
  await using circuit = await cluster(3, { logs });
  const { near, far } = circuit;
  const rest = [near, circuit.server(2)];
  await using clients = new AsyncDisposableStack();
  const dialled = await Promise.all(rest.map((server) => dialTo(server)));
  for (const each of dialled) clients.use(each);
  far.kill("SIGKILL");
  await Promise.all(dialled.map((client) =>
    until(
      "the death to be seen",
      () => client.servers(),
      (servers) => servers.length === 2,
      { within: SEEN_WITHIN_MS },
    )
  ));
  await using next = await RunningServer.start({ logs, args: ["-j", near.address] });
  for (const server of rest) await untilSeen(server, [...rest, next]);
});

circuitTest(
  "start -var locks its directory until the server is gone, however it goes",
  async (logs) => {
    const folder = await Deno.makeTempDir();
    const args = ["-var", `${folder}/var`];
    try {
      await using first = await RunningServer.start({ logs, args });
      const { code, stderr } = await tool(["start", "-a", "127.0.0.1:0", ...args]);
      assertEquals(code, 1);
      assertMatch(stderr, new RegExp(`another server \\(process ${first.pid}\\) has it`));
      // Who is refused leaves the other's files alone.
      const log = await Deno.readTextFile(`${folder}/var/circuit.log`);
      assert(log.includes(first.address), log);

      await first.crash();
      await using second = await RunningServer.start({ logs, args });
      second.kill("SIGTERM");
      assertEquals((await second.status).code, 0);
      await using _third = await RunningServer.start({ logs, args });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

circuitTest("start -var reports the processes that survived a crash", async (logs) => {
  const folder = await Deno.makeTempDir();
  const args = ["-var", folder];
  let survivor: number | undefined;
  try {
    await using first = await RunningServer.start({ logs, args });
    await using client = await dialTo(first);
    const anchor = client.anchor(first.path);
    const proc = await anchor.walk("survivor").makeProc({ path: "sleep", args: ["1000"] });
    survivor = (await proc.peek()).pid;
    const known = () => Deno.readTextFile(`${folder}/children.json`).catch(() => "");
    await until("the list of children", known, (text) => text.includes("survivor"));
    if (hasProcFs) assertEquals(await childrenOf(first.pid), [survivor]);
    await first.crash();
    assert(await isAlive(survivor));

    await using second = await RunningServer.start({ logs, args });
    const line = `process ${survivor} (sleep 1000), of ${first.path}/survivor`;
    await until("the report", () => String(second.log), (text) => text.includes(line));
    Deno.kill(survivor, "SIGKILL");
    // Once it is gone nothing is reported any more.
    await second.crash();
    await using third = await RunningServer.start({ logs, args });
    await using _client = await dialTo(third);
    assert(!String(third.log).includes("still running"), String(third.log));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

circuitTest("start writes its log to standard error, as much as CIRCUIT_LOG says", async (logs) => {
  const quiet = { CIRCUIT_LOG: "error" };
  await using first = await RunningServer.start({ logs, env: { CIRCUIT_LOG: "info" } });
  await using second = await RunningServer.start({
    logs,
    args: ["-j", first.address],
    env: quiet,
  });
  await until("the news", () => String(first.log), (text) => text.includes(second.id));
  second.kill("SIGTERM");
  await second.status;
  await second.log.ended;
  assertEquals(String(second.log), "");
});
