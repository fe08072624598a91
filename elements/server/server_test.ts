import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { invoke } from "../_testing/call_pair.ts";
import { cpuText } from "./cpu.ts";
import type { ServerStat } from "./description.ts";
import type { ServerFacts } from "./facts.ts";
import { makeServerElement } from "./server.ts";

const STARTED = new Date("2026-01-02T03:04:05.678Z");

const MEMORY = {
  limit: 64e6,
  used: 15e6,
  channels: 5e6,
  outputs: 4e6,
  inflow: 3e6,
  replies: 2e6,
  calls: 1e6,
};

function facts(more: Partial<ServerFacts> = {}): ServerFacts {
  return {
    path: "/X0123456789abcdef",
    address: "circuit://127.0.0.1:7000/42/Q0123456789abcdef",
    version: "1.2.3",
    started: STARTED,
    uptime: () => 12.5,
    countElements: () => ({ proc: 2, chan: 1, dns: 0 }),
    countMaking: () => 1,
    countAnchors: () => 5,
    backlogs: () => [["/X0123456789abcdef/c", 3], ["/X0123456789abcdef/d", 0]],
    memory: () => MEMORY,
    connections: () => [
      { role: "client", id: undefined, address: "h:1", streams: 2, in: 3, out: 4, buffers: 5 },
      { role: "server", id: "X1", address: "h:2", streams: 0, in: 6, out: 7, buffers: 8 },
    ],
    calls: () => [
      { method: "chan.recv", path: "/X0123456789abcdef/c" },
      undefined,
      { method: "chan.recv", path: "/X0123456789abcdef/c" },
      { method: "anchor.list", path: "/X0123456789abcdef/a\nb" },
      undefined,
    ],
    members: () => [
      { id: "X0123456789abcdef", address: "circuit://h:0" },
      { id: "X1", address: "circuit://h:2" },
      { id: "X2", address: "circuit://h:3" },
    ],
    rejoin: () => Promise.resolve(),
    suicide: () => {},
    ...more,
  };
}

async function profile(name: string): Promise<string> {
  const caller = invoke(makeServerElement(facts()), "profile", name, { end: true });
  return new TextDecoder().decode(await caller.readAll());
}

Deno.test("peek() tells what the server and its host are", async () => {
  const { rss, ...rest } = await invoke(makeServerElement(facts()), "peek").reply() as ServerStat;
  assertEquals(rest, {
    addr: "circuit://127.0.0.1:7000/42/Q0123456789abcdef",
    joined: "2026-01-02T03:04:05.678Z",
    version: "1.2.3",
    hostname: Deno.hostname(),
    os: Deno.build.os,
    cpus: navigator.hardwareConcurrency,
    elements: { proc: 2, chan: 1 },
    memory: MEMORY,
    uptime: 12.5,
  });
  assert(rss > 1_000_000, `${rss} bytes`);
});

Deno.test("rejoin() passes the address on, and returns when that is done", async () => {
  const joined: string[] = [];
  const rejoin = (address: string) => Promise.resolve(void joined.push(address));
  const element = makeServerElement(facts({ rejoin }));
  assertEquals(await invoke(element, "rejoin", "host:1").reply(), undefined);
  assertEquals(joined, ["host:1"]);
});

Deno.test("rejoin() fails with the reason, the path and the address", async () => {
  const rejoin = () => Promise.reject(new CircuitError("UNREACHABLE", "nobody listens"));
  const element = makeServerElement(facts({ rejoin }));
  const error = await assertRejects(
    () => invoke(element, "rejoin", "host:1").reply(),
    CircuitError,
  );
  assertEquals(error.code, "UNREACHABLE");
  for (const text of ["/X0123456789abcdef", '"host:1"', "nobody listens"]) {
    assertStringIncludes(error.message, text);
  }
  const empty = await assertRejects(() => invoke(element, "rejoin", "").reply(), CircuitError);
  assertEquals(empty.code, "BAD_REQUEST");
});

Deno.test("suicide() answers before it stops the server", async () => {
  const order: string[] = [];
  const stopped = Promise.withResolvers<void>();
  const suicide = () => {
    order.push("stopped");
    stopped.resolve();
  };
  await invoke(makeServerElement(facts({ suicide })), "suicide").reply();
  order.push("answered");
  await stopped.promise;
  assertEquals(order, ["answered", "stopped"]);
});

const CONNECTIONS = `connections: 2
  client h:1: 2 streams, 3 bytes in, 4 bytes out, 5 bytes of buffers
  server X1 at h:2: 0 streams, 6 bytes in, 7 bytes out, 8 bytes of buffers
`;

const CALLS = `calls: 3 here, 1 passed on
  chan.recv /X0123456789abcdef/c (2 times)
  anchor.list /X0123456789abcdef/a\\x0ab
`;

const QUEUES = `queues: 1 in use, 1 empty
  /X0123456789abcdef/c: 3 waiting
`;

Deno.test("profile() tells of connections, calls, queues and members, a line each", async () => {
  assertEquals(await profile("connections"), CONNECTIONS);
  assertEquals(await profile("calls"), CALLS);
  assertEquals(await profile("queues"), QUEUES);
  assertEquals(
    await profile("members"),
    "members: 3\n  X0123456789abcdef circuit://h:0 itself\n" +
      "  X1 circuit://h:2 connected\n  X2 circuit://h:3 known\n",
  );
});

Deno.test("profile() tells all that the server is doing", async () => {
  const text = await profile("tasks");
  const head = new RegExp(
    `^server X0123456789abcdef: version 1\\.2\\.3, process ${Deno.pid}, up 12\\.5 s\n` +
      String.raw`event loop: \d+\.\d ms late on average, \d+\.\d ms at most\n` +
      String.raw`elements: 2 proc, 1 chan, 1 being made, at 5 anchors\n` +
      String
        .raw`memory: [\d.]+ MB resident, [\d.]+ MB of [\d.]+ MB heap, [\d.]+ MB outside of it\n` +
      "held for clients: 15\\.0 MB of 64\\.0 MB, channels 5\\.0 MB, outputs 4\\.0 MB, " +
      "inflow 3\\.0 MB, replies 2\\.0 MB, calls 1\\.0 MB\n",
  );
  assertMatch(text, head);
  assertEquals(text.split("\n").slice(5).join("\n"), QUEUES + CONNECTIONS + CALLS);
});

Deno.test("profile() lists no more than a thousand of a kind", async () => {
  const backlogs = () => Array.from({ length: 1_500 }, (_, i) => [`/X/${i}`, 1] as const);
  const caller = invoke(makeServerElement(facts({ backlogs })), "profile", "queues", { end: true });
  const lines = new TextDecoder().decode(await caller.readAll()).trimEnd().split("\n");
  assertEquals([lines.length, lines[0], lines.at(-1)], [
    1_002,
    "queues: 1500 in use, 0 empty",
    "  and 500 more",
  ]);
});

Deno.test("profile() shows memory in bytes", async () => {
  const text = await profile("memory");
  for (const name of ["rss", "heapUsed", "heap_size_limit"]) {
    assertMatch(text, new RegExp(`^${name} \\d+$`, "m"));
  }
});

Deno.test("profile() shows where the processor time goes, to several at once", async () => {
  // A generator, for V8 may make others part of their callers, and then it is those that are busy.
  function* busyInTheTest() {
    let sum = 0;
    for (let i = 0; i < 3e6; i++) sum += Math.sqrt(i ^ sum);
    yield sum;
  }
  const busy = setInterval(() => busyInTheTest().next(), 20);
  try {
    const texts = await Promise.all([profile("cpu"), profile("cpu")]);
    for (const text of texts) {
      assertMatch(text, /^cpu: in \d+ ms, all threads were \d+ ms in the program and \d+ ms in/);
      assertMatch(text, /^ +\d+\.\d% {2}busyInTheTest .*server_test\.ts:\d+$/m);
    }
  } finally {
    clearInterval(busy);
  }
});

Deno.test("cpuText() ends early when nobody wants it any more", async () => {
  const [, ms] = /^cpu: in (\d+) ms/.exec(await cpuText(AbortSignal.abort())) ?? [];
  assert(Number(ms) < 900, `it took ${ms} ms`);
});

Deno.test("profile() refuses other names with the list", async () => {
  for (const name of ["", "stack", "toString"]) {
    const error = await assertRejects(() => profile(name), CircuitError);
    assertEquals(error.code, "BAD_REQUEST");
    assertStringIncludes(error.message, JSON.stringify(name));
    assertStringIncludes(
      error.message,
      "tasks, connections, calls, queues, members, memory, json, cpu",
    );
  }
});

Deno.test("profile() gives all of it as one line of JSON", async () => {
  const text = await profile("json");
  assertEquals(text.indexOf("\n"), text.length - 1);
  const report = JSON.parse(text);
  assertEquals(report.calls, [
    { method: "chan.recv", path: "/X0123456789abcdef/c", count: 2 },
    { method: "anchor.list", path: "/X0123456789abcdef/a\nb", count: 1 },
  ]);
  assertEquals([report.passedOn, report.making, report.uptime], [1, 1, 12.5]);
  assertEquals(report.members.length, 3);
  assertEquals(report.queues[0], { path: "/X0123456789abcdef/c", waiting: 3 });
  assertEquals(report.budget, MEMORY);
  assert(report.memory.rss > 0 && report.lagMs.most >= report.lagMs.mean);
});
