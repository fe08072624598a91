/**
 * A server and its host: what its programs get of it, and what may hang or go without harm.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CircuitError, type Client, type Cmd, type Proc } from "../../mod.ts";
import { textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { dialTo, RunningServer } from "../launcher.ts";
import { circuitTest, type Logs } from "../logs.ts";
import { RunningTool } from "../tool.ts";
import { hasProcFs, isAlive } from "../traces.ts";
import { until } from "../until.ts";

/** Whether a program can be run so, without harm. */
async function can(command: string, ...args: string[]): Promise<boolean> {
  try {
    const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, options).output()).success;
  } catch {
    return false;
  }
}

const isCompiled = Boolean(Deno.env.get("CIRCUIT_BIN"));
const canMount = await can("unshare", "--mount", "true");
const canBind = canMount && await can("bindfs", "--version");

/** A folder that is gone at the end of the block, if it was not before. */
async function folder() {
  const path = await Deno.realPath(await Deno.makeTempDir());
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }).catch(() => {}),
  };
}

/** A server, and a client of it. */
async function serve(logs: Logs, script: string, args: string[] = []) {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await RunningServer.start({ logs, shell: script, args }));
  const client = stack.use(await dialTo(server));
  const kept = stack.move();
  return { server, client, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

let made = 0;

/** Starts a program at an anchor of its own. */
function start(client: Client, cmd: Cmd, tied = false): Promise<Proc> {
  return client.anchor(`/${client.serverId}/${made++}`).makeProc(cmd, { tied });
}

/** What a program prints. */
async function printed(client: Client, cmd: Cmd, tied = false): Promise<string> {
  return await textOf((await start(client, cmd, tied)).stdout());
}

const sh = (script: string): Cmd => ({ path: "/bin/sh", args: ["-c", script] });

circuitTest(
  "programs get none of the descriptors that the server has inherited",
  async (logs) => {
    await using lock = await folder();
    const script = `exec 7>${lock.path}/lock 12>${lock.path}/other; flock 7; exec "$@"`;
    // Shells that take two digits.
    const bash = `exec bash -c '${script}' bash "$@"`;
    await using served = await serve(logs, bash);
    const { client, server } = served;
    const list = sh('cd /proc/$$/fd; for each in *; do [ -e "$each" ] && readlink "$each"; done');
    for (const tied of [false, true]) {
      assert(!(await printed(client, list, tied)).includes(lock.path));
      assertEquals(
        await printed(client, { path: "env", env: ["A.B=1", "C=x y"] }, tied),
        "A.B=1\nC=x y\n",
      );
    }
    const orphan = await start(client, { path: "sleep", args: ["1000"] });
    const { pid } = await orphan.peek();
    await server.crash();
    assert(await isAlive(pid));
    assert(await can("flock", "-n", `${lock.path}/lock`, "true"));
    Deno.kill(pid, "SIGKILL");
  },
  { ignore: !hasProcFs || !await can("bash", "-c", "true") },
);

circuitTest(
  "a server takes the open files that it may, its programs what it was started with",
  async (logs) => {
    await using served = await serve(logs, 'ulimit -Sn 256; exec "$@"');
    const { client, server } = served;
    const limit = sh("ulimit -Sn");
    if (isCompiled) assertEquals(await printed(client, limit), "256\n");
    const many = [];
    for (let i = 0; i < 120; i++) many.push(await start(client, { path: "cat" }));
    for (const tied of [false, true]) {
      const said = await printed(client, limit, tied);
      if (isCompiled) assertEquals(said, "256\n");
    }
    for (const each of many) await each.signal("KILL");
    // Some that say nothing, more than the server was started with.
    const port = Number(server.hostPort.split(":").at(-1));
    const silent = await Promise.all(
      Array.from({ length: 300 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
    );
    await using another = await dialTo(server);
    assertEquals((await another.servers()).length, 1);
    for (const each of silent) each.close();
  },
  { ignore: !hasProcFs },
);

circuitTest(
  "programs have the server's supplementary groups",
  async (logs) => {
    await using served = await serve(logs, 'exec setpriv --groups 11,12 "$@"');
    const expected = (await printed(served.client, { path: "id", args: ["-G"] })).trim();
    assertStringIncludes(expected, "11 12");
    const args = [...new Array(40).keys()].map(String);
    for (const tied of [false, true]) {
      const said = await printed(
        served.client,
        { ...sh("id -G"), args: ["-c", "id -G", ...args] },
        tied,
      );
      assertEquals(said.trim(), expected);
    }
  },
  { ignore: !await can("setpriv", "--groups", "11,12", "true") },
);

circuitTest("programs start though the server's working directory is gone", async (logs) => {
  await using gone = await folder();
  await using served = await serve(logs, `cd ${gone.path}; exec "$@"`);
  await Deno.remove(gone.path);
  const { client } = served;
  for (const tied of [false, true]) {
    assertEquals(await printed(client, { path: "pwd", dir: "/" }, tied), "/\n");
    const error = await assertFails("NOT_FOUND", start(client, { path: "pwd" }, tied));
    assertStringIncludes(error.message, "working directory of the server");
  }
});

circuitTest("programs start though the server's PATH is not all UTF-8", async (logs) => {
  const script = `PATH=$(printf '/x\\377:%s:/y\\376' "$PATH"); export PATH; exec "$@"`;
  await using served = await serve(logs, script);
  assertEquals(await printed(served.client, { path: "echo", args: ["x"] }), "x\n");
  assertEquals(await printed(served.client, { path: "/bin/echo", args: ["y"] }, true), "y\n");
});

circuitTest(
  "a program on a file system mounted noexec is refused",
  async (logs) => {
    await using mount = await folder();
    const inside =
      `mount -t tmpfs -o noexec none ${mount.path} && cp /bin/true ${mount.path}/ && ` +
      `printf '#!/bin/sh\\ntrue\\n' > ${mount.path}/s && chmod +x ${mount.path}/s && exec "$@"`;
    await using served = await serve(
      logs,
      `exec unshare --mount sh -c '${inside.replaceAll("'", "'\\''")}' sh "$@"`,
    );
    for (const tied of [false, true]) {
      for (const name of ["true", "s"]) {
        const path = `${mount.path}/${name}`;
        const error = await assertFails("DENIED", start(served.client, { path }, tied));
        assertStringIncludes(error.message, path);
      }
    }
  },
  { ignore: !canMount },
);

circuitTest(
  "a file system that hangs holds up its own calls, and nothing else",
  async (logs) => {
    await using around = await folder();
    const [real, dead] = [`${around.path}/real`, `${around.path}/dead`];
    await Promise.all([Deno.mkdir(real), Deno.mkdir(dead)]);
    await Deno.copyFile("/bin/true", `${real}/program`);
    // Ends with the namespace that it is mounted in, so nothing is left to unmount.
    const mount = `bindfs -f "$0/real" "$0/dead" >/dev/null 2>&1 & echo $! > "$0/pid"; ` +
      `until [ -e "$0/dead/program" ]; do sleep 0.05; done; PATH="$0/dead:$PATH" exec "$@"`;
    await using stack = new AsyncDisposableStack();
    const started = serve(logs, `exec unshare --mount sh -c '${mount}' ${around.path} "$@"`);
    stack.defer(async () => {
      const pid = Number(await Deno.readTextFile(`${around.path}/pid`));
      Deno.kill(pid, "SIGCONT");
      Deno.kill(pid, "SIGTERM");
    });
    await using served = await started;
    const { client, server } = served;
    const path = `${dead}/program`;
    assertEquals((await (await start(client, { path })).wait()).exitCode, 0);
    Deno.kill(Number(await Deno.readTextFile(`${around.path}/pid`)), "SIGSTOP");
    const hanging = [
      ...Array.from({ length: 40 }, (_, i) => start(client, { path }, i % 2 === 0)),
      // Named alone it is looked for there first.
      start(client, { path: "true" }),
    ].map((each) => each.then(() => undefined, (error) => error));
    let answered = false;
    const all = Promise.all(hanging).then((errors) => {
      answered = true;
      return errors;
    });
    for (let i = 0; i < 20; i++) {
      assertEquals(
        (await (await start(client, { path: "/bin/true" }, i % 2 === 0)).wait()).exitCode,
        0,
      );
    }
    assert(!answered, "the others did not wait for those that hang");
    for (const error of await all) {
      assert(error instanceof CircuitError);
      assertEquals(error.code, "TIMEOUT", error.message);
      assertStringIncludes(error.message, "within 5 s");
    }
    const again = start(client, { path }).catch(() => {});
    server.kill("SIGTERM");
    assertEquals((await server.status).code, 0);
    await again;
  },
  { ignore: !canBind },
);

/** A shell whose child heeds no SIGTERM and holds none of its pipes; prints the child's number. */
const STUBBORN = `sh -c 'trap "" TERM; exec sleep 1000' >/dev/null 2>&1 <&- & echo $!; wait`;

for (const how of ["interrupted", "killed", "its server stopped"] as const) {
  circuitTest(`run ends what its command has started: ${how}`, async (logs) => {
    await using server = await RunningServer.start({ logs, args: ["-grace", "1"] });
    await using tool = new RunningTool([
      "run",
      "-d",
      server.address,
      server.path,
      "--",
      "sh",
      "-c",
      STUBBORN,
    ]);
    const pid = Number(/\d+\s*$/.exec(await tool.stdout.line())?.[0]);
    assert(await isAlive(pid));
    if (how === "interrupted") tool.kill("SIGINT");
    else if (how === "killed") tool.kill("SIGKILL");
    else server.kill("SIGTERM");
    await until(`process ${pid} to end`, () => isAlive(pid), (alive) => !alive);
    await tool.status;
  });
}
