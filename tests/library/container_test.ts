/**
 * Containers over two servers, with podman or Docker. They are skipped where that cannot run containers.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Client, Container, ContainerRun } from "../../mod.ts";
import { bytes, digest, digestOf, pattern, textOf } from "../bytes.ts";
import { containersOnBothRoutes, containerTest, ignore, untilNone } from "../container_tests.ts";
import { ContainerLab, ENGINE_MS, IMAGE } from "../containers.ts";
import { assertFails } from "../fails.ts";
import { dialTo, RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { withRoutes } from "../routes.ts";
import { childrenOf, isAlive, untilCalls } from "../traces.ts";
import { until, within } from "../until.ts";

/** A shell's line in a container. */
function sh(line: string, more: Partial<ContainerRun> = {}): ContainerRun {
  return { image: IMAGE, path: "/bin/sh", args: ["-c", line], ...more };
}

/** Docker puts a slash in front of it. */
function nameOf(stat: Awaited<ReturnType<Container["peek"]>>): string {
  return String(stat["Name"]).replace(/^\//, "");
}

function stateOf(stat: Awaited<ReturnType<Container["peek"]>>): Record<string, unknown> {
  return stat["State"] as Record<string, unknown>;
}

async function containerAt(client: Client, path: string): Promise<Container> {
  const element = await client.anchor(path).get();
  if (element?.kind !== "docker") throw new Error(`want a container, not ${element?.kind}`);
  return element;
}

containersOnBothRoutes(
  "Anchor.makeContainer() starts a container that stdin, stdout and stderr reach",
  async ({ near, far }, lab) => {
    await using client = await dialTo(near);
    const path = `${far.path}/dkr`;
    const made = await client.anchor(path).makeContainer(sh("cat; echo done >&2; exit 7"));
    assertEquals(made.kind, "docker");
    const container = await containerAt(client, path);
    const running = await container.peek();
    assertEquals(stateOf(running)["Status"], "running");
    assertEquals(running["Path"], "/bin/sh");
    assertEquals((running["Config"] as { Labels: unknown }).Labels, { circuit: path });

    const waiting = [container.wait(), made.wait()];
    const [out, err] = [textOf(container.stdout()), textOf(container.stderr())];
    const writer = container.stdin().getWriter();
    await writer.write(bytes("hello, "));
    await writer.write(bytes("world"));
    await writer.close();
    assertEquals([await out, await err], ["hello, world", "done\n"]);
    for (const stat of await Promise.all(waiting)) assertEquals(stateOf(stat)["ExitCode"], 7);
    // Its last state is there when the container is no more.
    await untilNone(lab);
    const last = await container.peek();
    assertEquals([stateOf(last)["Status"], stateOf(last)["ExitCode"]], ["exited", 7]);
    assertEquals(last["Id"], running["Id"]);
    assertEquals(await container.wait(), last);
    await assertFails("CLOSED", container.signal("TERM"));
    // Who comes after the end gets an empty stream.
    assertEquals(await textOf(container.stdout()), "");
    await container.scrub();
    await assertFails("NOT_FOUND", container.peek());
  },
);

containerTest("Container carries bytes exactly, and is held back", async ({ near, far }, lab) => {
  await using client = await dialTo(near);
  const base = client.anchor(far.path);
  const cat = await base.walk("cat").makeContainer({ image: IMAGE, path: "cat" });
  // All values of bytes are in it, those that an engine may take for a request to detach too.
  const message = pattern(10_000_000);
  const [, received] = await Promise.all([
    ReadableStream.from([message]).pipeTo(cat.stdin()),
    digest(cat.stdout()),
  ]);
  assertEquals(received, digestOf(message));
  assertEquals(stateOf(await cat.wait())["ExitCode"], 0);

  // One reader at a time; what one leaves is for the next.
  const seq = await base.walk("seq").makeContainer({
    image: IMAGE,
    path: "seq",
    args: ["1", "1000000"],
  });
  const reader = seq.stdout().getReader();
  const first = await reader.read();
  await assertFails("BUSY", textOf(seq.stdout()));
  await reader.cancel();
  assert(!first.done);
  assertEquals(stateOf(await seq.peek())["Status"], "running");
  const rest = await textOf(seq.stdout());
  assertMatch(rest.slice(-20), /\n999999\n1000000\n$/);
  const numbers = rest.split("\n").slice(1, -1).map(Number);
  assert(numbers.every((number, i) => i === 0 || number === (numbers[i - 1] ?? 0) + 1));
  await untilNone(lab);
});

containerTest("ContainerRun sets all that it has fields for", async ({ near, far }, lab) => {
  await using client = await dialTo(near);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "from the host\n");
    const line = 'pwd; echo "$ONE $TWO"; cat /v/file; echo back > /v/back';
    const container = await client.anchor(far.path).walk("all").makeContainer({
      image: IMAGE,
      memory: 64 << 20,
      cpuShares: 512,
      volume: [`${folder}:/v`],
      dir: "/bin",
      entry: "/bin/sh",
      env: ["ONE=1", "TWO=--two=2 $x"],
      path: "-c",
      args: [`${line}; read go`],
    });
    const { HostConfig, Config } = await container.peek() as unknown as {
      HostConfig: { Memory: number; CpuShares: number };
      Config: { Env: string[]; WorkingDir: string };
    };
    assertEquals([HostConfig.Memory, HostConfig.CpuShares], [64 << 20, 512]);
    assertEquals(Config.WorkingDir, "/bin");
    assert(Config.Env.includes("TWO=--two=2 $x"));
    await container.stdin().close();
    assertEquals(await textOf(container.stdout()), "/bin\n1 --two=2 $x\nfrom the host\n");
    await container.wait();
    assertEquals(await Deno.readTextFile(`${folder}/back`), "back\n");
  } finally {
    await untilNone(lab);
    await Deno.remove(folder, { recursive: true });
  }
});

containersOnBothRoutes("Container.signal() reaches the first process", async ({ near, far }) => {
  await using client = await dialTo(near);
  const line = "trap 'echo got; exit 3' USR1; echo ready; while :; do read x; done";
  const container = await client.anchor(far.path).walk("dkr").makeContainer(sh(line));
  const reader = container.stdout().getReader();
  assertEquals(new TextDecoder().decode((await reader.read()).value), "ready\n");
  const unknown = await assertFails("BAD_REQUEST", container.signal("SIGNONE"));
  assert(unknown.message.includes("TERM") && unknown.message.includes("KILL"), unknown.message);
  await container.signal("usr1");
  assertEquals(new TextDecoder().decode((await reader.read()).value), "got\n");
  assertEquals((await reader.read()).done, true);
  assertEquals(stateOf(await container.wait())["ExitCode"], 3);

  const other = await client.anchor(far.path).walk("other").makeContainer(sh("sleep 1000"));
  await other.signal("SIGKILL");
  assertEquals(stateOf(await other.wait())["ExitCode"], 137);
});

containersOnBothRoutes(
  "Container.scrub() forgets it and lets it run",
  async ({ near, far }, lab) => {
    await using client = await dialTo(near);
    const folder = await Deno.makeTempDir();
    try {
      // It prints more than any buffer holds, so it ends only if somebody takes that.
      const line = "cat; seq 1 200000; echo done > /v/done";
      const path = `${far.path}/dkr`;
      const made = await client.anchor(path).makeContainer(sh(line, { volume: [`${folder}:/v`] }));
      const waiting = assertFails("ABORTED", made.wait());
      await untilCalls(client, far, 1);
      await made.scrub();
      await waiting;
      assertEquals(await client.anchor(path).get(), undefined);
      const done = () => Deno.readTextFile(`${folder}/done`).catch(() => "");
      await until("it to run to its end", done, (text) => text === "done\n", { within: ENGINE_MS });
      await untilNone(lab);

      // With scrub, the element goes by itself.
      const brief = await client.anchor(path).makeContainer(sh("echo bye", { scrub: true }));
      await brief.wait().catch(() => {});
      await until("it to go", () => client.anchor(path).get(), (element) => element === undefined);
      await untilNone(lab);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

containerTest(
  "Anchor.makeContainer() that fails says why and leaves nothing behind",
  async ({ near, far }, lab) => {
    await using client = await dialTo(near);
    const anchor = client.anchor(`${far.path}/dkr`);
    const failures: [ContainerRun, "NOT_FOUND" | "BAD_REQUEST", RegExp][] = [
      // Nobody listens there, and it is a name of this machine.
      [{ image: "127.0.0.1:1/none" }, "NOT_FOUND", /image "127\.0\.0\.1:1\/none" cannot be had: ./],
      [{ image: "--privileged" }, "NOT_FOUND", /image "--privileged" cannot be had: ./],
      [{ image: "" }, "BAD_REQUEST", /image is empty/],
      [{ image: IMAGE, path: "/no/such" }, "BAD_REQUEST", /\/no\/such/],
      [{ image: IMAGE, path: "--privileged" }, "BAD_REQUEST", /--privileged/],
      [{ image: IMAGE, path: "true", env: ["HOME"] }, "BAD_REQUEST", /want NAME=VALUE/],
      [{ image: IMAGE, memory: -1 }, "BAD_REQUEST", /memory: want a whole number/],
    ];
    // Docker makes directories that are not there, in the container and on the host.
    if (lab.engine !== "docker") {
      failures.push(
        [{ image: IMAGE, path: "pwd", dir: "/no/such" }, "BAD_REQUEST", /\/no\/such/],
        [{ image: IMAGE, path: "true", volume: ["/no/such:/v"] }, "BAD_REQUEST", /\/no\/such/],
      );
    }
    for (const [wrong, code, message] of failures) {
      const error = await assertFails(code, anchor.makeContainer(wrong));
      assertMatch(error.message, message);
      assertEquals(await anchor.get(), undefined, error.message);
    }
    assertEquals(await lab.names(), []);
    const container = await anchor.makeContainer(sh("read go"));
    await assertFails("EXISTS", anchor.makeContainer(sh("true")));
    await container.stdin().close();
    await container.wait();
    await untilNone(lab);
  },
);

containersOnBothRoutes(
  "Anchor.makeContainer() can be cancelled while it pulls",
  async ({ near, far }, lab) => {
    await using client = await dialTo(near);
    // A registry that accepts connections and never says anything.
    using registry = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const image = `127.0.0.1:${registry.addr.port}/none`;
    const anchor = client.anchor(`${far.path}/dkr`);
    const cancel = new AbortController();
    const making = assertFails(
      "ABORTED",
      anchor.makeContainer({ image }, { signal: cancel.signal }),
    );
    using _pulling = await within(ENGINE_MS, "the pull", registry.accept());
    await assertFails("EXISTS", anchor.makeChan());
    cancel.abort();
    await making;
    const free = async () => {
      await (await anchor.makeChan()).scrub();
      return true;
    };
    await until("the anchor to be free", () => free().catch(() => false), undefined, {
      within: ENGINE_MS,
    });
    assertEquals(await lab.names(), []);
  },
);

containerTest(
  "a container's end is told though its connection breaks",
  async ({ near, far }, lab) => {
    await using client = await dialTo(near);
    const path = `${far.path}/dkr`;
    const container = await client.anchor(path).makeContainer(sh("echo hi; sleep 1000"));
    const waiting = container.wait();
    // What connects the server with the container is its only child.
    for (const pid of await childrenOf(far.pid)) Deno.kill(pid, "SIGKILL");
    await container.stdout().pipeTo(new WritableStream());
    assertEquals(stateOf(await container.peek())["Status"], "running");
    await container.signal("KILL");
    assertEquals(stateOf(await waiting)["ExitCode"], 137);

    const lost = await client.anchor(`${far.path}/lost`).makeContainer(sh("sleep 1000"));
    const end = assertFails("ABORTED", lost.wait());
    const name = nameOf(await lost.peek());
    // The server hears of its end only when it has been removed.
    const attached = await childrenOf(far.pid);
    for (const pid of attached) Deno.kill(pid, "SIGSTOP");
    await lab.run("kill", name);
    await lab.run("rm", "--force", name);
    for (const pid of attached) Deno.kill(pid, "SIGCONT");
    await end;
    await assertFails("ABORTED", lost.peek());
  },
);

containerTest("a tied container goes with its maker", async ({ near, far }, lab) => {
  const path = `${far.path}/dkr`;
  {
    await using client = await dialTo(near);
    await client.anchor(path).makeContainer(sh("sleep 1000"), { tied: true });
    assertEquals((await lab.names()).length, 1);
  }
  await untilNone(lab);
  await using client = await dialTo(near);
  assertEquals(await client.anchor(path).get(), undefined);
});

containerTest("a server that stops ends its containers", async ({ near, far }, lab) => {
  await using client = await dialTo(near);
  const base = client.anchor(far.path);
  const folder = await Deno.makeTempDir();
  try {
    const polite = sh("trap 'echo term > /v/polite; exit' TERM; while :; do read x; done", {
      volume: [`${folder}:/v`],
    });
    await base.walk("polite").makeContainer(polite);
    await base.walk("stubborn").makeContainer({ image: IMAGE, path: "sleep", args: ["1000"] });
    assertEquals((await lab.names()).length, 2);
    far.kill("SIGTERM");
    const { code } = await within(ENGINE_MS, "the server's end", far.status);
    assertEquals(code, 0);
    assertEquals(await lab.names(), []);
    assertEquals(await Deno.readTextFile(`${folder}/polite`), "term\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

containerTest("a server that stops gives up a pull", async ({ near, far }, lab) => {
  await using client = await dialTo(near);
  using registry = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const image = `127.0.0.1:${registry.addr.port}/none`;
  const making = assertFails(
    "SERVER_GONE",
    client.anchor(`${far.path}/dkr`).makeContainer({ image }),
  );
  using _pulling = await within(ENGINE_MS, "the pull", registry.accept());
  far.kill("SIGTERM");
  await making;
  const { code } = await within(ENGINE_MS, "the server's end", far.status);
  assertEquals(code, 0);
  assertEquals(await lab.names(), []);
});

circuitTest("a container survives a crash of its server, and is reported", async (logs) => {
  await using lab = await ContainerLab.make();
  const folder = await Deno.makeTempDir();
  try {
    const args = ["-docker", "-var", `${folder}/var`];
    const start = () => RunningServer.start({ logs, args, env: lab.env });
    await using server = await start();
    const path = `${server.path}/dkr`;
    let name;
    let pid;
    {
      await using client = await dialTo(server);
      const container = await client.anchor(path).makeContainer(sh("while :; do sleep 1; done"));
      const stat = await container.peek();
      name = nameOf(stat);
      pid = Number(stateOf(stat)["Pid"]);
    }
    const record = () => Deno.readTextFile(`${folder}/var/children.json`).catch(() => "");
    await until("it to be written down", record, (text) => text.includes(name));
    await server.crash();
    assert(await isAlive(pid));
    await using next = await start();
    assertMatch(
      String(next.log),
      new RegExp(`process ${pid} \\(${lab.engine} container ${name}\\), of ${path}`),
    );
    assertEquals(await lab.names(), [name]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, { ignore });

withRoutes("a server without -docker or without an engine says so", async (route, logs) => {
  {
    await using circuit = await route.start(logs);
    await using client = await dialTo(circuit.near);
    const anchor = client.anchor(`${circuit.far.path}/dkr`);
    const error = await assertFails("UNSUPPORTED", anchor.makeContainer({ image: "none" }));
    assertMatch(error.message, /cannot start a container at .*\/dkr: .* without -docker/);
    assertEquals(await anchor.get(), undefined);
  }
  await using circuit = await route.start(logs, { args: ["-docker"], env: { PATH: "/no/such" } });
  await using client = await dialTo(circuit.near);
  const anchor = client.anchor(`${circuit.far.path}/dkr`);
  const error = await assertFails("UNSUPPORTED", anchor.makeContainer({ image: "none" }));
  assertMatch(error.message, /no container engine: docker: .*; podman: .* in PATH ".*\/no\/such"/);
  assertEquals(await anchor.get(), undefined);
});
