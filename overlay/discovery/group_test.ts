import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { settle } from "./_fake_clock.ts";
import { MemoryLan } from "./_memory_lan.ts";
import { chooseInterfaces, GroupChannel, isHealthy, MAX_INTERFACES } from "./group.ts";

const LO = { name: "lo", address: "127.0.0.1" };
const ETH = { name: "eth0", address: "10.0.0.1" };
const ETH_TOO = { name: "eth0", address: "10.9.0.1" };
const WLAN = { name: "wlan0", address: "10.1.0.1" };
const GROUP = { host: "239.1.1.1", port: 7711 };

Deno.test("chooseInterfaces() takes all, each once, unless one is wanted", () => {
  const all = [LO, ETH, ETH_TOO, WLAN];
  assertEquals(chooseInterfaces(all), [LO, ETH, WLAN]);
  assertEquals(chooseInterfaces(all, "wlan0"), [WLAN]);
  assertEquals(chooseInterfaces(all, "10.9.0.1"), [ETH_TOO]);
  assertEquals(chooseInterfaces(all, undefined, true), [LO]);
  const many = Array.from({ length: 50 }, (_, i) => ({ name: `e${i}`, address: `10.2.0.${i}` }));
  assertEquals(chooseInterfaces(many).length, MAX_INTERFACES);
});

Deno.test("chooseInterfaces() says what there is where the wanted one is missing", () => {
  const error = assertThrows(() => chooseInterfaces([LO, ETH], "eth7"), CircuitError);
  assertEquals(error.code, "BAD_REQUEST");
  assertStringIncludes(error.message, "eth7");
  assertStringIncludes(error.message, "eth0 (10.0.0.1)");
  assertEquals(assertThrows(() => chooseInterfaces([]), CircuitError).code, "UNREACHABLE");
});

Deno.test("isHealthy() asks for an interface that reaches others, where there is one", () => {
  const trouble = new CircuitError("UNREACHABLE", "down");
  assertEquals(isHealthy({ through: [LO, ETH], troubles: [trouble] }), true);
  assertEquals(isHealthy({ through: [LO], troubles: [] }), true);
  assertEquals(isHealthy({ through: [LO], troubles: [trouble] }), false);
  assertEquals(isHealthy({ through: [], troubles: [] }), false);
});

Deno.test("GroupChannel.broadcast() follows interfaces that come and go", async () => {
  const lan = new MemoryLan();
  const [host, peer] = [lan.host(), lan.host("10.0.0.2")];
  const received: string[] = [];
  const listener = new GroupChannel({
    network: peer,
    group: GROUP,
    listen: true,
    onDatagram: ({ bytes, from }) => void received.push(`${bytes[0]} from ${from.host}`),
  });
  await listener.broadcast([]);
  const channel = new GroupChannel({ network: host, group: GROUP, onDatagram: () => {} });

  assertEquals((await channel.broadcast([Uint8Array.of(1)])).through, [LO]);
  host.list.push(ETH);
  assertEquals((await channel.broadcast([Uint8Array.of(2)])).through, [LO, ETH]);
  host.list.pop();
  assertEquals((await channel.broadcast([Uint8Array.of(3)])).through, [LO]);
  assertEquals(host.sockets.length, 1);
  await settle();
  assertEquals(received, ["2 from 10.0.0.1"]);

  await channel.close();
  await listener.close();
  assertEquals(lan.sockets.size, 0);
});

Deno.test("GroupChannel opens another socket in the place of one that failed", async () => {
  const host = new MemoryLan().host();
  const failures: CircuitError[] = [];
  const channel = new GroupChannel({
    network: host,
    group: GROUP,
    listen: true,
    onDatagram: () => {},
    onFailure: (error) => void failures.push(error),
  });
  await channel.broadcast([]);
  const sockets = host.sockets;
  for (const socket of sockets) socket.fail(new CircuitError("UNREACHABLE", "the cable broke"));
  await settle();
  assertEquals(failures.length, 2);
  assertStringIncludes(failures[0]?.message ?? "", "239.1.1.1:7711: the cable broke");
  assertEquals(host.sockets.length, 0);
  assertEquals((await channel.broadcast([])).troubles, []);
  assertEquals(host.sockets.length, 2);
  await channel.close();
});

Deno.test("GroupChannel.close() while a broadcast is under way leaves no socket open", async () => {
  const host = new MemoryLan().host("10.0.0.1");
  const options = { network: host, group: GROUP, listen: true, onDatagram: () => {} };
  for (let turns = 0; turns < 20; turns++) {
    const channel = new GroupChannel(options);
    const broadcast = channel.broadcast([Uint8Array.of(1)]);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await channel.close();
    await broadcast;
    assertEquals(host.sockets, []);
    assertEquals((await channel.broadcast([Uint8Array.of(1)])).through, []);
    assertEquals(host.sockets, []);
  }
});
