/**
 * Processes that last no longer than whoever made them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { textOf } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { type Cluster, dialTo } from "../launcher.ts";
import { onBothRoutes } from "../routes.ts";
import { isAlive, untilCalls } from "../traces.ts";
import { until } from "../until.ts";
import type { Client, MakeOptions, Proc } from "../../mod.ts";

const SLEEP = { path: "sleep", args: ["1000"] };

/** Starts a tied process on the far server, at `a/b`. */
function start(client: Client, { far }: Cluster, options: MakeOptions = {}): Promise<Proc> {
  return client.anchor(far.path).walk("a", "b").makeProc(SLEEP, { ...options, tied: true });
}

/** Waits until the process has ended and there is no trace of its anchor. */
async function untilGone(circuit: Cluster, pid: number): Promise<void> {
  await until(`process ${pid} to end`, () => isAlive(pid), (alive) => !alive);
  await using observer = await dialTo(circuit.near);
  await until(
    "its anchor to go",
    () => observer.anchor(circuit.far.path).view(),
    (children) => children.size === 0,
  );
  await untilCalls(observer, circuit.far, 0);
}

onBothRoutes("a tied process ends when its maker's client is closed", async (circuit) => {
  const client = await dialTo(circuit.near);
  const { pid } = await (await start(client, circuit)).peek();
  assert(await isAlive(pid));
  await client.close();
  await untilGone(circuit, pid);
});

onBothRoutes("a tied process ends when its maker's signal aborts", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const maker = new AbortController();
  const { pid } = await (await start(client, circuit, { signal: maker.signal })).peek();
  maker.abort();
  await untilGone(circuit, pid);
  // The client is as good as before.
  assertEquals((await client.servers()).length, 2);
});

onBothRoutes("a tied process ends when it is scrubbed, by anyone", async (circuit) => {
  await using client = await dialTo(circuit.near);
  await using other = await dialTo(circuit.near);
  const { pid } = await (await start(client, circuit)).peek();
  await other.anchor(circuit.far.path).walk("a", "b").scrub();
  await untilGone(circuit, pid);
  await untilCalls(client, circuit.near, 0);
  // Whoever comes next at the same anchor has nothing to do with the maker's call.
  const next = await other.anchor(circuit.far.path).walk("a", "b").makeProc(SLEEP);
  await client.close();
  assertEquals((await next.peek()).phase, "running");
  await next.signal("KILL");
});

onBothRoutes("a tied process that exits can be read and waited for", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const anchor = client.anchor(circuit.far.path).walk("a");
  const cmd = { path: "/bin/sh", args: ["-c", "echo out; echo err >&2; exit 3"] };
  const proc = await anchor.makeProc(cmd, { tied: true });
  assertEquals((await proc.wait()).exitCode, 3);
  assertEquals([await textOf(proc.stdout()), await textOf(proc.stderr())], ["out\n", "err\n"]);
  await proc.scrub();
  assertEquals(await anchor.get(), undefined);
  await untilCalls(client, circuit.far, 0);

  const brief = await anchor.makeProc({ ...cmd, scrub: true }, { tied: true });
  await brief.wait().catch((error) => assertEquals(error.code, "NOT_FOUND"));
  await until("it to go", () => anchor.get(), (element) => element === undefined);
  await untilCalls(client, circuit.far, 0);
});

onBothRoutes("a tied process that cannot be started leaves nothing behind", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const anchor = client.anchor(circuit.far.path).walk("a");
  await assertFails("NOT_FOUND", anchor.makeProc({ path: "/no/such" }, { tied: true }));
  const proc = await anchor.makeProc(SLEEP, { tied: true });
  await assertFails("EXISTS", anchor.makeProc(SLEEP, { tied: true }));
  assertEquals((await proc.peek()).phase, "running");
  await untilCalls(client, circuit.far, 1);
});

onBothRoutes("a tied process ends when the way to its maker is lost", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const { pid } = await (await start(client, circuit)).peek();
  // The client knows the circuit through this server, and lets go of all others without it.
  await circuit.near.crash();
  await until(`process ${pid} to end`, () => isAlive(pid), (alive) => !alive);
});

onBothRoutes("a tied process ends when its server stops", async (circuit) => {
  await using client = await dialTo(circuit.near);
  const cmd = { path: "/bin/sh", args: ["-c", 'trap "" TERM; sleep 1000'] };
  const { pid } = await (await client.anchor(circuit.far.path).walk("a").makeProc(cmd, {
    tied: true,
  })).peek();
  circuit.far.kill("SIGTERM");
  assertEquals((await circuit.far.status).code, 0);
  assert(!await isAlive(pid));
});
