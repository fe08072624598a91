/**
 * The log of a server: what becomes of it, and of the server, where nobody reads it, where it cannot
 * be written, and when its file is moved.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { dialTo, RunningServer, type StartOptions, untilSeen } from "../launcher.ts";
import { circuitTest, LogBuffer, type Logs } from "../logs.ts";
import { beLoud } from "../loud.ts";
import { environment, fromSources, root } from "../program.ts";
import { folder } from "../temp.ts";
import { run } from "../tool.ts";
import { isAlive } from "../traces.ts";
import { until, within } from "../until.ts";

/** Milliseconds in which a server that is told to stop must have stopped. */
const STOPS_WITHIN_MS = 2_000;

/** Stops a server as its user does, which must be in order and in time. */
async function stop(server: RunningServer): Promise<void> {
  server.kill("SIGTERM");
  const { code } = await within(STOPS_WITHIN_MS, "the server's end", server.status);
  assertEquals(code, 0);
}

/** Whether the server sees another one come and go, and starts processes. */
async function serves(logs: Logs, server: RunningServer): Promise<void> {
  await using client = await dialTo(server);
  const anchor = client.anchor(server.path);
  const joins = await anchor.walk("joins").makeOnJoin();
  const leaves = await anchor.walk("leaves").makeOnLeave();
  assertEquals(await joins.consume(), server.path);
  for (const end of ["SIGKILL", "SIGTERM"] as const) {
    await using other = await RunningServer.start({ logs, args: ["-j", server.address] });
    assertEquals(await joins.consume(), other.path);
    await untilSeen(other, [server, other]);
    other.kill(end);
    assertEquals(await leaves.consume(), other.path);
  }
  const proc = await anchor.walk("true").makeProc({ path: "true" });
  assertEquals((await proc.wait()).exit, null);
  await anchor.walk("true").scrub();
}

/** How standard error can be of no use, as a line of shell; `$FIFO` is a named pipe. */
const BROKEN: Readonly<Record<string, string>> = {
  "is a full device": 'exec "$@" 2>/dev/full',
  "is closed": 'exec "$@" 2>&-',
  "is for reading only": 'exec "$@" 2</dev/null',
  "is a pipe whose reader leaves": 'exec "$@" 2>"$FIFO"',
};

for (const [what, shell] of Object.entries(BROKEN)) {
  circuitTest(`start serves, and logs to its file, where standard error ${what}`, async (logs) => {
    await using dir = await folder();
    const FIFO = `${dir.path}/fifo`;
    assertEquals((await new Deno.Command("mkfifo", { args: [FIFO] }).output()).code, 0);
    const starting = RunningServer.start({
      logs,
      shell,
      env: { FIFO },
      args: ["-var", `${dir.path}/var`],
    });
    if (shell.includes("FIFO")) await readOnce(FIFO);
    await using server = await starting;
    await serves(logs, server);
    await stop(server);
    const log = await Deno.readTextFile(`${dir.path}/var/circuit.log`);
    assertMatch(
      log,
      /INFO {2}\/X[0-9a-f]+\/true: mkproc true, asked for by client 127\.0\.0\.1:\d/,
    );
    assertMatch(log, /INFO {2}stopping: SIGTERM\n/);
  });
}

/** Reads a little from a named pipe, and leaves. */
async function readOnce(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.read(new Uint8Array(10));
}

/** A server whose standard error nobody reads: it is a named pipe that the server has open itself. */
async function unread(options: StartOptions, FIFO: string): Promise<RunningServer> {
  assertEquals((await new Deno.Command("mkfifo", { args: [FIFO] }).output()).code, 0);
  return await RunningServer.start({ ...options, shell: 'exec "$@" 2<>"$FIFO"', env: { FIFO } });
}

circuitTest(
  "start serves and stops where nobody reads standard error, and its file has each line",
  async (logs) => {
    await using dir = await folder();
    const args = ["-var", `${dir.path}/var`];
    await using server = await unread({ logs, args }, `${dir.path}/fifo`);
    await using client = await dialTo(server);
    await beLoud(client, server.path, 100);
    await serves(logs, server);
    await stop(server);
    const log = await Deno.readTextFile(`${dir.path}/var/circuit.log`);
    assertEquals(log.match(/x: scrub, asked for by client/g)?.length, 100);
    assert(!log.includes("dropped"), log);
  },
);

circuitTest("start says how many lines it has dropped once they are read again", async (logs) => {
  await using dir = await folder();
  const fifo = `${dir.path}/fifo`;
  await using server = await unread({ logs }, fifo);
  await using client = await dialTo(server);
  // The pipe holds 64 KiB, the buffer 1 MiB.
  await beLoud(client, server.path, 1_000);
  const reader = await Deno.open(fifo);
  const log = new LogBuffer("what was read", reader.readable);
  const dropped = /WARN {2}(\d+) lines dropped/;
  const count = Number(
    (await until("the count", () => dropped.exec(String(log)), (seen) => seen !== null))?.[1],
  );
  assert(count > 300 && count < 700, `${count} lines`);
  await beLoud(client, server.path, 1);
  await until("a line after it", () => /dropped[^]*\n.*x: scrub/.test(String(log)));
  await stop(server);
  await log.ended;
  assertMatch(String(log), /stopping: SIGTERM\n[^\n]*stopped\n$/);
});

circuitTest("start opens its log file again on SIGHUP, however many come", async (logs) => {
  await using dir = await folder();
  const file = `${dir.path}/circuit.log`;
  await using server = await RunningServer.start({ logs, args: ["-var", dir.path] });
  await until("the first line", () => Deno.readTextFile(file).catch(() => ""), (text) => !!text);
  await Deno.rename(file, `${file}.old`);
  for (let i = 0; i < 50; i++) server.kill("SIGHUP");
  const hangUp = (text: string) => text.includes("SIGHUP: the server goes on");
  await until("the new file", () => Deno.readTextFile(file).catch(() => ""), hangUp);
  assert((await Deno.readTextFile(`${file}.old`)).includes(server.address));
  // Without a signal, it is noticed with a line that comes later.
  await Deno.remove(file);
  await using client = await dialTo(server);
  await until("the file after that", async () => {
    await beLoud(client, server.path, 1);
    return await Deno.readTextFile(file).catch(() => "");
  }, (text) => text.includes("x: scrub"));
  await stop(server);
});

const hasPrlimit = Deno.build.os === "linux" &&
  await new Deno.Command("prlimit", { args: ["--version"], stdout: "null" }).output()
    .then(({ success }) => success, () => false);

circuitTest("start goes on where its log file may not grow", async (logs) => {
  await using dir = await folder();
  await using server = await RunningServer.start({ logs, args: ["-var", dir.path] });
  const args = ["--pid", String(server.pid), "--fsize=100000"];
  assert((await new Deno.Command("prlimit", { args }).output()).success);
  await using client = await dialTo(server);
  await beLoud(client, server.path, 60);
  const refused = /cannot write the log to .*circuit\.log, trying on: File too large/;
  await until("the trouble", () => String(server.log), (text) => refused.test(text));
  assertEquals((await Deno.stat(`${dir.path}/circuit.log`)).size, 100_000);
  await serves(logs, server);
  await stop(server);
}, { ignore: !hasPrlimit });

circuitTest("start logs who has had it do what, on any server", async (logs) => {
  await using near = await RunningServer.start({ logs });
  await using far = await RunningServer.start({ logs, args: ["-j", near.address] });
  await using other = await RunningServer.start({ logs });
  const secret = "swordfish";
  const cmd = JSON.stringify({ Path: "sleep", Args: ["1000"], Env: [`S=${secret}`] });
  const path = `${near.path}/a\x1bb`;
  await run(["mkproc", "-d", near.address, path], { stdin: cmd });
  await run(["signal", "-d", near.address, "KILL", path]);
  await run(["scrub", "-d", near.address, path]);
  await run(["run", "-d", near.address, near.path, "--", "echo", secret]);
  await run(["join", "-d", near.address, near.path, other.address]);
  await run(["mkchan", "-d", near.address, `${near.path}/quiet`, "1"]);
  const wanted = ["mkproc sleep", "signal KILL", "scrub", "run echo", `join ${other.address}`];
  for (const deed of wanted) {
    const by = `${deed}, asked for by client 127.0.0.1:`;
    await until(deed, () => String(near.log), (text) => text.includes(by));
  }
  // A client that cannot reach the other server itself.
  const program = fromSources([near.hostPort]);
  await run(["scrub", "-d", near.address, `${far.path}/b`], { program });
  const through = `/b: scrub, asked for by a client, through server ${near.address}\n`;
  await until("the one passed on", () => String(far.log), (text) => text.includes(through));
  await run(["suicide", "-d", near.address, near.path]);
  await near.log.ended;
  const log = String(near.log);
  assertMatch(log, /INFO {2}\/X[0-9a-f]{16}: suicide, asked for by client 127\.0\.0\.1:\d+\n/);
  assert(log.includes("a\\u001bb: mkproc sleep"), log);
  for (const untold of [secret, "quiet", "\x1b"]) assert(!log.includes(untold), log);
});

circuitTest("start ends its processes in order after a fault of its own", async () => {
  await using dir = await folder();
  const script = `
    import { dial } from "${root}mod.ts";
    import { runServer } from "${root}server/run_server.ts";
    const print = async (address) => {
      const client = await dial(address);
      const [server] = await client.servers();
      const proc = await server.walk("p").makeProc({ path: "sleep", args: ["1000"] });
      console.log((await proc.peek()).pid);
      setTimeout(() => { throw new Error("first\\nfault"); }, 0);
      Promise.reject(new Error("second fault"));
    };
    Deno.exit(await runServer({ addr: "127.0.0.1:0", varDir: "${dir.path}/var" }, { print }));
  `;
  await Deno.writeTextFile(`${dir.path}/faulty.ts`, script);
  const { command, args } = fromSources();
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args.slice(0, -1), "--no-check", `${dir.path}/faulty.ts`],
    clearEnv: true,
    env: environment(),
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stderr);
  assertEquals(code, 1, said);
  for (const fault of ["Error: first fault", "Error: second fault"]) {
    assertMatch(said, new RegExp(`ERROR stopping after a fault of .*: ${fault} .*at `));
  }
  const pid = Number(new TextDecoder().decode(stdout));
  assert(pid > 0);
  assert(!await isAlive(pid));
  assertEquals(await Deno.readTextFile(`${dir.path}/var/circuit.log`), said);
});
