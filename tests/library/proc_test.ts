/**
 * Processes of the library, over two servers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Anchor, CircuitError, Client, Cmd } from "../../mod.ts";
import { bytes, digest, digestOf, pattern, text, textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo, type RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { onBothRoutes } from "../routes.ts";
import { callsAt, isAlive, untilCalls } from "../traces.ts";
import { until } from "../until.ts";

/** A shell's line as a command. */
function sh(line: string): Cmd {
  return { path: "/bin/sh", args: ["-c", line] };
}

function jobAt(client: Client, server: RunningServer): Anchor {
  return client.anchor(server.path).walk("job");
}

onBothRoutes(
  "Anchor.makeProc() starts a process that stdin, stdout and stderr reach",
  async ({ near, far }) => {
    await using client = await dialTo(near);
    const cmd = sh("tr a-z A-Z; echo done >&2");
    const proc = await jobAt(client, far).makeProc(cmd);
    const writer = proc.stdin().getWriter();
    const [out, err] = [textOf(proc.stdout()), textOf(proc.stderr())];
    await writer.write(bytes("hello, "));
    await writer.write(bytes("world"));
    await writer.close();
    assertEquals([await out, await err], ["HELLO, WORLD", "done\n"]);
    const stat = await proc.wait();
    assertEquals(stat, {
      cmd,
      phase: "exited",
      exit: null,
      exitCode: 0,
      signal: null,
      pid: stat.pid,
    });
    assertEquals(await proc.peek(), stat);
    assertEquals(await proc.getCmd(), cmd);
    // Who comes after the end gets an empty stream.
    assertEquals(await textOf(proc.stdout()), "");
  },
);

onBothRoutes("Proc carries 100 MB through a process and back", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await jobAt(client, far).makeProc({ path: "cat" });
  const message = pattern(100_000_000);
  const [, received] = await Promise.all([
    ReadableStream.from([message]).pipeTo(proc.stdin()),
    digest(proc.stdout()),
  ]);
  assertEquals(received, digestOf(message));
});

onBothRoutes("Proc.wait() tells everyone how the process ended", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await jobAt(client, far).makeProc(sh("read line; exit 7"));
  const waiting = Array.from({ length: 5 }, () => proc.wait());
  await untilCalls(client, far, waiting.length);
  assertEquals((await proc.peek()).phase, "running");
  await proc.stdin().close();
  for (const { phase, exit, exitCode, signal } of await Promise.all(waiting)) {
    assertEquals({ phase, exit, exitCode, signal }, {
      phase: "exited",
      exit: "exit status 7",
      exitCode: 7,
      signal: null,
    });
  }
  assertEquals((await proc.wait()).exitCode, 7);
});

onBothRoutes("Proc.signal() stops, continues and ends a process", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await jobAt(client, far).makeProc({ path: "sleep", args: ["1000"] });
  await proc.signal("stop");
  assertEquals((await proc.peek()).phase, "stopped");
  await proc.signal("SIGCONT");
  await until("it to go on", () => proc.peek(), ({ phase }) => phase === "continued");
  const error = await assertFails("BAD_REQUEST", proc.signal("SIGNONE"));
  assert(error.message.includes("TERM") && error.message.includes("KILL"), error.message);
  await proc.signal("sigKill");
  const { phase, exit, exitCode, signal } = await proc.wait();
  assertEquals([phase, exit, exitCode, signal], ["signaled", "signal: killed", null, "SIGKILL"]);
  await assertFails("CLOSED", proc.signal("TERM"));
});

onBothRoutes("Cmd sets the environment and the directory", async ({ near, far }) => {
  await using client = await dialTo(near);
  const base = client.anchor(far.path);
  const env = ["ONE=1", "EMPTY=", "EQUALS=a=b"];
  const proc = await base.walk("env").makeProc({ path: "/usr/bin/env", env, dir: "/" });
  assertEquals((await textOf(proc.stdout())).trim().split("\n").sort(), [...env].sort());
  assertEquals(await proc.getEnv(), env);
  const heir = await base.walk("heir").makeProc(sh("pwd; echo $CIRCUIT_LOG"));
  assertEquals((await textOf(heir.stdout())).split("\n")[1], "debug");
  assert((await heir.getEnv()).includes("CIRCUIT_LOG=debug"));
  const where = await base.walk("dir").makeProc({ path: "pwd", dir: "/usr" });
  assertEquals(await textOf(where.stdout()), "/usr\n");
  // No shell comes in between.
  const plain = await base.walk("plain").makeProc({ path: "/bin/echo", args: ["$HOME;", " *"] });
  assertEquals(await textOf(plain.stdout()), "$HOME;  *\n");
});

onBothRoutes(
  "Anchor.makeProc() that fails says why and leaves the anchor empty",
  async ({ near, far }) => {
    await using client = await dialTo(near);
    const job = jobAt(client, far);
    const missing = await assertFails("NOT_FOUND", job.makeProc({ path: "/no/such/program" }));
    assert(missing.message.includes("/no/such/program"), missing.message);
    await assertFails("NOT_FOUND", job.makeProc({ path: "no-such-program-anywhere" }));
    await assertFails("NOT_FOUND", job.makeProc({ path: "/bin/true", dir: "/no/such/dir" }));
    const refused = job.makeProc({ path: "/etc/passwd" });
    const { code } = await refused.then(() => ({ code: "none" }), (error: CircuitError) => error);
    // A text that is not executable can be refused for either reason.
    assert(code === "DENIED" || code === "BAD_REQUEST", code);
    await assertFails("DENIED", job.makeProc({ path: "/" }));
    await assertFails("BAD_REQUEST", job.makeProc({ path: "" }));
    await assertFails("BAD_REQUEST", job.makeProc({ path: "/bin/true", env: ["nonsense"] }));
    await assertFails("BAD_REQUEST", job.makeProc({ path: "/bin/tr\0ue" }));
    assertEquals(await job.get(), undefined);
    assertEquals((await client.anchor(far.path).view()).size, 0);
    await job.makeProc({ path: "/bin/true" });
  },
);

onBothRoutes("a process has one reader and one writer at a time", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await jobAt(client, far).makeProc({ path: "cat" });
  const writer = proc.stdin().getWriter();
  await writer.write(bytes("abc"));
  const reader = proc.stdout().getReader();
  assertEquals(text((await reader.read()).value ?? bytes("nothing")), "abc");
  await assertFails("BUSY", proc.stdout().getReader().read());
  await assertFails("BUSY", proc.stdin().getWriter().closed);
  // Whoever goes away leaves the place, and what was not read, to the next.
  await reader.cancel();
  await writer.abort();
  await untilCalls(client, far, 0);
  const next = proc.stdin().getWriter();
  await next.write(bytes("def"));
  await next.close();
  assertEquals(await textOf(proc.stdout()), "def");
  await assertFails("CLOSED", proc.stdin().getWriter().closed);
});

onBothRoutes("Proc.scrub() forgets a process, which runs on", async ({ near, far }) => {
  await using client = await dialTo(near);
  const proc = await jobAt(client, far).makeProc(
    sh("while read line; do :; done; exec sleep 1000"),
  );
  const { pid } = await proc.peek();
  const waiting = assertFails("ABORTED", proc.wait());
  const reading = assertFails("ABORTED", proc.stdout().getReader().read());
  await untilCalls(client, far, 2);
  await proc.scrub();
  await Promise.all([waiting, reading]);
  await assertFails("NOT_FOUND", proc.peek());
  assertEquals(await jobAt(client, far).get(), undefined);
  assert(await isAlive(pid));
  Deno.kill(pid, "SIGKILL");
});

onBothRoutes("Cmd.scrub removes the element when the process exits", async ({ near, far }) => {
  await using client = await dialTo(near);
  const job = jobAt(client, far);
  const proc = await job.makeProc({ ...sh("read line; echo last words; exit 3"), scrub: true });
  const [waiting, reading] = [proc.wait(), textOf(proc.stdout())];
  await untilCalls(client, far, 2);
  await proc.stdin().close();
  assertEquals((await waiting).exitCode, 3);
  assertEquals(await reading, "last words\n");
  await until("the element to go", () => job.get(), (element) => element === undefined);
  assertEquals((await client.anchor(far.path).view()).size, 0);
});

onBothRoutes(
  "Cmd.keep lets any number of readers each read what is kept",
  async ({ near, far }) => {
    await using client = await dialTo(near);
    const proc = await jobAt(client, far).makeProc({ ...sh("echo begin; cat"), keep: 1 << 20 });
    const readers = Array.from({ length: 3 }, () => textOf(proc.stdout()));
    await untilCalls(client, far, readers.length);
    const message = "x".repeat(200_000);
    await ReadableStream.from([bytes(message)]).pipeTo(proc.stdin());
    for (const reader of readers) assertEquals(await reader, `begin\n${message}`);
    await proc.wait();
    assertEquals(await textOf(proc.stdout()), `begin\n${message}`);
  },
);

circuitTest("a reader that goes away leaves the rest for the next one", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dialTo(circuit.near);
  const proc = await jobAt(client, circuit.far).makeProc(sh("seq 1 500000"));
  const reader = proc.stdout().getReader();
  let seen = "";
  while (seen.length < 300_000) {
    const { value, done } = await reader.read();
    if (done) break;
    seen += text(value);
  }
  await reader.cancel();
  await untilCalls(client, circuit.far, 0);
  seen += await textOf(proc.stdout());
  const expected = Array.from({ length: 500_000 }, (_, i) => `${i + 1}\n`).join("");
  assert(seen === expected, "the two readers have not read all of it, each byte once");
  assertEquals(await callsAt(client, circuit.far), 0);
});
