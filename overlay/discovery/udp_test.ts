import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { freshGroup } from "../../tests/multicast.ts";
import { CircuitError } from "../errors.ts";
import { Announcer } from "./announce.ts";
import { MAX_DATAGRAM_BYTES } from "./datagram.ts";
import { formatGroup, type Group, parseGroup } from "./parse_group.ts";
import { discoverServers } from "./query.ts";
import type { DiscoveryKey } from "./seal.ts";
import { udpNetwork } from "./udp.ts";
import { needsFiles } from "../../tests/limits.ts";

const LOOPBACK = "127.0.0.1";

/** Milliseconds after which a test that hears nothing fails; nothing waits that long otherwise. */
const PATIENCE_MS = 30_000;

/** A group that no other test uses. */
function newGroup(): Group {
  return parseGroup(freshGroup());
}

/** A server that announces itself, and the IDs that it hears. */
function announce(
  number: number,
  group: Group,
  { wanted = LOOPBACK, key }: { wanted?: string | null; key?: DiscoveryKey } = {},
) {
  const heard = new Set<string>();
  const log: string[] = [];
  let news = Promise.withResolvers<void>();
  const wake = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const id = `X${number.toString(16).padStart(16, "0")}`;
  const announcer = new Announcer({
    group: formatGroup(group),
    self: { id, address: `10.0.0.${number}:7000` },
    interface: wanted ?? undefined,
    key,
    log: (level, message) => void log.push(`${level}: ${message}`),
  });
  announcer.onServer((server) => {
    heard.add(server.id);
    wake();
  });
  return {
    id,
    announcer,
    log,
    /** Resolves once all of them were heard of. */
    async hears(ids: readonly string[]): Promise<void> {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        wake();
      }, PATIENCE_MS);
      while (!late && !ids.every((each) => heard.has(each))) {
        await news.promise;
      }
      clearTimeout(timer);
      assert(!late, `${id} heard ${[...heard]}, not all of ${ids}\n${log.join("\n")}`);
    },
    [Symbol.asyncDispose]: () => announcer.stop(),
  };
}

async function firstServer(group: Group, key?: DiscoveryKey): Promise<string> {
  const options = { interface: LOOPBACK, timeoutMs: PATIENCE_MS, key };
  for await (const { id } of discoverServers(formatGroup(group), options)) return id;
  return "none";
}

Deno.test("Announcer hears all others over real multicast, on one port, in any start order", async () => {
  const group = newGroup();
  await using servers = new AsyncDisposableStack();
  const all = Array.from({ length: 5 }, (_, i) => servers.use(announce(i + 1, group)));
  const searches: Promise<string>[] = [firstServer(group)];
  for (const [i, server] of all.toSorted(() => Math.random() - 0.5).entries()) {
    server.announcer.start();
    if (i % 2 === 0) searches.push(firstServer(group));
  }
  const ids = all.map(({ id }) => id);
  await Promise.all(all.map((each) => each.hears(ids.filter((id) => id !== each.id))));
  for (const id of await Promise.all(searches)) assert(ids.includes(id));
  for (const { log } of all) assertEquals(log.filter((line) => !line.startsWith("info")), []);
});

Deno.test("Announcer goes on while others on the port stop and start again", async () => {
  const group = newGroup();
  await using first = announce(1, group);
  first.announcer.start();
  for (const number of [2, 3, 4]) {
    await using other = announce(number, group);
    other.announcer.start();
    await Promise.all([first.hears([other.id]), other.hears([first.id])]);
    assertEquals((await firstServer(group)).length, 17);
  }
  assertEquals(await firstServer(group), first.id);
});

Deno.test("discoverServers() yields all servers of the host over real multicast", async () => {
  const group = newGroup();
  await using first = announce(1, group);
  await using second = announce(2, group);
  first.announcer.start();
  second.announcer.start();
  const found = new Set<string>();
  const options = { interface: LOOPBACK, timeoutMs: PATIENCE_MS };
  for await (const { id } of discoverServers(formatGroup(group), options)) {
    found.add(id);
    if (found.size === 2) break;
  }
  assertEquals(found, new Set([first.id, second.id]));
});

/** Files that are open for 200 clients: each has sockets on every interface. */
const { needs, ignore } = needsFiles(1_000);

Deno.test(`discoverServers() finds a server for each of 200 clients that ask at once${needs}`, {
  ignore,
}, async () => {
  const group = newGroup();
  await using server = announce(1, group);
  server.announcer.start();
  const found = await Promise.all(Array.from({ length: 200 }, () => firstServer(group)));
  assertEquals(new Set(found), new Set([server.id]));
});

Deno.test("discoverServers() finds the server with its key over real multicast", async () => {
  const group = newGroup();
  const [one, two] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)];
  await using first = announce(1, group, { key: one });
  await using second = announce(2, group, { key: two });
  await using third = announce(3, group);
  for (const { announcer } of [first, second, third]) announcer.start();
  assertEquals(
    await Promise.all([one, two, undefined].map((key) => firstServer(group, key))),
    [first.id, second.id, third.id],
  );
});

Deno.test("Announcer and discoverServers() use all interfaces unless told otherwise", async () => {
  const group = newGroup();
  await using server = announce(1, group, { wanted: null });
  server.announcer.start();
  for await (const { id } of discoverServers(formatGroup(group), { timeoutMs: PATIENCE_MS })) {
    assertEquals(id, server.id);
    break;
  }
});

Deno.test("discoverServers() times out on a group that nobody is in", async () => {
  const search = discoverServers(formatGroup(newGroup()), { interface: LOOPBACK, timeoutMs: 50 });
  assertEquals((await assertRejects(() => search.next(), CircuitError)).code, "TIMEOUT");
});

Deno.test("udpNetwork gives each socket that shares the port each datagram of its group alone", async () => {
  const group = newGroup();
  const otherGroup = { host: newGroup().host, port: group.port };
  const sockets = [1, 2, 3].map(() => udpNetwork.openGroup(group));
  const other = udpNetwork.openGroup(otherGroup);
  for (const socket of sockets) {
    await socket.join(LOOPBACK);
    await socket.join(LOOPBACK);
  }
  await other.join(LOOPBACK);
  const sender = udpNetwork.open(LOOPBACK);
  await sender.send(Uint8Array.of(1), otherGroup);
  await sender.send(Uint8Array.of(2), group);
  for (const socket of sockets) {
    const datagram = await socket.receive();
    assertEquals([...datagram?.bytes ?? []], [2]);
    assertEquals(datagram?.from.host, LOOPBACK);
  }
  assertEquals([...(await other.receive())?.bytes ?? []], [1]);
  // An answer goes to the one that asked, whoever else has the group's port.
  const replier = udpNetwork.open("0.0.0.0");
  await sender.send(Uint8Array.of(3), group);
  const question = await sockets[0]?.receive();
  assert(question);
  await replier.send(Uint8Array.of(4), question.from);
  assertEquals([...(await sender.receive())?.bytes ?? []], [4]);
  for (const socket of [...sockets, other, sender, replier]) socket.close();
});

Deno.test("udpNetwork cuts datagrams that are too long, and ends a receive on close", async () => {
  const group = newGroup();
  const socket = udpNetwork.openGroup(group);
  await socket.join(LOOPBACK);
  const sender = udpNetwork.open(LOOPBACK);
  await sender.send(new Uint8Array(5_000), group);
  assertEquals((await socket.receive())?.bytes.length, MAX_DATAGRAM_BYTES + 1);
  const pending = socket.receive();
  socket.close();
  socket.close();
  assertEquals(await pending, undefined);
  assertEquals(await socket.receive(), undefined);
  sender.close();
  const sent = await assertRejects(() => sender.send(Uint8Array.of(1), group), CircuitError);
  assertEquals(sent.code, "CLOSED");
});

Deno.test("udpNetwork says why a socket cannot be opened, joined or used", async () => {
  const group = newGroup();
  const nowhere = "192.0.2.254";
  assertEquals(assertThrows(() => udpNetwork.open(nowhere), CircuitError).code, "UNREACHABLE");
  const socket = udpNetwork.openGroup(group);
  const join = await assertRejects(() => socket.join(nowhere), CircuitError);
  assertEquals(join.code, "UNREACHABLE");
  socket.close();
  const selfish = Deno.listenDatagram({ transport: "udp", hostname: group.host, port: group.port });
  assertEquals(assertThrows(() => udpNetwork.openGroup(group), CircuitError).code, "BUSY");
  selfish.close();
});

Deno.test("udpNetwork says so where the program may not use the network", {
  permissions: { net: false },
}, async () => {
  assertEquals(assertThrows(() => udpNetwork.open(LOOPBACK), CircuitError).code, "DENIED");
  const search = discoverServers("239.1.1.1:7711").next();
  assertEquals((await assertRejects(() => search, CircuitError)).code, "DENIED");
});

Deno.test("discoverServers() finds a server where the program may not see the interfaces", {
  permissions: { net: true, sys: false },
}, async () => {
  const group = newGroup();
  await using server = announce(1, group);
  server.announcer.start();
  for await (const { id } of discoverServers(formatGroup(group), { timeoutMs: PATIENCE_MS })) {
    assertEquals(id, server.id);
    break;
  }
});
