import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { invoke } from "../_testing/call_pair.ts";
import type { ServerStat } from "./description.ts";
import { makeServerElement, type ServerFacts } from "./server.ts";

const STARTED = new Date("2026-01-02T03:04:05.678Z");

function facts(more: Partial<ServerFacts> = {}): ServerFacts {
  return {
    path: "/X0123456789abcdef",
    address: "circuit://127.0.0.1:7000/42/Q0123456789abcdef",
    version: "1.2.3",
    started: STARTED,
    now: () => STARTED.getTime() + 12_500,
    countElements: () => ({ proc: 2, chan: 1, dns: 0 }),
    diagnose: () => "3 calls\n",
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

Deno.test("profile() streams what the server does, and its memory", async () => {
  assertEquals(await profile("tasks"), "3 calls\n");
  assert(/^rss \d+$/m.test(await profile("memory")));
});

Deno.test("profile() refuses other names with the list", async () => {
  for (const name of ["", "cpu", "toString"]) {
    const error = await assertRejects(() => profile(name), CircuitError);
    assertEquals(error.code, "BAD_REQUEST");
    assertStringIncludes(error.message, JSON.stringify(name));
    assertStringIncludes(error.message, "tasks, memory");
  }
});
