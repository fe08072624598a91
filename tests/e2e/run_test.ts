/**
 * `circuit run`: a command on one, many or all servers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Cluster, cluster, dialTo, type RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused, assertUsage } from "../refused.ts";
import { onBothRoutes, type Route } from "../routes.ts";
import { quote, shell } from "../shell.ts";
import { run, RunningTool, tool, type ToolOptions, type ToolResult } from "../tool.ts";
import { isAlive, untilCalls } from "../traces.ts";
import { until } from "../until.ts";

/** The tool's options on a route. */
function via({ program }: Pick<Route, "program">): ToolOptions {
  return program ? { program } : {};
}

/** Runs a script of `/bin/sh` on servers. */
function runScript(
  { near }: Cluster,
  selector: string,
  script: string,
  options: ToolOptions = {},
  flags: readonly string[] = [],
): Promise<ToolResult> {
  return tool(["run", "-d", near.address, ...flags, selector, "--", "sh", "-c", script], options);
}

/** Lines in order, for outputs of which only that within a server is certain. */
function sorted(text: string): string[] {
  return text.split("\n").filter((line) => line !== "").sort();
}

/** One line for each server, in order. */
function each(servers: readonly RunningServer[], line: (server: RunningServer) => string) {
  return servers.map(line).sort();
}

/** Waits until nothing is left of what a run has made. */
async function untilNothingIsLeft({ near, servers }: Cluster): Promise<void> {
  await using client = await dialTo(near);
  for (const server of servers) {
    const view = () => client.anchor(server.path).view();
    await until(`the anchors of ${server.path} to go`, view, ({ size }) => size === 0);
    await untilCalls(client, server, 0);
  }
}

onBothRoutes("run prints lines behind their servers' paths", async (circuit, route) => {
  const { servers } = circuit;
  const script = "echo one; printf 'two\\n\\nthree'; echo bad >&2";
  const { code, stdout, stderr } = await runScript(circuit, "/", script, via(route));
  assertEquals(code, 0);
  for (const { path } of servers) {
    const own = stdout.split("\n").filter((line) => line.startsWith(path));
    assertEquals(own, ["one", "two", "", "three"].map((line) => `${path}: ${line}`));
  }
  assertEquals(stdout.split("\n").length, 9);
  assertEquals(sorted(stderr), each(servers, ({ path }) => `${path}: bad`));
  // Nothing is left behind, not for a moment.
  assertEquals(sorted(await run(["ls", "-d", circuit.near.address, "/..."])), paths(circuit));
});

onBothRoutes("run has the process's own status with one server", async (circuit, route) => {
  const { path } = circuit.far;
  assertEquals(await runScript(circuit, path, "echo out; exit 7", via(route)), {
    code: 7,
    stdout: `${path}: out\n`,
    stderr: `circuit: ${path}: exit status 7\n`,
  });
  assertEquals(await runScript(circuit, path, "kill -9 $$", via(route)), {
    code: 137,
    stdout: "",
    stderr: `circuit: ${path}: signal: killed\n`,
  });
  assertEquals((await runScript(circuit, path, "true", via(route))).code, 0);
  const { code, stdout, stderr } = await tool(
    ["run", "-d", circuit.near.address, path, "--", "/no/such"],
    via(route),
  );
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^circuit: \/X[^:]+: cannot start "\/no\/such" at [^\n]+no such program[^\n]+\n$/,
  );
});

onBothRoutes("run fails with many if one does, and says which", async (circuit, route) => {
  const { near, far } = circuit;
  await using client = await dialTo(near);
  await client.anchor(far.path).walk("flag").makeChan();
  // Each server has an environment of its own; what differs here is its parent.
  const script = `test $PPID != ${far.pid}`;
  const { code, stdout, stderr } = await runScript(circuit, "/", script, via(route));
  assertEquals([code, stdout, stderr], [1, "", `circuit: ${far.path}: exit status 1\n`]);
});

onBothRoutes(
  "run gives its standard input to one server, and to many none",
  async (circuit, route) => {
    const { far } = circuit;
    const stdin = "x".repeat(300_000) + "\nlast";
    const one = await runScript(circuit, far.path, "cat | wc -c", { ...via(route), stdin });
    assertEquals([one.code, one.stdout], [0, `${far.path}: 300005\n`]);
    const many = await runScript(circuit, "/", "wc -c", { ...via(route), stdin });
    assertEquals(
      [many.code, sorted(many.stdout)],
      [0, each(circuit.servers, ({ path }) => `${path}: 0`)],
    );
    // A process that does not read it, and ends while it is open.
    await using open = new RunningTool(
      ["run", "-d", circuit.near.address, far.path, "--", "sh", "-c", "exec <&-; exit 4"],
      via(route),
    );
    assertEquals((await open.result()).code, 4);
  },
);

onBothRoutes("run -b prints what servers have in common once", async (circuit, route) => {
  const { near, far, servers } = circuit;
  const all = paths(circuit).join(",");
  const rule = "-".repeat(15);
  const same = await runScript(circuit, "/", "echo a; printf b", via(route), ["-b"]);
  assertEquals(same, { code: 0, stdout: `${rule}\n${all} (2)\n${rule}\na\nb\n`, stderr: "" });
  const script = `echo $PPID; test $PPID = ${far.pid} && echo far >&2`;
  const different = await runScript(circuit, "/", script, via(route), ["-b"]);
  const group = ({ path, pid }: RunningServer) => `${rule}\n${path}\n${rule}\n${pid}\n`;
  assertEquals(different.stdout, each(servers, group).join(""));
  assertEquals(different.code, 1);
  assertEquals(
    sorted(different.stderr),
    [`${far.path}: far`, `circuit: ${near.path}: exit status 1`],
  );
});

onBothRoutes("run -detach leaves the processes and prints their paths", async (circuit, route) => {
  const { near, servers } = circuit;
  const options = { ...via(route), stdin: "ignored" };
  const script = "cat; seq 1 100000; echo $$";
  const { code, stdout, stderr } = await runScript(circuit, "/", script, options, ["-detach"]);
  assertEquals([code, stderr], [0, ""]);
  const left = sorted(stdout);
  assertEquals(left.map((path) => path.replace(/\/run\/[0-9a-f]{16}$/, "")), paths(circuit));
  const waited = await run(["waitall", "-d", near.address], { ...via(route), stdin: stdout });
  assertEquals(sorted(waited), left.map((path) => `${path}\texit status 0`));
  for (const path of left) {
    const output = await run(["stdout", "-d", near.address, path], via(route));
    assertEquals(output.split("\n").slice(0, 100_000).at(-1), "100000");
    await run(["scrub", "-d", near.address, path], via(route));
  }
  await untilNothingIsLeft(circuit);

  const [server] = servers;
  assert(server);
  const one = await runScript(circuit, server.path, "cat", { ...options, stdin: "hello" }, [
    "-detach",
  ]);
  assertEquals(await run(["stdout", "-d", near.address, one.stdout.trim()], via(route)), "hello");
});

onBothRoutes(
  "run -json prints a line of JSON for each line and each end",
  async (circuit, route) => {
    const { path } = circuit.far;
    const script = "echo out; sleep 0.1; echo err >&2; sleep 0.1; exit 3";
    const lines = async (flags: string[], selector = path) => {
      const result = await runScript(circuit, selector, script, via(route), ["-json", ...flags]);
      assertEquals(result.stderr, "");
      return sorted(result.stdout).map((line) => JSON.parse(line));
    };
    const end = { path, exit: "exit status 3", exitCode: 3, signal: null };
    assertEquals(await lines([]), [end, { path, stderr: "err" }, { path, stdout: "out" }]);
    const grouped = await lines(["-b"], "/");
    assertEquals(grouped.filter((each) => "paths" in each), [
      { paths: paths(circuit), stdout: "out\n" },
    ]);
    const [detached, ...none] = await lines(["-detach"]);
    assertMatch(detached.path, new RegExp(`^${path}/run/`));
    assertEquals(none, []);
    const failed = await tool(
      ["run", "-json", "-d", circuit.near.address, path, "--", "/no/such"],
      via(route),
    );
    assertEquals([failed.code, failed.stderr], [1, ""]);
    assertMatch(JSON.parse(failed.stdout).error, /no such program/);
  },
);

/** Prints its number, and takes no notice of the end of its input, nor does its child. */
const LASTING = "echo $$; sleep 1000 & echo $!; wait";

/** Starts {@linkcode LASTING} everywhere; the numbers of all processes. */
async function startLasting(running: RunningTool, count: number): Promise<number[]> {
  const pids: number[] = [];
  while (pids.length < 2 * count) {
    const pid = Number(/: (\d+)$/.exec(await running.stdout.line())?.[1]);
    assert(await isAlive(pid));
    pids.push(pid);
  }
  return pids;
}

/** Waits until all of them have ended. */
async function untilAllEnded(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await until(`process ${pid} to end`, async () => !await isAlive(pid));
}

for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGKILL", 137]] as const) {
  onBothRoutes(`run ends its processes everywhere when ${signal} ends the tool`, async (
    circuit,
    route,
  ) => {
    const args = ["run", "-d", circuit.near.address, "/", "--", "sh", "-c", LASTING];
    await using running = new RunningTool(args, via(route));
    const pids = await startLasting(running, circuit.servers.length);
    running.kill(signal);
    const { code, stderr } = await running.result();
    assertEquals([code, stderr], [status, ""]);
    await untilAllEnded(pids);
    await untilNothingIsLeft(circuit);
  });
}

onBothRoutes("run ends its processes when nobody reads what they print", async (circuit, route) => {
  const script = "echo $$ >&2; exec yes";
  const { code, stdout, stderr } = await shell(
    `circuit run -d ${circuit.near.address} / -- sh -c ${quote(script)} | head -n 3`,
    route.program ? { program: route.program } : {},
  );
  assertEquals([code, stdout.split("\n").length], [0, 4]);
  assertMatch(stdout, /^(\/X[0-9a-f]{16}: y\n){3}$/);
  const pids = sorted(stderr).map((line) => Number(/: (\d+)$/.exec(line)?.[1]));
  await untilAllEnded(pids);
  await untilNothingIsLeft(circuit);
});

for (const which of ["far", "near"] as const) {
  circuitTest(`run goes on when the ${which} server dies meanwhile`, async (logs) => {
    await using circuit = await cluster(3, { logs });
    const victim = circuit[which];
    const args = ["run", "-d", circuit.near.address, "/", "--", "sh", "-c"];
    const script = "echo $$; read line < $0 || exit 9; echo end";
    const folder = await Deno.makeTempDir();
    try {
      const gate = `${folder}/gate`;
      assert((await new Deno.Command("mkfifo", { args: [gate] }).output()).success);
      await using running = new RunningTool([...args, script, gate]);
      const pids = new Map<string, number>();
      while (pids.size < 3) {
        const [path = "", pid] = (await running.stdout.line()).split(": ");
        pids.set(path, Number(pid));
      }
      await victim.crash();
      // Without its server a process runs on, and would take what is meant for others.
      Deno.kill(pids.get(victim.path) ?? 0, "SIGKILL");
      await Deno.writeTextFile(gate, "a\nb\n");
      const { code, stdout, stderr } = await running.result();
      const others = circuit.servers.filter((server) => server !== victim);
      assertEquals(sorted(stdout), each(others, ({ path }) => `${path}: end`), stderr);
      assertEquals(code, 1);
      assertEquals(stderr.split("\n").length, 2, stderr);
      assert(stderr.startsWith(`circuit: ${victim.path}: `), stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

circuitTest("run does not mix lines, however they come", async (logs) => {
  await using circuit = await cluster(3, { logs });
  const program = 'BEGIN { for (i = 1; i <= 100; i++) x = x "x"; for (i = 1; i <= 300; i++) ' +
    '{ s = s x; printf "begin"; fflush(); printf "%s", s; fflush(); print "end" } }';
  const script = `awk ${quote(program)}`;
  const { code, stdout, stderr } = await runScript(circuit, "/", script);
  assertEquals([code, stderr], [0, ""]);
  const seen = new Map<string, number>();
  for (const line of stdout.trimEnd().split("\n")) {
    const [, path = "", body = ""] = /^(\/X[0-9a-f]{16}): begin(x*)end$/.exec(line) ?? [];
    const count = (seen.get(path) ?? 0) + 1;
    assertEquals(body.length, count * 100, line.slice(0, 100));
    seen.set(path, count);
  }
  assertEquals([...seen.values()], [300, 300, 300]);
});

circuitTest("run says what is wrong with its arguments", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const finding = ["-d", circuit.near.address];
  const [first = "", second = ""] = paths(circuit);
  await assertRefused(
    ["run", ...finding, "/Xz", "--", "true"],
    new RegExp(`no server's path begins with "/Xz"; the servers are ${first}, ${second}`),
  );
  assertEquals((await tool(["run", ...finding, "/X", "--", "true"])).code, 0);
  assertEquals((await tool(["run", ...finding, `${first},${second}`, "--", "true"])).code, 0);
  await assertUsage(["run", ...finding, "Xz", "--", "true"], /SELECTOR must begin with \//);
  await assertUsage(["run", ...finding, `${first}/a`, "--", "true"], /SELECTOR names servers/);
  await assertUsage(["run", ...finding, "/"], /CMD is missing/);
  await assertUsage(["run", ...finding, "-b", "-detach", "/", "--", "true"], /exclude each other/);
  // Behind -- flags are the command's.
  const { stdout } = await tool(["run", ...finding, first, "--", "echo", "-b", "--", "-json"]);
  assertEquals(stdout, `${first}: -b -- -json\n`);
});

circuitTest("run tells on a terminal how far it is, with more than four servers", async (logs) => {
  for (const count of [4, 5]) {
    await using circuit = await cluster(count, { logs });
    // Standard error is the terminal that script(1) makes, standard output is not.
    const { code, stdout, stderr } = await shell(
      `script -qec "circuit run -d ${circuit.near.address} / -- sh -c 'sleep 1; echo out' > out" ` +
        "/dev/null < /dev/null; cat out >&2",
    );
    assertEquals(code, 0);
    assertEquals(sorted(stderr), each(circuit.servers, ({ path }) => `${path}: out`));
    const line = "0 of 5 servers done";
    assertEquals(stdout.includes(`\r${line}\x1b[K`), count === 5, JSON.stringify(stdout));
    // It is gone at the end.
    assertEquals(stdout.endsWith("\r\x1b[K"), count === 5, JSON.stringify(stdout));
  }
}, { ignore: !await hasScript() });

/** Whether there is the script(1) of util-linux. */
async function hasScript(): Promise<boolean> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", "script --version"] })
    .output();
  return new TextDecoder().decode(stdout).includes("util-linux");
}

/** The paths of all servers, sorted. */
function paths({ servers }: Cluster): string[] {
  return servers.map(({ path }) => path).sort();
}
