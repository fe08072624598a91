/**
 * `circuit start -j`: servers that are not there yet, are somewhere else, or are the server itself.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cluster, dialTo, RunningServer, untilSeen } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { freePlaces } from "../places.ts";
import { RunningTool, tool } from "../tool.ts";
import { hasProcFs, openFiles } from "../traces.ts";
import { until, within } from "../until.ts";

function joining(places: readonly string[]): string[] {
  return places.flatMap((place) => ["-j", place]);
}

circuitTest(
  "servers started at once with the same -j, their own too, are one circuit",
  async (logs) => {
    const places = freePlaces(3);
    const args = joining(places);
    await using stack = new AsyncDisposableStack();
    const starting = places.map((listen) => RunningServer.start({ logs, listen, args }));
    const all = await Promise.all(starting.map(async (each) => stack.use(await each)));
    for (const each of all) await untilSeen(each, all);
  },
);

circuitTest(
  "two servers started at once, each to join the other, are one circuit",
  async (logs) => {
    const [here = "", there = ""] = freePlaces(2);
    await using stack = new AsyncDisposableStack();
    const starting = [[here, there], [there, here]].map(([listen = "", other = ""]) =>
      RunningServer.start({ logs, listen, args: ["-j", other] })
    );
    const both = await Promise.all(starting.map(async (each) => stack.use(await each)));
    for (const each of both) await untilSeen(each, both);
  },
);

circuitTest("start passes over a -j that is not there, and joins it when it is", async (logs) => {
  const [later = ""] = freePlaces(1);
  await using first = await RunningServer.start({ logs });
  const args = joining([later, first.address]);
  await using second = await RunningServer.start({ logs, args });
  await untilSeen(second, [first, second]);
  assertMatch(`${second.log}`, new RegExp(`WARN +cannot join ${later} yet, .*refused`));
  await using third = await RunningServer.start({ logs, listen: later });
  const all = [first, second, third];
  for (const each of all) await untilSeen(each, all);
});

circuitTest("start with several -j fails if none is there, or one is no address", async (logs) => {
  const absent = freePlaces(2);
  const none = await tool(["start", "-a", "127.0.0.1", ...joining(absent)]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertMatch(none.stderr, new RegExp(`^circuit: cannot connect to ${absent[0]}: .*refused$`, "m"));
  await using server = await RunningServer.start({ logs });
  const wrong = await tool(["start", "-a", "127.0.0.1", ...joining([server.address, "nonsense"])]);
  assertEquals([wrong.code, wrong.stdout], [1, ""]);
  assertMatch(wrong.stderr, /^circuit: bad circuit address "nonsense"/m);
  await using client = await dialTo(server);
  await until("nobody else to be there", () => client.servers(), ({ length }) => length === 1);
});

circuitTest("SIGTERM ends a server that waits for whom it is to join", async () => {
  // It takes the connection and says nothing.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = new RunningTool(
    ["start", "-a", "127.0.0.1", "-j", `127.0.0.1:${silent.addr.port}`],
  );
  using _conn = await silent.accept();
  server.kill("SIGTERM");
  const { code, stdout } = await within(2_000, "its end", server.result());
  assertEquals([code, stdout], [0, ""]);
});

circuitTest("joining a server of one's own circuit leaves no connection behind", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const element = await client.anchor(near.path).get();
  assert(element?.kind === "server");
  const before = await Promise.all([openFiles(near.pid), openFiles(far.pid)]);
  for (let i = 0; i < 5; i++) await element.rejoin(far.hostPort);
  for (const [i, { pid }] of [near, far].entries()) {
    await until("the connections to be closed", () => openFiles(pid), (now) => now <= before[i]!);
  }
  assertEquals((await client.servers()).length, 2);
}, { ignore: !hasProcFs });
