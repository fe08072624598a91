import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { formatGroup, parseGroup } from "./parse_group.ts";

Deno.test("parseGroup() reads multicast addresses with a port", () => {
  assertEquals(parseGroup("228.8.8.8:7711"), { host: "228.8.8.8", port: 7711 });
  for (const text of ["224.0.0.0:1", "239.255.255.255:65535"]) {
    assertEquals(formatGroup(parseGroup(text)), text);
  }
});

Deno.test("parseGroup() refuses what is not a multicast address and a port", () => {
  const bad = [
    "",
    "228.8.8.8",
    "228.8.8.8:",
    "228.8.8.8:0",
    "228.8.8.8:07",
    "228.8.8.8:65536",
    "228.8.8.8:7711x",
    " 228.8.8.8:7711",
    "228.8.8:7711",
    "228.8.8.08:7711",
    "228.8.8.256:7711",
    "223.255.255.255:7711",
    "240.0.0.0:7711",
    "127.0.0.1:7711",
    "all-hosts:7711",
    "[fe80::1]:7711",
  ];
  for (const text of bad) {
    const error = assertThrows(() => parseGroup(text), CircuitError);
    assertEquals(error.code, "BAD_REQUEST", text);
    assertStringIncludes(error.message, JSON.stringify(text));
  }
});

Deno.test("parseGroup() says that IPv6 groups are not supported", () => {
  for (const text of ["[ff02::1]:7711", "[FF15::77%eth0]:7711", "ff02::1"]) {
    assertEquals(assertThrows(() => parseGroup(text), CircuitError).code, "UNSUPPORTED", text);
  }
});
