import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { CircuitError } from "../errors.ts";
import { FakeClock, settle } from "./_fake_clock.ts";
import { type MemoryHost, MemoryLan } from "./_memory_lan.ts";
import { Announcer } from "./announce.ts";
import { decodeDatagram } from "./datagram.ts";
import { discoverServers } from "./query.ts";

const GROUP = "239.1.1.1:7711";
const KEY = new Uint8Array(64).fill(5);

function announce(number: number, network: MemoryHost, clock: FakeClock, key?: Uint8Array) {
  const announcer = new Announcer({
    group: GROUP,
    self: { id: `X000000000000000${number}`, address: `10.0.0.${number}:7000` },
    network,
    clock,
    key,
    log: () => {},
  });
  announcer.start();
  return { announcer, [Symbol.asyncDispose]: () => announcer.stop() };
}

Deno.test("discoverServers() yields each server once, until its time is over", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const client = lan.host("10.0.0.9");
  await using _first = announce(1, lan.host("10.0.0.1"), clock);
  await using _second = announce(2, client, clock);
  await clock.advance(1);
  const found = Array.fromAsync(discoverServers(GROUP, { network: client, clock }));
  await clock.advance(5_000);
  assertEquals((await found).toSorted((a, b) => a.id < b.id ? -1 : 1), [
    { id: "X0000000000000001", address: "10.0.0.1:7000" },
    { id: "X0000000000000002", address: "10.0.0.2:7000" },
  ]);
  assertEquals(client.sockets.filter(({ bound }) => bound.host === "10.0.0.9").length, 1);
});

Deno.test("discoverServers() gives the first server at once, and closes its sockets when left", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const client = lan.host("10.0.0.9");
  {
    await using _server = announce(1, lan.host("10.0.0.1"), clock);
    await clock.advance(1);
    const servers = discoverServers(GROUP, { network: client, clock });
    const first = servers.next();
    await clock.advance(5);
    assertEquals((await first).value?.address, "10.0.0.1:7000");
    assertEquals(client.sockets.length, 2);
    await servers.return();
    assertEquals(client.sockets.length, 0);
  }
  assertEquals(clock.pending, 0);
});

Deno.test("discoverServers() finds a server that starts later, and asks again when an answer is lost", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const client = lan.host("10.0.0.9");
  const servers = discoverServers(GROUP, { network: client, clock });
  const first = servers.next();
  await clock.advance(2_000);
  await using _server = announce(1, lan.host("10.0.0.1"), clock);
  await clock.advance(1_000);
  assertEquals((await first).value?.id, "X0000000000000001");
  await servers.return();
  const begin = clock.wall() - clock.now();
  const times = lan.sent.filter(({ from }) => from.host === "10.0.0.9").map(({ bytes }) => {
    const decoded = decodeDatagram(bytes);
    assert(typeof decoded === "object");
    return decoded.message.sentAt - begin;
  });
  assertEquals(times, [0, 100, 400, 1_400, 2_400]);
});

Deno.test("discoverServers() says on time-out what to check", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const network = lan.host("10.0.0.9");
  network.trouble = new CircuitError("UNREACHABLE", "Network is unreachable");
  for (const [key, alike] of [[undefined, "no key"], [KEY, "the same key and a clock"]] as const) {
    const failure = assertRejects(
      () => discoverServers(GROUP, { network, clock, key, timeoutMs: 2_500 }).next(),
      CircuitError,
    );
    await clock.advance(2_500);
    const { code, message } = await failure;
    assertEquals(code, "TIMEOUT");
    for (const part of [GROUP, "2.5 s", "-discover", alike, "firewall", "eth0 (10.0.0.9)"]) {
      assertStringIncludes(message, part);
    }
  }
  assertEquals([lan.sockets.size, clock.pending], [0, 0]);
});

Deno.test("discoverServers() with a key finds servers with that key only", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using _keyed = announce(1, lan.host("10.0.0.1"), clock, KEY);
  await using _keyless = announce(2, lan.host("10.0.0.2"), clock);
  await using _other = announce(3, lan.host("10.0.0.3"), clock, KEY.slice(1));
  const network = lan.host("10.0.0.9");
  for (const [key, expected] of [[KEY, 1], [undefined, 2], [KEY.slice(1), 3]] as const) {
    const found = Array.fromAsync(discoverServers(GROUP, { network, clock, key }));
    await clock.advance(5_000);
    assertEquals((await found).map(({ id }) => id), [`X000000000000000${expected}`]);
  }
});

Deno.test("discoverServers() ends when its signal is aborted, before, during and between", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const network = lan.host("10.0.0.9");
  const search = (signal: AbortSignal) => discoverServers(GROUP, { network, clock, signal });
  const codeOf = async (next: Promise<unknown>) => {
    return (await assertRejects(() => next, CircuitError)).code;
  };
  assertEquals(await codeOf(search(AbortSignal.abort()).next()), "ABORTED");

  const during = new AbortController();
  const next = codeOf(search(during.signal).next());
  await settle();
  during.abort();
  assertEquals(await next, "ABORTED");

  await using _server = announce(1, network, clock);
  await clock.advance(1);
  const between = new AbortController();
  const servers = search(between.signal);
  const first = servers.next();
  await clock.advance(5);
  await first;
  between.abort();
  assertEquals(await codeOf(servers.next()), "ABORTED");
});

Deno.test("discoverServers() fails at once where waiting doesn't help", async () => {
  const clock = new FakeClock();
  const network = new MemoryLan().host("10.0.0.9");
  const wrong = discoverServers(GROUP, { network, clock, interface: "eth7" }).next();
  assertEquals((await assertRejects(() => wrong, CircuitError)).code, "BAD_REQUEST");
  network.openTrouble = new CircuitError("DENIED", "not allowed");
  const denied = discoverServers(GROUP, { network, clock }).next();
  assertEquals((await assertRejects(() => denied, CircuitError)).code, "DENIED");
  assertEquals(clock.pending, 0);

  for (const timeoutMs of [0, -1, NaN]) {
    const error = assertThrows(() => discoverServers(GROUP, { timeoutMs }), CircuitError);
    assertEquals(error.code, "BAD_REQUEST");
  }
  assertThrows(() => discoverServers("10.0.0.1:7711"), CircuitError);
});
