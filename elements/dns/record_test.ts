import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ask, recordsOf, refused } from "./_harness.ts";
import { parseOwner, parseRecord } from "./record.ts";

/** A type, its data as they are given, and as they are shown where that differs. */
const GOOD: readonly (readonly [type: string, data: string, shown?: string])[] = [
  ["A", "192.0.2.1"],
  ["AAAA", "2001:db8::1"],
  ["AAAA", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["AAAA", "::ffff:192.0.2.1", "::ffff:c000:201"],
  ["AFSDB", "1 afs.example."],
  ["APL", String.raw`\# 7 00011803C00002`],
  ["CAA", '0 issue "ca.example; policy=ev"'],
  ["CDNSKEY", "0 3 0 AA=="],
  ["CDS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"],
  ["CERT", String.raw`\# 5 0001000100`],
  ["CNAME", "other.example."],
  ["DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="],
  ["DLV", "60485 5 1 2BB183AF"],
  ["DNAME", "other.example."],
  ["DNSKEY", "256 3 5 AQPSKmynfzW4 kyBv015MUG2DeQ==", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeQ=="],
  ["DS", "60485 5 1 2bb183af 5f225881", "60485 5 1 2BB183AF5F225881"],
  ["HINFO", 'PC-Intel-700mhz "Redhat Linux"', '"PC-Intel-700mhz" "Redhat Linux"'],
  ["HIP", String.raw`\# 4 00010203`],
  ["IPSECKEY", String.raw`\# 3 0A0000`],
  ["KEY", "256 3 5 AQPSKmynfzW4"],
  ["KX", "10 kx.example."],
  ["LOC", String.raw`\# 16 00121316701CC5A0701CC5A000989680`],
  ["MX", "10 mx.miek.nl."],
  [
    "NAPTR",
    String.raw`100 50 "s" "http+I2L" "!^.*$!sip:\\1@example!" _http._tcp.example.`,
  ],
  ["NS", "ns1.example."],
  ["NSEC", "host.example. A MX RRSIG NSEC TYPE1234"],
  ["NSEC", "host.example. NSEC a TYPE15 a", "host.example. A MX NSEC"],
  ["NSEC3", "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG"],
  ["NSEC3", "1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"],
  ["NSEC3PARAM", String.raw`\# 5 0100000000`],
  ["NULL", String.raw`\# 3 010203`],
  ["NULL", String.raw`\# 0`],
  ["PTR", "host.example."],
  ["RP", String.raw`john\.doe.example. people.example.`],
  ["RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example. oJB1W6WNGv+ldvQ3WDG0MQ=="],
  ["SIG", "TYPE65 5 3 86400 1048354263 1045762263 2642 example. oJB1W6WNGv8="],
  ["SOA", String.raw`ns.example. host\.master.example. 2024010101 7200 3600 1209600 300`],
  [
    "SOA",
    "ns.example. root.example. 1 2h 1H 2w 5m",
    "ns.example. root.example. 1 7200 3600 1209600 300",
  ],
  ["SPF", '"v=spf1 -all"'],
  ["SRV", "1 2 5060 sip.example."],
  ["SRV", "0 0 0 ."],
  ["SSHFP", "2 1 123456789ABCDEF67890123456789ABCDEF67890"],
  ["TA", "60485 5 1 2BB183AF"],
  ["TLSA", "3 1 1 d2abde240d7cd3ee", "3 1 1 D2ABDE240D7CD3EE"],
  ["TXT", '"hello world" "two"'],
  [
    "TXT",
    String.raw`plain "a\"b\\c\200;(" "" é`,
    String.raw`"plain" "a\"b\\c\200;(" "" "\195\169"`,
  ],
  ["TYPE65", String.raw`\# 3 000100`],
  ["TYPE65280", String.raw`\# 2 AB CD`, String.raw`\# 2 ABCD`],
];

for (const [type, data, shown] of GOOD) {
  Deno.test(`parseRecord() reads ${type} ${data.slice(0, 50)}`, () => {
    const { text } = parseRecord(`host.example. 60 IN ${type} ${data}`);
    assertEquals(text, `host.example.\t60\tIN\t${type}\t${shown ?? data}`);
    assertEquals(parseRecord(text).text, text);
    assertEquals(parseRecord(text).data, parseRecord(`host.example. ${type} ${data}`).data);
    // What is sent is what the library reads back as the same.
    const reply = ask(recordsOf(text), "host.example", typeForQuery(type));
    assertEquals(reply.answers.length, 1);
  });
}

function typeForQuery(type: string): string {
  return type.replace(/^TYPE/, "UNKNOWN_");
}

Deno.test("parseRecord() makes the data that dns-packet reads", () => {
  const data = (line: string, type: string) =>
    ask(recordsOf(line), "x", type, { transport: "tcp" }).answers[0]?.data;
  assertEquals(data("x MX 10 mx.miek.nl.", "MX"), { preference: 10, exchange: "mx.miek.nl" });
  assertEquals(data("x AAAA 2001:db8::1", "AAAA"), "2001:db8::1");
  assertEquals(data("x SRV 1 2 3 t.", "SRV"), { priority: 1, weight: 2, port: 3, target: "t" });
  assertEquals(data('x HINFO "cpu" "os"', "HINFO"), { cpu: "cpu", os: "os" });
  assertEquals(data(String.raw`x RP a\.b.c t.c`, "RP"), { mbox: String.raw`a\.b.c`, txt: "t.c" });
  const nsec = data("x NSEC y. A CAA TYPE65000", "NSEC") as { rrtypes: string[] };
  assertEquals(nsec.rrtypes, ["A", "CAA", "UNKNOWN_65000"]);
  const rrsig = data("x RRSIG A 5 1 60 20240101000000 1700000000 1 y. AAAA", "RRSIG");
  const { expiration, inception, typeCovered } = rrsig as Record<string, unknown>;
  assertEquals([expiration, inception, typeCovered], [1704067200, 1700000000, "A"]);
});

Deno.test("parseRecord() takes TTL and class in any order, or none", () => {
  const wanted = "x.\t3600\tIN\tA\t192.0.2.1";
  for (
    const line of [
      "x. 3600 IN A 192.0.2.1",
      "x. IN 3600 A 192.0.2.1",
      "x 3600 A 192.0.2.1",
      "x IN A 192.0.2.1",
      "X in a 192.0.2.1",
      "  x 1h TYPE1 192.0.2.1 ; a comment",
      "x CLASS1 30m30M A ( ; over\n 192.0.2.1 )\n",
    ]
  ) assertEquals(parseRecord(line).text, wanted);
  assertEquals(parseRecord("x 0 A 192.0.2.1").ttl, 0);
  assertEquals(parseRecord("x 2147483647 A 192.0.2.1").ttl, 2147483647);
});

Deno.test("parseRecord() folds names to lower case and keeps what they hold", () => {
  assertEquals(
    parseRecord("MiEk.NL CNAME Other.Example").text,
    "miek.nl.\t3600\tIN\tCNAME\tOther.Example.",
  );
  const odd = String.raw`My\032Printer\(1\)\;._ipp._tcp.local.`;
  assertEquals(parseRecord(`${odd} TXT x`).name, "my printer(1);._ipp._tcp.local");
  assertEquals(parseRecord(`${odd} TXT x`).text.split("\t")[0], odd.toLowerCase());
  assertEquals(
    parseRecord("müller.example A 192.0.2.1").text.split("\t")[0],
    String.raw`m\195\188ller.example.`,
  );
  assertEquals(parseRecord(". NS a.").name, ".");
  assertEquals(parseRecord("*.x. A 192.0.2.1").name, "*.x");
  assertEquals(parseOwner("A.B."), "a.b");
});

/** Lines that are no records, and a part of what is said of each. */
const BAD: readonly (readonly [line: string, message: string])[] = [
  ["", "it is empty"],
  ["; only a comment", "it is empty"],
  ["x", "it has no type"],
  ["x 60 IN", "it has no type"],
  ["x IN A", "data of A is missing: want an IPv4 address"],
  ["x A 192.0.2", 'want an IPv4 address, not "192.0.2"'],
  ["x A 192.0.2.256", "want an IPv4 address"],
  ["x A 192.0.02.1", "want an IPv4 address"],
  ["x A 192.0.2.1 192.0.2.2", '"192.0.2.2" is too much for data of type A'],
  ["x AAAA 2001:db8::1::2", "want an IPv6 address"],
  ["x AAAA 192.0.2.1", "want an IPv6 address"],
  ["x AAAA ::1]", "want an IPv6 address"],
  [
    "x MX mx.example.",
    'bad preference of MX: want a whole number from 0 to 65535, not "mx.example."',
  ],
  ["x MX 65536 mx.", "from 0 to 65535"],
  ["x MX 10", "exchange of MX is missing: want a name"],
  ["x MX 10 a. b.", '"b." is too much'],
  ["x SOA a. b. 1 2 3 4", "minimum of SOA is missing"],
  ["x SOA a. b. 4294967296 2 3 4 5", "bad serial of SOA"],
  ["x CAA 0 is-sue y", "bad tag of CAA"],
  ["x CAA 256 issue y", "bad flags of CAA"],
  [String.raw`x CAA 0 issue "\255"`, "bad value of CAA: want a string of UTF-8"],
  ["x HINFO one", "want two strings"],
  [`x TXT "${"a".repeat(256)}"`, "a string has 256 bytes, at most 255"],
  ["x TXT", "want one or more strings"],
  ["x DS 1 5 1 ABC", "bad digest of DS: want bytes in hex"],
  ["x DNSKEY 256 4 5 AAAA", 'bad protocol of DNSKEY: want 3, not "4"'],
  ["x DNSKEY 256 3 5 A", "want bytes in base64"],
  ["x SSHFP 1 1 ABCD", "Invalid fingerprint length"],
  ["x NSEC3 1 0 0 - !", "want bytes in base32hex"],
  ["x NSEC y. NOSUCH", 'unknown type "NOSUCH"'],
  ["x RRSIG A 5 1 60 20240231000000 1 1 y. AAAA", "bad expiration of RRSIG"],
  ["x LOC 52 22 23 N 4 53 32 E", String.raw`want \#, the number of bytes`],
  [String.raw`x TYPE65 \# 4 000100`, String.raw`want \#, the number of bytes`],
  [String.raw`x TYPE65 \# 1 0`, String.raw`want \#, the number of bytes`],
  ["x 60 60 IN A 192.0.2.1", 'unknown type "60"'],
  ["x 2147483648 IN A 192.0.2.1", 'bad TTL "2147483648"'],
  ["x 1y IN A 192.0.2.1", 'bad TTL "1y"'],
  ["x CH TXT hello", "class CH is not supported, only IN"],
  ["x IN IN A 192.0.2.1", 'unknown type "IN"'],
  ["x NOSUCH y", 'unknown type "NOSUCH"'],
  ["x TYPE0 y", 'unknown type "TYPE0"'],
  ["x TYPE65536 y", "unknown type"],
  ["x UNKNOWN_65 y", "unknown type"],
  ["x OPT y", "records of type OPT cannot be stored"],
  ["x ANY y", "class ANY is not supported"],
  ["x AXFR y", "records of type AXFR cannot be stored"],
  [String.raw`x TSIG \# 0`, "records of type TSIG cannot be stored"],
  ["$ORIGIN example.", "$ORIGIN is a directive"],
  ["@ A 192.0.2.1", "there are no zones here"],
  ["x CNAME @", "there are no zones here"],
  ['"x" A 192.0.2.1', "the name is in quotes"],
  ['x "60" A 192.0.2.1', "a string comes before the type"],
  ["a..b A 192.0.2.1", '"a..b" is no name: a label is empty'],
  [".a A 192.0.2.1", "a label is empty"],
  [`${"a".repeat(64)} A 192.0.2.1`, "a label of 64 bytes, at most 63"],
  [`${"é".repeat(32)} A 192.0.2.1`, "a label of 64 bytes, at most 63"],
  [`${"abcdefg.".repeat(32)} A 192.0.2.1`, "takes 257 bytes, at most 255"],
  [String.raw`a\.b.c A 192.0.2.1`, "a dot or backslash inside a label"],
  [String.raw`a\200 A 192.0.2.1`, "bytes that are not UTF-8"],
  [String.raw`a\010b A 192.0.2.1`, "control characters"],
  [String.raw`a\300 A 192.0.2.1`, "is no byte"],
  [String.raw`a\1 A 192.0.2.1`, "wants three digits"],
  ['x TXT "open', "a quotation mark is not closed"],
  ["x A ( 192.0.2.1", "a parenthesis is not closed"],
  ["x A 192.0.2.1 )", "a parenthesis is closed that was not opened"],
  ["x TXT a\\", "a backslash at the end escapes nothing"],
  ["x A 192.0.2.1\ny A 192.0.2.2", "there is more than one line"],
  [`x TXT ${"a ".repeat(20_000)}`, "characters, at most 32768"],
];

for (const [line, message] of BAD) {
  Deno.test(`parseRecord() refuses ${JSON.stringify(line.slice(0, 60))}`, () => {
    const said = refused("BAD_REQUEST", () => parseRecord(line));
    assertStringIncludes(said, message);
    assertStringIncludes(said, "bad record ");
    assert(said.length < 500, said);
  });
}

Deno.test("parseOwner() refuses what is no name", () => {
  for (const text of ["", "a..b", "@"]) refused("BAD_REQUEST", () => parseOwner(text));
});

Deno.test("parseRecord() takes a line of 32,768 characters, and none of one more", () => {
  const line = (length: number) => "x TXT a".padEnd(length);
  assertEquals(parseRecord(line(32_768)).type, parseRecord("x TXT a").type);
  assertStringIncludes(
    refused("BAD_REQUEST", () => parseRecord(line(32_769))),
    "it has 32769 characters, at most 32768",
  );
});
