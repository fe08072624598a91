/**
 * What `dig` makes of a name server. It comes with Debian's bind9-dnsutils; without it these tests
 * are skipped.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Running } from "./_harness.ts";
import { hasIpv6 } from "../../tests/places.ts";

async function hasDig(): Promise<boolean> {
  try {
    return (await new Deno.Command("dig", { args: ["-v"], stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

const ignore = !await hasDig();

/** What it prints, the name server's own warnings included. */
async function dig(server: Running, ...args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command("dig", {
    args: ["-r", `@${server.host}`, "-p", String(server.port), "+tries=1", "+time=5", ...args],
  }).output();
  return new TextDecoder().decode(stdout);
}

/** The records of the answer, each with its white space as single spaces. */
async function answers(server: Running, ...args: readonly string[]): Promise<string[]> {
  const text = await dig(server, "+noall", "+answer", "+nosplit", ...args);
  return text.split("\n").filter((line) => line !== "").map((line) => line.replace(/\s+/g, " "));
}

function digTest(name: string, run: (server: Running) => Promise<void>, host?: string): void {
  Deno.test({
    name: `dig ${name}`,
    ignore: ignore || host === "::1" && !hasIpv6,
    async fn() {
      await using server = new Running(host);
      await run(server);
    },
  });
}

/** Records of each type, in the form in which dig shows them. */
const RECORDS = [
  "t.example. 60 IN A 192.0.2.1",
  "t.example. 60 IN AAAA 2001:db8::1",
  "t.example. 60 IN AFSDB 1 afs.example.",
  "apl.example. 60 IN TYPE42 \\# 7 00011803C00002 => APL 1:192.0.2.0/24",
  't.example. 60 IN CAA 0 issue "ca.example"',
  "t.example. 60 IN CDNSKEY 256 3 5 AQPSKmynfzW4",
  "t.example. 60 IN CDS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
  "c.example. 60 IN CNAME t.example.",
  "t.example. 60 IN DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
  "t.example. 60 IN DLV 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
  "d.example. 60 IN DNAME t.example.",
  "t.example. 60 IN DNSKEY 256 3 5 AQPSKmynfzW4",
  "t.example. 60 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
  't.example. 60 IN HINFO "cpu" "os x"',
  "t.example. 60 IN KEY 256 3 5 AQPSKmynfzW4",
  "t.example. 60 IN KX 10 kx.example.",
  "t.example. 60 IN TYPE29 \\# 16 00121316701CC5A0701CC5A000989680 => LOC",
  "t.example. 60 IN MX 10 mx.example.",
  't.example. 60 IN NAPTR 100 50 "s" "http+I2L" "!^(.*)$!sip:\\\\1@example!" _http._tcp.example.',
  "t.example. 60 IN NS ns.example.",
  "t.example. 60 IN NSEC u.example. A MX RRSIG NSEC TYPE1234",
  "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 60 IN NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG",
  "t.example. 60 IN TYPE51 \\# 5 0100000000 => NSEC3PARAM 1 0 0 -",
  "t.example. 60 IN PTR host.example.",
  "t.example. 60 IN RP john\\.doe.example. people.example.",
  "t.example. 60 IN RRSIG A 5 2 86400 20030322173103 20030220173103 2642 example. oJB1W6WNGv8=",
  "s.example. 60 IN SOA ns.example. host\\.master.example. 1 7200 3600 1209600 300",
  't.example. 60 IN SPF "v=spf1 -all"',
  "t.example. 60 IN SRV 1 2 5060 sip.example.",
  "t.example. 60 IN SSHFP 2 1 123456789ABCDEF67890123456789ABCDEF67890",
  "t.example. 60 IN TA 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
  "t.example. 60 IN TLSA 3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971",
  't.example. 60 IN TXT "hello world" "a\\"b\\\\c\\200" ""',
  "t.example. 60 IN TYPE65 \\# 3 000100 => HTTPS 1 .",
  't.example. 60 IN TYPE256 \\# 6 000A0001663A => URI 10 1 "f:"',
  "t.example. 60 IN TYPE65280 \\# 2 ABCD",
  "my\\032printer\\(1\\).local. 60 IN PTR host.example.",
  "m\\195\\188ller.example. 60 IN A 192.0.2.2",
];

digTest("shows every type as it was set", async (server) => {
  for (const each of RECORDS) {
    const [record = "", other] = each.split(" => ");
    await server.set(record);
    const [name = "", , , type = ""] = record.split(" ");
    const found = await answers(server, "-t", type, "-q", name);
    const wanted = other === undefined ? record : `${name} 60 IN ${other}`;
    assert(found.some((line) => line.startsWith(wanted)), `${wanted}\n${found.join("\n")}`);
  }
  const { records } = await server.peek();
  assertEquals(Object.values(records).flat().length, RECORDS.length);
});

digTest("finds nothing malformed in answers of all codes", async (server) => {
  await server.set(
    "example. SOA ns. root. 1 2 3 4 5",
    "a.b.example. TXT x",
    "c.example. CNAME a.b.example.",
  );
  const status = async (...args: readonly string[]) => {
    const text = await dig(server, "+norecurse", ...args);
    assert(!/warning|malformed|mismatch|extra bytes|bad packet/i.test(text), text);
    return /status: (\w+)/.exec(text)?.[1];
  };
  assertEquals(await status("a.b.example", "TXT"), "NOERROR");
  assertEquals(await status("A.B.exAMPLE", "TXT", "+tcp"), "NOERROR");
  assertEquals(await status("c.example", "TXT", "+noedns"), "NOERROR");
  assertEquals(await status("b.example", "TXT"), "NOERROR");
  assertEquals(await status("x.example", "TXT", "+dnssec"), "NXDOMAIN");
  assertEquals(await status("a.b.example", "ANY", "+notcp"), "NOTIMP");
  assertEquals(await status("a.b.example", "ANY", "+tcp"), "NOTIMP");
  assertEquals(await status("version.bind", "TXT", "CH"), "REFUSED");
  assertEquals(await status("a.b.example", "TXT", "+opcode=notify", "+noedns"), "NOTIMP");
  assertEquals(await status("a.b.example", "TXT", "+edns=1", "+noednsnegotiation"), "BADVERS");
  assertEquals(
    await status("a.b.example", "TXT", "+subnet=192.0.2.0/24", "+nsid", "+cookie"),
    "NOERROR",
  );
  assertEquals(await status("a.b.example", "TXT", "+header-only", "+noedns"), "FORMERR");
});

digTest("asks again over TCP where UDP is truncated", async (server) => {
  await server.set(...Array.from({ length: 200 }, (_, i) => `big.example. A 192.0.2.${i}`));
  assertEquals((await answers(server, "big.example", "A")).length, 200);
  assertEquals((await answers(server, "big.example", "A", "+ignore")).length, 0);
  assertMatch(await dig(server, "big.example", "A", "+ignore"), /flags: qr aa tc rd;/);
  const text = await dig(server, "big.example", "A");
  assertMatch(text, /Truncated, retrying in TCP mode/);
  assertMatch(text, /EDNS: version: 0, flags:; udp: 1232/);
});

digTest("keeps a TCP connection for several queries", async (server) => {
  await server.set("one.x. A 192.0.2.1", "two.x. A 192.0.2.2");
  const args = ["+noall", "+answer", "+short", "+tcp", "+keepopen", "one.x", "A", "two.x", "A"];
  assertEquals((await dig(server, ...args)).trim().split("\n"), ["192.0.2.1", "192.0.2.2"]);
});

digTest("reaches a name server by IPv6", async (server) => {
  await server.set("one.x. AAAA ::1");
  assertEquals(await answers(server, "one.x", "AAAA"), ["one.x. 3600 IN AAAA ::1"]);
  assertEquals(await answers(server, "one.x", "AAAA", "+tcp"), ["one.x. 3600 IN AAAA ::1"]);
}, "::1");
