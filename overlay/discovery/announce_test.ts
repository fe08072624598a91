import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { FakeClock, settle } from "./_fake_clock.ts";
import { type MemoryHost, MemoryLan } from "./_memory_lan.ts";
import {
  Announcer,
  type AnnouncerOptions,
  COMPLAIN_AGAIN_MS,
  REPORTS_PER_SECOND,
} from "./announce.ts";
import { ANSWERS_PER_SECOND } from "./answers.ts";
import { decodeDatagram, encodeDatagram, type Message } from "./datagram.ts";
import { MAX_SKEW_MS } from "./inbox.ts";
import { Seal } from "./seal.ts";

const GROUP = "239.1.1.1:7711";
const TO = { host: "239.1.1.1", port: 7711 };
const KEY = new Uint8Array(64).fill(5);

interface Server extends AsyncDisposable {
  readonly announcer: Announcer;
  readonly heard: string[];
  readonly log: string[];
}

function idOf(number: number): string {
  return `X${number.toString(16).padStart(16, "0")}`;
}

function start(
  number: number,
  network: MemoryHost,
  clock: FakeClock,
  more: Partial<AnnouncerOptions> = {},
): Server {
  const log: string[] = [];
  const heard: string[] = [];
  const announcer = new Announcer({
    group: GROUP,
    self: { id: idOf(number), address: `10.0.0.${number}:7000` },
    network,
    clock,
    random: () => 0,
    log: (level, message) => void log.push(`${level}: ${message}`),
    ...more,
  });
  announcer.onServer(({ id, address }) => {
    heard.push(`${Number.parseInt(id.slice(1), 16)} at ${address}`);
  });
  announcer.start();
  return { announcer, heard, log, [Symbol.asyncDispose]: () => announcer.stop() };
}

function sentBy(lan: MemoryLan, source: string): Message[] {
  return lan.sent.filter(({ from }) => from.host === source).map(({ bytes }) => {
    const decoded = decodeDatagram(bytes);
    assert(typeof decoded === "object");
    return decoded.message;
  });
}

/** Sends datagrams to the group from a host of its own, and gathers what comes back. */
function stranger(lan: MemoryLan, address: string) {
  const socket = lan.host(address).open(address);
  const answers: Message[] = [];
  const loop = (async () => {
    for (let got; (got = await socket.receive());) {
      const decoded = decodeDatagram(got.bytes);
      if (typeof decoded === "object") answers.push(decoded.message);
    }
  })();
  return {
    answers,
    say: (message: Message, seal = new Seal()) =>
      socket.send(seal.close(encodeDatagram(message)), TO),
    async [Symbol.asyncDispose]() {
      socket.close();
      await loop;
    },
  };
}

const warnings = (log: readonly string[]) => log.filter((line) => line.startsWith("warn"));

/** The log without what a server says that is alone: where something else is looked at. */
const troubles = (log: readonly string[]) =>
  log.filter((line) => !line.includes("nobody else was heard"));

Deno.test("Announcer announces ten times at growing intervals, then once a minute", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using _server = start(1, lan.host("10.0.0.1"), clock);
  await clock.advance(180_000);
  const begin = clock.wall() - clock.now();
  const times = sentBy(lan, "10.0.0.1").filter(({ type }) => type === "announce")
    .map(({ sentAt }) => (sentAt - begin) / 1_000);
  const expected = [0, 1, 2.4, 4.36, 7.104, 10.9456, 16.3238, 23.8534, 34.3947, 49.1526];
  assertEquals(
    times.map((time) => time.toFixed(2)),
    [...expected, 109.1526, 169.1526].map((time) => time.toFixed(2)),
  );
  const queries = sentBy(lan, "10.0.0.1").filter(({ type }) => type === "query");
  assertEquals(queries.map(({ id }) => id), [idOf(1), idOf(1), idOf(1)]);
});

Deno.test("Announcer reports other servers, whoever starts first, and not itself", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using first = start(1, lan.host("10.0.0.1"), clock);
  await clock.advance(600_000);
  first.heard.length = 0;
  await using second = start(2, lan.host("10.0.0.2"), clock);
  await clock.advance(1);
  assertEquals(first.heard, ["2 at 10.0.0.2:7000"]);
  assertEquals(second.heard, ["1 at 10.0.0.1:7000"]);
});

Deno.test("Announcer hears servers on its own host", async () => {
  const host = new MemoryLan().host();
  const clock = new FakeClock();
  await using first = start(1, host, clock);
  await using second = start(2, host, clock);
  await clock.advance(1);
  assertEquals([first.heard.length, second.heard.length], [1, 1]);
});

Deno.test("Announcer.onServer() reports again what is still heard of, but not each time", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using server = start(1, lan.host("10.0.0.1"), clock);
  await using other = stranger(lan, "10.0.0.2");
  const announcement = { type: "announce", sentAt: 0, id: idOf(2), address: "a:1" } as const;
  await settle();
  for (let second = 0; second <= 20; second++) {
    await other.say(announcement);
    await clock.advance(1_000);
  }
  assertEquals(server.heard, ["2 at a:1", "2 at a:1", "2 at a:1"]);
  await other.say({ ...announcement, address: "b:1" });
  await settle();
  assertEquals(server.heard.at(-1), "2 at b:1");
});

Deno.test("Announcer.onServer() calls the others when one throws, until it is told not to", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using server = start(1, lan.host("10.0.0.1"), clock);
  await using other = stranger(lan, "10.0.0.2");
  const heard: string[] = [];
  server.announcer.onServer(() => {
    throw new Error("fault of the listener");
  });
  const end = server.announcer.onServer(({ id }) => void heard.push(id));
  await settle();
  await other.say({ type: "announce", sentAt: 0, id: idOf(2), address: "a:1" });
  await settle();
  assertEquals(heard, [idOf(2)]);
  assertStringIncludes(server.log.join("\n"), "fault of the listener");
  end();
  await other.say({ type: "announce", sentAt: 0, id: idOf(3), address: "a:1" });
  await settle();
  assertEquals(heard, [idOf(2)]);
  assertEquals(server.heard.length, 2);
});

Deno.test("Announcer answers a query by unicast, with its nonce, and not its own", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using _server = start(1, lan.host("10.0.0.1"), clock);
  await using client = stranger(lan, "10.0.0.2");
  await clock.advance(10);
  await client.say({ type: "query", sentAt: 0, nonce: 77n });
  await clock.advance(1);
  const [answer] = client.answers;
  assert(answer?.type === "answer");
  assertEquals([answer.nonce, answer.id, answer.address], [77n, idOf(1), "10.0.0.1:7000"]);
  await client.say({ type: "query", sentAt: 0, nonce: 78n, id: idOf(1) });
  await clock.advance(1);
  assertEquals(client.answers.length, 1);
});

Deno.test("Announcer believes answers to its own queries only", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host("10.0.0.1");
  await using server = start(1, host, clock);
  await clock.advance(1);
  const query = sentBy(lan, "10.0.0.1").find(({ type }) => type === "query");
  assert(query?.type === "query");
  const sender = host.sockets.find(({ bound }) => bound.host === "10.0.0.1");
  const from = { host: "10.0.0.9", port: 1 };
  const answer = (nonce: bigint, number: number) =>
    encodeDatagram({ type: "answer", sentAt: 0, nonce, id: idOf(number), address: "a:1" });
  sender?.deliver({ bytes: answer(query.nonce ^ 1n, 8), from });
  sender?.deliver({ bytes: answer(query.nonce, 9), from });
  await settle();
  assertEquals(server.heard, ["9 at a:1"]);
});

Deno.test("Announcer with a key ignores servers without it, with another, and stale ones; says so", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using keyed = start(1, lan.host("10.0.0.1"), clock, { key: KEY });
  await using keyless = start(2, lan.host("10.0.0.2"), clock);
  await using odd = start(3, lan.host("10.0.0.3"), clock, { key: KEY.slice(1) });
  await clock.advance(60_000);
  assertEquals([...keyed.heard, ...keyless.heard, ...odd.heard], []);
  assertEquals(warnings(keyed.log).length, 2);
  assertStringIncludes(warnings(keyed.log).join("\n"), "without a key");
  assertStringIncludes(warnings(keyed.log).join("\n"), "with a different key");
  assertEquals(warnings(keyless.log).length, 1);
  assert((keyed.announcer.refused.get("keyless") ?? 0) > 5);

  await using friend = stranger(lan, "10.0.0.4");
  const message = { type: "announce", id: idOf(4), address: "a:1" } as const;
  await friend.say({ ...message, sentAt: clock.wall() - MAX_SKEW_MS - 1 }, new Seal(KEY));
  await settle();
  assertEquals(keyed.heard, []);
  assertEquals(keyed.announcer.refused.get("stale"), 1);
  const warning = warnings(keyed.log).at(-1) ?? "";
  assertStringIncludes(warning, "from 10.0.0.4 that is more than 60 s old or ahead: the clocks");
  await friend.say({ ...message, sentAt: clock.wall() - MAX_SKEW_MS }, new Seal(KEY));
  await settle();
  assertEquals(keyed.heard, ["4 at a:1"]);
});

Deno.test("Announcer says once an hour what it ignores", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using server = start(1, lan.host("10.0.0.1"), clock, { key: KEY });
  await using late = stranger(lan, "10.0.0.4");
  await clock.advance(1);
  const say = async () => {
    const sentAt = clock.wall() - 2 * MAX_SKEW_MS;
    await late.say({ type: "query", sentAt, nonce: 1n }, new Seal(KEY));
    await settle();
    return warnings(server.log).filter((line) => line.includes("10.0.0.4")).length;
  };
  assertEquals([await say(), await say()], [1, 1]);
  await clock.advance(COMPLAIN_AGAIN_MS - 1);
  assertEquals(await say(), 1);
  await clock.advance(1);
  assertEquals([await say(), await say()], [2, 2]);
});

Deno.test("Announcer answers with the key that the query was made with", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const old = KEY.slice(1);
  await using _server = start(1, lan.host("10.0.0.1"), clock, { key: [KEY, old] });
  const socket = lan.host("10.0.0.2").open("10.0.0.2");
  await clock.advance(1);
  const query = encodeDatagram({ type: "query", sentAt: clock.wall(), nonce: 1n });
  await socket.send(new Seal(old).close(query), TO);
  await clock.advance(1);
  const decoded = decodeDatagram((await socket.receive())?.bytes ?? new Uint8Array());
  assert(typeof decoded === "object" && decoded.tag);
  assertEquals(new Seal(old).check(decoded.body, decoded.tag), 0);
  socket.close();
});

Deno.test("Announcer warns once where there is no multicast, tries again, and recovers", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host("10.0.0.1");
  host.trouble = new CircuitError("UNREACHABLE", "Network is unreachable");
  await using server = start(1, host, clock);
  await using other = start(2, lan.host("10.0.0.2"), clock);
  await clock.advance(300_000);
  const [warning, ...more] = warnings(server.log);
  assertEquals(more, []);
  assertStringIncludes(warning ?? "", GROUP);
  assertStringIncludes(warning ?? "", "eth0 (10.0.0.1): Network is unreachable");
  assertEquals(other.heard, []);

  host.trouble = undefined;
  await clock.advance(60_000);
  assertEquals(other.heard[0], "1 at 10.0.0.1:7000");
  assertEquals(server.heard.at(-1), "2 at 10.0.0.2:7000");
  assertEquals(server.log.filter((line) => line.startsWith("info")).length, 1);
  assertEquals(warnings(server.log).length, 1);
});

Deno.test("Announcer warns where nothing comes back, and where nobody else is heard, once each", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host("10.0.0.1");
  host.lossy = true;
  await using server = start(1, host, clock);
  await clock.advance(2_000);
  assertEquals(warnings(server.log), []);
  await clock.advance(1_000);
  const [firewall = "", ...more] = warnings(server.log);
  assertStringIncludes(firewall, `${GROUP}: nothing comes back`);
  assertStringIncludes(firewall, "the server runs on");
  assertEquals(more, []);
  // Its own come back now, which says nothing of others.
  host.lossy = false;
  await clock.advance(600_000);
  const [, cloud = "", ...rest] = warnings(server.log);
  assertStringIncludes(cloud, "nobody else was heard");
  assertStringIncludes(cloud, "-j");
  assertEquals(rest, []);
  await using second = start(2, lan.host("10.0.0.2"), clock);
  await clock.advance(600_000);
  assertEquals([server.heard.length > 0, second.heard.length > 0], [true, true]);
  assertEquals([warnings(server.log).length, warnings(second.log)], [2, []]);
});

Deno.test("Announcer of a server on loopback does not mind being alone", async () => {
  const clock = new FakeClock();
  const self = { id: idOf(1), address: "127.0.0.1:7000" };
  await using server = start(1, new MemoryLan().host(), clock, { self });
  await clock.advance(600_000);
  assertEquals(warnings(server.log), []);
});

Deno.test("Announcer runs on where no socket can be opened, or the only interface goes", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host("10.0.0.1");
  host.openTrouble = new CircuitError("BUSY", "the port is in use");
  await using server = start(1, host, clock, { interface: "eth0" });
  await clock.advance(1);
  assertStringIncludes(warnings(troubles(server.log))[0] ?? "", "the port is in use");
  host.openTrouble = undefined;
  await clock.advance(1_000);
  assertStringIncludes(troubles(server.log).at(-1) ?? "", "on the air through eth0");
  const eth0 = host.list.pop();
  await clock.advance(60_000);
  assertStringIncludes(warnings(troubles(server.log))[1] ?? "", "there is no interface eth0");
  assert(eth0);
  host.list.push(eth0);
  await clock.advance(60_000);
  assertStringIncludes(troubles(server.log).at(-1) ?? "", "on the air through eth0");
});

Deno.test("Announcer opens its sockets again after they failed, with back-off", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host("10.0.0.1");
  await using server = start(1, host, clock);
  await clock.advance(300_000);
  for (const socket of host.sockets) socket.fail(new CircuitError("UNREACHABLE", "broken"));
  await settle();
  assertEquals(warnings(troubles(server.log)).length, 1);
  assertStringIncludes(warnings(troubles(server.log))[0] ?? "", "broken");
  await clock.advance(10_000);
  assertStringIncludes(troubles(server.log).at(-1) ?? "", "on the air through lo, eth0");
  await using _other = start(2, lan.host("10.0.0.2"), clock);
  await clock.advance(1);
  assertEquals(server.heard, ["2 at 10.0.0.2:7000"]);

  // Sockets that fail as soon as they are open must not keep the server busy.
  const before = server.log.length;
  for (let i = 0; i < 600; i++) {
    for (const socket of host.sockets) socket.fail(new CircuitError("UNREACHABLE", "broken"));
    await clock.advance(1_000);
  }
  assert(warnings(server.log.slice(before)).length < 25);
});

Deno.test("Announcer begins anew on an interface that comes up", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host();
  await using server = start(1, host, clock);
  await using other = start(2, lan.host("10.0.0.2"), clock);
  await clock.advance(300_000);
  host.list.push({ name: "eth0", address: "10.0.0.1" });
  await clock.advance(60_000);
  assertEquals(other.heard[0], "1 at 10.0.0.1:7000");
  assertEquals(server.heard[0], "2 at 10.0.0.2:7000");
  // Before, it sent what nobody else could hear.
  const [warning, ...more] = warnings(server.log);
  assertStringIncludes(warning ?? "", "on the air through lo alone");
  assertEquals(more, []);
  assertStringIncludes(server.log.at(-1) ?? "", "info: multicast discovery on 239.1.1.1:7711: on");
});

Deno.test("Announcer of a server on loopback keeps to this host", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  const host = lan.host("10.0.0.1");
  const self = { id: idOf(1), address: "127.0.0.1:7000" };
  await using server = start(1, host, clock, { self });
  await using other = start(2, lan.host("10.0.0.2"), clock);
  await using neighbour = start(3, host, clock);
  await clock.advance(1_000);
  assertEquals(other.heard, ["3 at 10.0.0.3:7000"]);
  assertEquals(server.heard, ["3 at 10.0.0.3:7000"]);
  assertEquals(neighbour.heard.sort(), ["1 at 127.0.0.1:7000", "2 at 10.0.0.2:7000"]);
});

Deno.test("Announcer bounds what a flood makes it do", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  await using server = start(1, lan.host("10.0.0.1"), clock);
  await using flood = stranger(lan, "10.0.0.2");
  await clock.advance(1);
  for (let i = 0; i < 1_000; i++) {
    await flood.say({ type: "announce", sentAt: 0, id: idOf(100 + i), address: "a:1" });
    await flood.say({ type: "query", sentAt: 0, nonce: BigInt(i + 1) });
  }
  await clock.advance(1);
  assertEquals(server.heard.length, REPORTS_PER_SECOND);
  assertEquals(flood.answers.length, ANSWERS_PER_SECOND);
  // What was left out is reported when it is heard again.
  await clock.advance(1_000);
  await flood.say({ type: "announce", sentAt: 0, id: idOf(1_099), address: "a:1" });
  await settle();
  assertEquals(server.heard.at(-1), "1099 at a:1");
});

Deno.test("Announcer.stop() ends everything, at any time, and twice", async () => {
  const lan = new MemoryLan();
  const clock = new FakeClock();
  for (let turns = 0; turns < 20; turns++) {
    const { announcer } = start(1, lan.host("10.0.0.1"), clock);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await Promise.all([announcer.stop(), announcer.stop()]);
    announcer.start();
    assertEquals([lan.sockets.size, clock.pending], [0, 0]);
  }
  await start(1, lan.host("10.0.0.1"), clock).announcer.stop();
});

Deno.test("Announcer refuses what makes no sense at once", () => {
  const network = new MemoryLan().host("10.0.0.1");
  const self = { id: idOf(1), address: "a:1" };
  const make = (more: Partial<AnnouncerOptions>) => () =>
    new Announcer({ group: GROUP, self, network, log: () => {}, ...more });
  make({})();
  const bad: Partial<AnnouncerOptions>[] = [
    { group: "10.0.0.1:7711" },
    { interface: "eth7" },
    { key: new Uint8Array() },
    { self: { id: "X1", address: "a:1" } },
    { self: { id: idOf(1), address: "a:0" } },
  ];
  for (const more of bad) {
    assertEquals(assertThrows(make(more), CircuitError).code, "BAD_REQUEST");
  }
});
