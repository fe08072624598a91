import { assertEquals } from "@std/assert";
import { chooseListen, remarkOn } from "./listen.ts";

/** An interface as Deno lists it: the name and the address. */
function at(name: string, address: string): Deno.NetworkInterfaceInfo {
  const [family, netmask, cidr] = address.includes(":")
    ? ["IPv6", "ffff:ffff:ffff:ffff::", `${address}/64`] as const
    : ["IPv4", "255.255.255.0", `${address}/24`] as const;
  return { name, address, family, netmask, cidr, mac: "", scopeid: null };
}

const LO = [at("lo", "127.0.0.1"), at("lo", "::1")];
const ONE = [...LO, at("eth0", "10.0.0.5"), at("eth0", "fd00::5"), at("eth0", "fe80::5")];
const TWO = [...ONE, at("eth1", "10.1.0.5"), at("eth1", "fd01::5"), at("eth1", "fe80::6")];

function remark(addr: string, interfaces: readonly Deno.NetworkInterfaceInfo[]) {
  return remarkOn(chooseListen({ addr }, interfaces), interfaces);
}

Deno.test("remarkOn() tells which address others are told where there are several", () => {
  for (const addr of ["0.0.0.0:1", ":1", "[::]:1"]) {
    assertEquals(remark(addr, TWO), {
      level: "info",
      text: "others are told 10.0.0.5 (eth0) alone; -a or -if chooses another address for those " +
        "who reach this machine only at 10.1.0.5 (eth1)",
    });
  }
});

Deno.test("remarkOn() warns where nobody else can reach the server, unless that was asked for", () => {
  for (const addr of ["0.0.0.0:1", "[::]:1"]) assertEquals(remark(addr, LO)?.level, "warn");
  assertEquals(remark("127.0.0.1:1", LO), undefined);
});

Deno.test("remarkOn() has nothing to say of an address that was chosen, or is the only one", () => {
  assertEquals(remark("10.0.0.5:1", TWO), undefined);
  const chosen = chooseListen({ interface: "eth1" }, TWO);
  assertEquals([chosen.advertise, remarkOn(chosen, TWO)], ["10.1.0.5", undefined]);
  for (const addr of ["0.0.0.0:1", "[::]:1"]) assertEquals(remark(addr, ONE), undefined);
});
