/** Queries that a name server gets, and records that users set. */

import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { query, recordsOf } from "../../elements/dns/_harness.ts";
import { Buffer } from "../../elements/dns/codec.ts";
import { MAX_TCP_BYTES, MAX_UDP_BYTES } from "../../elements/dns/limits.ts";
import { parseRecord } from "../../elements/dns/record.ts";
import { respond } from "../../elements/dns/respond.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { fuzz } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";

/** Milliseconds of a processor that no answer may take. */
const MAX_MS = 500;

const TYPES = ["A", "TXT", "ANY", "OPT", "CNAME", "RRSIG", "UNKNOWN_0", "UNKNOWN_65535"];
const NAMES = ["host.example", "x.wild.example", "a.old.example", "loop.example", "nx.test", "."];

const RECORDS = recordsOf(
  "host.example. A 192.0.2.1",
  "*.wild.example. TXT a",
  "old.example. DNAME old.old.example.",
  "loop.example. CNAME loop.example.",
  ...Array.from({ length: 200 }, (_, i) => `host.example. TXT ${i}`),
);

/** Milliseconds of a processor that this process has used; waiting for one costs none. */
function busyMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

fuzz("DNS queries", () => (random) => {
  const udpSize = random.below(2) ? random.below(65_536) : undefined;
  const flags = random.below(5) ? 0x100 : random.below(65_536);
  const options = udpSize === undefined ? { flags } : { flags, udpSize };
  const valid = query(pick(NAMES, random), pick(TYPES, random), options);
  const bytes = Buffer.from(random.below(4) ? mutate(valid, random) : valid);
  const transport = random.below(2) ? "udp" : "tcp";
  const start = busyMs();
  const reply = respond(RECORDS, bytes, transport);
  assert(busyMs() - start < MAX_MS);
  if (!reply) throw new CircuitError("PROTOCOL", "no answer");
  const header = Buffer.from(reply);
  assert(reply.length >= 12 && header.readUInt16BE(0) === bytes.readUInt16BE(0));
  assert((header.readUInt16BE(2) & 0x8000) !== 0);
  assert(reply.length <= (transport === "udp" ? MAX_UDP_BYTES : MAX_TCP_BYTES));
});

const PARTS = [
  "x.",
  "A",
  "TXT",
  "SOA",
  "NSEC3",
  "60",
  "IN",
  '"',
  "\\",
  "\\#",
  "(",
  ")",
  ";",
  "\n",
  " ",
  " ",
  " ",
];

fuzz("DNS records", () => (random) => {
  const line = Array.from(
    { length: random.below(15) },
    () => random.below(10) ? pick(PARTS, random) : String.fromCodePoint(random.below(0xd800)),
  ).join(random.below(2) ? " " : "");
  const { text } = parseRecord(line);
  assertEquals(parseRecord(text).text, text);
});
