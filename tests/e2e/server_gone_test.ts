/**
 * Servers that are killed under calls that wait: each call fails once, soon, and no other does.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CircuitError } from "../../mod.ts";
import { bytes, text } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { onBothRoutes } from "../routes.ts";
import { RunningTool } from "../tool.ts";
import { untilCalls } from "../traces.ts";
import { FairClock, until, within } from "../until.ts";

/** Milliseconds in which everyone must know that a server was killed. */
const KNOWN_WITHIN_MS = 1_000;

/** What became of calls: how each ended, and how often. */
class Outcomes {
  readonly ends: string[] = [];
  readonly #all: Promise<void>[] = [];

  watch(call: Promise<unknown>): void {
    const end = (how: string) => void this.ends.push(how);
    this.#all.push(call.then(
      () => end("returned"),
      (error) => end(error instanceof CircuitError ? error.code : String(error)),
    ));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#all);
  }
}

onBothRoutes(
  "kill -9 of a server fails what waits on it with SERVER_GONE, once",
  async (circuit, _, logs) => {
    const { near, far } = circuit;
    await using third = await RunningServer.start({ logs, args: ["-j", near.address] });
    await untilSeen(near, [near, far, third]);
    await using client = await dialTo(near);
    const chan = await client.anchor(far.path).walk("c").makeChan();
    const proc = await client.anchor(far.path).walk("p").makeProc({ path: "cat" });
    const elsewhere = await client.anchor(third.path).walk("c").makeChan();
    const here = await client.anchor(near.path).walk("c").makeChan();

    const outcomes = new Outcomes();
    outcomes.watch(chan.recvBytes());
    outcomes.watch(chan.recv());
    outcomes.watch(proc.wait());
    const reader = proc.stdout().getReader();
    outcomes.watch(reader.read());
    outcomes.watch(reader.closed);
    const writer = proc.stdin().getWriter();
    await writer.write(bytes(""));
    outcomes.watch(writer.closed);
    await untilCalls(client, far, 5);
    const undisturbed = [elsewhere.recvBytes(), here.recvBytes()];
    await untilCalls(client, third, 1);

    using clock = new FairClock();
    far.kill("SIGKILL");
    await within(KNOWN_WITHIN_MS, "the failure of all calls", outcomes.settled());
    await until(
      "the server to be gone from the list",
      () => client.servers(),
      (servers) => servers.every(({ serverId }) => serverId !== far.id),
      { within: Math.max(0, KNOWN_WITHIN_MS - clock.ms) },
    );
    assertEquals(outcomes.ends, outcomes.ends.map(() => "SERVER_GONE"));
    assertEquals(outcomes.ends.length, 6);
    await assertFails("SERVER_GONE", chan.stat());

    // The others go on.
    await elsewhere.sendBytes(bytes("third"));
    await here.sendBytes(bytes("near"));
    assertEquals((await Promise.all(undisturbed)).map(text), ["third", "near"]);
    // And a new server takes the place of the one that was killed.
    await using next = await RunningServer.start({ logs, args: ["-j", third.address] });
    await untilSeen(near, [near, third, next]);
    await client.anchor(next.path).walk("c").makeChan();
  },
);

circuitTest("kill -9 of the dial-in server closes the client and fails its calls", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dialTo(circuit.near);
  const chans = await Promise.all(
    [circuit.near, circuit.far].map(({ path }) => client.anchor(path).walk("c").makeChan()),
  );
  const outcomes = new Outcomes();
  for (const chan of chans) outcomes.watch(chan.recvBytes());
  for (const server of circuit.servers) await untilCalls(client, server, 1);
  circuit.near.kill("SIGKILL");
  await within(KNOWN_WITHIN_MS, "Client.closed", client.closed);
  await within(KNOWN_WITHIN_MS, "the failure of all calls", outcomes.settled());
  assertEquals(outcomes.ends, ["SERVER_GONE", "SERVER_GONE"]);
  const error = await client.servers().then(() => undefined, (error: CircuitError) => error);
  assert(error?.code === "CLOSED" || error?.code === "SERVER_GONE", error?.code ?? "none");

  // The other server is well, and nobody waits there any more.
  await using another = await dialTo(circuit.far);
  await untilCalls(another, circuit.far, 0);
  await until("it to be alone", () => another.servers(), (servers) => servers.length === 1);
});

circuitTest("kill -9 of a server ends the tool with status 1 and a reason", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  await client.anchor(far.path).walk("c").makeChan();
  await client.anchor(far.path).walk("p").makeProc({ path: "cat" });
  const commands = [["recv", "c"], ["wait", "p"], ["stdout", "p"]];
  await using tools = new AsyncDisposableStack();
  const running = commands.map(([name = "", path]) =>
    tools.use(new RunningTool([name, "-d", near.address, `${far.path}/${path}`]))
  );
  await untilCalls(client, far, running.length);
  far.kill("SIGKILL");
  for (const each of running) {
    const { code, stdout, stderr } = await within(10_000, "the tool's end", each.result());
    assertEquals([code, stdout], [1, ""]);
    assert(stderr.startsWith("circuit: ") && stderr.includes(far.hostPort), stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
});

circuitTest("a client that is killed leaves nothing behind", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const chan = await client.anchor(far.path).walk("c").makeChan();
  const proc = await client.anchor(far.path).walk("p").makeProc({ path: "cat" });
  await using tools = new AsyncDisposableStack();
  const running = [["recv", "c"], ["stdout", "p"], ["stdin", "p"], ["wait", "p"]].map((
    [name = "", path],
  ) => tools.use(new RunningTool([name, "-d", near.address, `${far.path}/${path}`])));
  await untilCalls(client, far, running.length);
  for (const each of running) each.kill("SIGKILL");
  await untilCalls(client, far, 0);
  await untilCalls(client, near, 0);
  const receiving = chan.recvBytes();
  await chan.sendBytes(bytes("for the living"));
  assertEquals(text(await receiving), "for the living");
  const echoed = proc.stdout().getReader();
  const writer = proc.stdin().getWriter();
  await writer.write(bytes("hello"));
  assertEquals(text((await echoed.read()).value ?? bytes("nothing")), "hello");
  await Promise.all([writer.close(), echoed.read()]);
});
