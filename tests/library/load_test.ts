/**
 * Many processes and much output: a server keeps nothing of what is over.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Anchor, Client } from "../../mod.ts";
import { digest } from "../bytes.ts";
import { cluster, dialTo, type RunningServer } from "../launcher.ts";
import { needsFiles } from "../limits.ts";
import { circuitTest } from "../logs.ts";
import { childrenOf, hasProcFs, openFiles, residentBytes, writtenBytes } from "../traces.ts";
import { until } from "../until.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Prints 1 GiB that differs everywhere. */
const PRINT_GIB = `seq 1 200000000 | head -c ${GIB}`;

/** What `seq 1 200000000 | head -c 1073741824 | sha256sum` prints. */
const GIB_SHA256 = "5d4406b85df2402c69b2d17c415f342960e73bc32a2385730f19e023b1900ca9";

/** Most bytes that a server may grow by for output that nobody reads. */
const MAX_GROWTH = 10 * MIB;

/** What a server has open. */
interface Held {
  readonly files: number;
  readonly children: readonly number[];
}

/** What a server holds after a first process, which makes it open what it needs for any. */
async function afterFirst(anchor: Anchor, server: RunningServer): Promise<Held> {
  const first = await anchor.makeProc({ path: "true" });
  await first.wait();
  await first.scrub();
  return await until(
    "the first process to leave nothing",
    () => holds(server),
    ({ children }) => children.length === 0,
  );
}

async function holds(server: RunningServer): Promise<Held> {
  return { files: await openFiles(server.pid), children: await childrenOf(server.pid) };
}

async function untilNothingIsLeft(
  client: Client,
  server: RunningServer,
  before: Held,
): Promise<void> {
  await until(
    `${server.id} to hold ${before.files} open files and no children`,
    () => holds(server),
    ({ files, children }) => files <= before.files && children.length === 0,
  );
  assertEquals([...(await client.anchor(server.path).view()).keys()], []);
  const element = await client.anchor(server.path).get();
  if (element?.kind !== "server") throw new Error("the server's own element is gone");
  assertEquals((await element.peek()).elements, { server: 1 });
}

circuitTest("1,000 processes one after another leave nothing behind", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const anchor = client.anchor(far.path).walk("job");
  const before = await afterFirst(anchor, far);
  for (let i = 0; i < 1_000; i++) {
    const proc = await anchor.makeProc({ path: "true" });
    assertEquals((await proc.wait()).exitCode, 0);
    await proc.scrub();
  }
  await untilNothingIsLeft(client, far, before);
}, { ignore: !hasProcFs });

/** Files that a server has open with 200 processes. */
const { needs, ignore } = needsFiles(1_000);

circuitTest(`200 processes at once leave nothing behind${needs}`, async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const anchor = client.anchor(far.path).walk("jobs");
  const before = await afterFirst(anchor, far);
  const procs = await Promise.all(
    Array.from(
      { length: 200 },
      (_, i) => anchor.walk(`${i}`).makeProc({ path: "cat", scrub: i % 2 === 0 }),
    ),
  );
  assertEquals((await anchor.view()).size, 200);
  await Promise.all(procs.map(async (proc, i) => {
    const [output] = await Promise.all([
      digest(proc.stdout()),
      ReadableStream.from([new Uint8Array(i)]).pipeTo(proc.stdin()),
    ]);
    assertEquals(output.length, i);
    if (i % 2 !== 0) {
      assertEquals((await proc.wait()).exitCode, 0);
      await proc.scrub();
    }
  }));
  await until("all elements to go", () => anchor.view(), (left) => left.size === 0);
  await untilNothingIsLeft(client, far, before);
}, { ignore: !hasProcFs || ignore });

circuitTest("1 GiB of output costs the server no memory, and its reader gets all", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  // A first process, so that what any process costs is not counted.
  const first = await client.anchor(far.path).walk("first").makeProc({ path: "true" });
  await first.wait();
  const before = await residentBytes(far.pid);
  const anchor = client.anchor(far.path).walk("printer");
  const proc = await anchor.makeProc({ path: "/bin/sh", args: ["-c", PRINT_GIB] });
  const { pid } = await proc.peek();
  const most = await mostUntilHeldBack(pid, far.pid);
  assert(most - before < MAX_GROWTH, `the server grew by ${(most - before) / MIB} MiB`);
  assertEquals((await proc.peek()).phase, "running");

  const output = await digest(proc.stdout());
  assertEquals(output, { length: GIB, sha256: GIB_SHA256 });
  assertEquals((await proc.wait()).exitCode, 0);
}, { ignore: !hasProcFs });

/** Watches the server until the process and its children write no more; the most memory it had. */
async function mostUntilHeldBack(pid: number, serverPid: number): Promise<number> {
  let most = 0;
  let written = 0;
  let unchanged = 0;
  await until("the process to be held back", async () => {
    most = Math.max(most, await residentBytes(serverPid));
    const writers = await childrenOf(pid);
    const counts = await Promise.all(writers.map(writtenBytes));
    const sum = counts.reduce((total, count) => total + count, 0);
    unchanged = sum > 0 && sum === written ? unchanged + 1 : 0;
    written = sum;
    return unchanged;
  }, (times) => times >= 10);
  return most;
}
