import { assert, assertEquals } from "@std/assert";
import { Buffer } from "./codec.ts";
import { ask, decode, query, RD, recordsOf, short } from "./_harness.ts";
import { respond } from "./respond.ts";

const ZONE = recordsOf(
  "example. 3600 SOA ns.example. root.example. 1 2 3 4 300",
  "host.example. 60 A 192.0.2.1",
  "host.example. 30 A 192.0.2.2",
  "host.example. AAAA 2001:db8::1",
  "a.b.c.example. A 192.0.2.3",
  "www.example. CNAME Host.Example.",
  "far.example. CNAME cdn.elsewhere.test.",
  "gone.example. CNAME nothing.example.",
  "one.example. CNAME two.example.",
  "two.example. CNAME one.example.",
  "*.wild.example. TXT star",
  "here.wild.example. A 192.0.2.4",
  "*.alias.example. CNAME host.example.",
  "old.example. DNAME example.",
  "lonely.test. A 192.0.2.5",
);

Deno.test("respond() answers with all records of a name and type, and their least TTL", () => {
  const reply = ask(ZONE, "host.example", "A", { id: 4242 });
  assertEquals(short(reply), ["NOERROR", "host.example A 192.0.2.1", "host.example A 192.0.2.2"]);
  assertEquals(reply.answers.map(({ ttl }) => ttl), [30, 30]);
  assertEquals([reply.id, reply.type, reply.flag_aa, reply.flag_rd], [
    4242,
    "response",
    true,
    true,
  ]);
  assertEquals([reply.flag_ra, reply.flag_tc], [false, false]);
  assertEquals(reply.questions, [{ name: "host.example", type: "A", class: "IN" }]);
});

Deno.test("respond() takes names in any letter case, and repeats it", () => {
  const reply = ask(ZONE, "HoSt.eXample", "AAAA");
  assertEquals(short(reply), ["NOERROR", "HoSt.eXample AAAA 2001:db8::1"]);
  assertEquals(reply.questions[0]?.name, "HoSt.eXample");
});

Deno.test("respond() tells names without such records from names that do not exist", () => {
  for (
    const [name, type] of [["host.example", "MX"], ["b.c.example", "A"], [
      "c.example",
      "TXT",
    ]] as const
  ) {
    const reply = ask(ZONE, name, type);
    assertEquals(short(reply), ["NOERROR"], name);
    assertEquals(reply.authorities.map((soa) => [soa.name, soa.type, soa.ttl]), [[
      "example",
      "SOA",
      300,
    ]]);
  }
  for (const name of ["x.example", "x.host.example", "x.b.c.example", "xb.c.example"]) {
    const reply = ask(ZONE, name, "A");
    assertEquals([...short(reply), reply.flag_aa], ["NXDOMAIN", true], name);
    assertEquals(reply.authorities.length, 1);
  }
  assertEquals(ask(ZONE, "x.test", "A").authorities, []);
  assertEquals(short(ask(ZONE, "x.test", "A")), ["NXDOMAIN"]);
  assertEquals(short(ask(ZONE, ".", "NS")), ["NOERROR"]);
  assertEquals(short(ask(recordsOf(), ".", "NS")), ["NXDOMAIN"]);
});

Deno.test("respond() follows aliases within the records", () => {
  assertEquals(short(ask(ZONE, "WWW.example", "AAAA")), [
    "NOERROR",
    "WWW.example CNAME Host.Example",
    "Host.Example AAAA 2001:db8::1",
  ]);
  assertEquals(short(ask(ZONE, "www.example", "CNAME")), [
    "NOERROR",
    "www.example CNAME Host.Example",
  ]);
  assertEquals(short(ask(ZONE, "www.example", "MX")), [
    "NOERROR",
    "www.example CNAME Host.Example",
  ]);
  assertEquals(short(ask(ZONE, "gone.example", "A")), [
    "NXDOMAIN",
    "gone.example CNAME nothing.example",
  ]);
  assertEquals(short(ask(ZONE, "far.example", "A")), [
    "NOERROR",
    "far.example CNAME cdn.elsewhere.test",
  ]);
});

Deno.test("respond() ends where aliases lead round in a circle, or too far", () => {
  assertEquals(short(ask(ZONE, "one.example", "A")), [
    "NOERROR",
    "one.example CNAME two.example",
    "two.example CNAME one.example",
  ]);
  const long = recordsOf(...Array.from({ length: 100 }, (_, i) => `h${i}. CNAME h${i + 1}.`));
  assertEquals(ask(long, "h0", "A", { transport: "tcp" }).answers.length, 17);
});

Deno.test("respond() lets wildcards stand for names that do not exist", () => {
  const star = (name: string) => short(ask(ZONE, name, "TXT")).length;
  assertEquals(star("x.wild.example"), 2);
  assertEquals(star("x.y.wild.example"), 2);
  assertEquals(star("*.wild.example"), 2);
  // These exist, or are below one that does.
  assertEquals(short(ask(ZONE, "here.wild.example", "TXT")), ["NOERROR"]);
  assertEquals(short(ask(ZONE, "x.here.wild.example", "TXT")), ["NXDOMAIN"]);
  assertEquals(short(ask(ZONE, "x.wild.example", "A")), ["NOERROR"]);
  assertEquals(short(ask(ZONE, "x.alias.example", "AAAA")), [
    "NOERROR",
    "x.alias.example CNAME host.example",
    "host.example AAAA 2001:db8::1",
  ]);
});

Deno.test("respond() redirects what is below a DNAME record, and not its name", () => {
  assertEquals(short(ask(ZONE, "Host.old.example", "AAAA")), [
    "NOERROR",
    "old.example DNAME example",
    "Host.old.example CNAME Host.example",
    "Host.example AAAA 2001:db8::1",
  ]);
  assertEquals(short(ask(ZONE, "old.example", "A")), ["NOERROR"]);
  const long = recordsOf(`x DNAME ${"abcdefg.".repeat(25)}`);
  const name = `${"hijklmn.".repeat(10)}x`;
  assertEquals(short(ask(long, name, "A")), [
    "YXDOMAIN",
    `x DNAME ${"abcdefg.".repeat(25).slice(0, -1)}`,
  ]);
  // Round and round, ever longer.
  assertEquals(ask(recordsOf("x DNAME y.x."), "a.x", "A", { transport: "tcp" }).rcode, "NOERROR");
});

Deno.test("respond() truncates what does not fit, and TCP has all of it", () => {
  const big = recordsOf(...Array.from({ length: 100 }, (_, i) => `big.example. A 192.0.2.${i}`));
  for (
    const [options, most] of [[{}, 512], [{ udpSize: 100 }, 512], [
      { udpSize: 65535 },
      1232,
    ]] as const
  ) {
    const bytes = query("big.example", "A", options);
    const answer = respond(big, bytes, "udp");
    const reply = decode(answer);
    assertEquals([reply.flag_tc, reply.answers.length, reply.rcode], [true, 0, "NOERROR"]);
    assertEquals(answer?.length, bytes.length);
    assert(bytes.length <= most);
  }
  const whole = ask(big, "big.example", "A", { transport: "tcp" });
  assertEquals([whole.flag_tc, whole.answers.length], [false, 100]);
  // 12 + 17 + 27 n bytes without EDNS, and 11 more with it.
  const fits = (count: number, udpSize?: number) => {
    const lines = Array.from({ length: count }, (_, i) => `big.example. A 192.0.2.${i}`);
    const reply = respond(
      recordsOf(...lines),
      query("big.example", "A", udpSize ? { udpSize } : {}),
      "udp",
    );
    return [decode(reply).flag_tc, reply?.length];
  };
  assertEquals(fits(17), [false, 488]);
  assertEquals(fits(18), [true, 29]);
  assertEquals(fits(30, 1000), [false, 850]);
  assertEquals(fits(36, 1000), [true, 40]);
  assertEquals(fits(44, 4096), [false, 1228]);
  assertEquals(fits(45, 4096), [true, 40]);
});

Deno.test("respond() speaks EDNS to those who do", () => {
  assertEquals(ask(ZONE, "host.example", "A").additionals, []);
  const [opt] = ask(ZONE, "host.example", "A", { udpSize: 4096, ednsFlags: 0xffff }).additionals;
  assertEquals([opt?.type, opt?.udpPayloadSize, opt?.flag_do], ["OPT", 1232, true]);
  const other = ask(ZONE, "host.example", "A", { udpSize: 4096, ednsVersion: 1 });
  assertEquals([other.rcode, other.additionals[0]?.extendedRcode], ["NOERROR", 1]);
  assertEquals(other.answers, []);
  // Two of them are one too many.
  const one = query("host.example", "A", { udpSize: 4096 });
  const two = Buffer.concat([one, one.subarray(-11)]);
  two.writeUInt16BE(2, 10);
  assertEquals(short(decode(respond(ZONE, two, "udp"))), ["FORMERR"]);
});

Deno.test("respond() refuses ANY, transfers, other operations and other classes", () => {
  for (const type of ["ANY", "AXFR", "IXFR", "TSIG", "TKEY", "UNKNOWN_253", "OPT"]) {
    assertEquals(short(ask(ZONE, "host.example", type)), ["NOTIMP"], type);
  }
  for (const name of ["CH", "HS", "CS", "ANY"]) {
    assertEquals(short(ask(ZONE, "host.example", "A", { class: name })), ["REFUSED"], name);
  }
  for (let opcode = 1; opcode < 16; opcode++) {
    const reply = ask(ZONE, "host.example", "A", { id: 9, flags: opcode << 11 | RD });
    assertEquals([reply.rcode, reply.id, reply.questions.length], ["NOTIMP", 9, 0]);
  }
});

Deno.test("respond() answers what is malformed with FORMERR and a header", () => {
  const whole = query("host.example", "A", { id: 77, udpSize: 1232 });
  for (let length = 12; length < whole.length; length++) {
    const reply = respond(ZONE, whole.subarray(0, length), "udp");
    assertEquals(short(decode(reply)), ["FORMERR"], `${length} bytes`);
    assertEquals([decode(reply).id, reply?.length], [77, 12]);
  }
  const changed = (offset: number, value: number) => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt16BE(value, offset);
    return short(decode(respond(ZONE, bytes, "tcp")));
  };
  // Counts of questions, answers, authorities and additionals; what they claim is never decoded.
  for (
    const [offset, value] of [[4, 0], [4, 2], [6, 1], [8, 65535], [10, 0], [10, 2], [
      10,
      65535,
    ]] as const
  ) {
    assertEquals(changed(offset, value), ["FORMERR"], `${value} at ${offset}`);
  }
  assertEquals(short(decode(respond(ZONE, Buffer.concat([whole, Buffer.of(0)]), "udp"))), [
    "FORMERR",
  ]);
  assertEquals(short(decode(respond(ZONE, Buffer.concat([whole, Buffer.alloc(5000)]), "udp"))), [
    "FORMERR",
  ]);
});

Deno.test("respond() is silent to what is no query", () => {
  const whole = query("host.example", "A");
  for (let length = 0; length < 12; length++) {
    assertEquals(respond(ZONE, whole.subarray(0, length), "udp"), undefined);
  }
  const reply = respond(ZONE, whole, "udp");
  assert(reply);
  assertEquals(respond(ZONE, reply, "udp"), undefined);
});

Deno.test("respond() repeats a question byte for byte, whatever it is", () => {
  // A dot inside a label, bytes that are not UTF-8, a new line, and a pointer into the header.
  for (
    const name of [
      [12, ...Buffer.from("host.example"), 0],
      [4, 0xff, 0xfe, 0, 1, 0],
      [4, ...Buffer.from("a\n.b"), 0],
      [1, 97, 0xc0, 0x04],
    ]
  ) {
    const bytes = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 1, 0, 1]);
    const reply = Buffer.from(respond(ZONE, bytes, "udp") ?? []);
    assertEquals(reply.readUInt16BE(2) & 0xf, 3);
    assertEquals(reply.subarray(12), bytes.subarray(12));
  }
});
