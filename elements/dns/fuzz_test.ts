import { assert } from "@std/assert";
import { Random } from "../_testing/random.ts";
import { Buffer } from "./codec.ts";
import { query, recordsOf } from "./_harness.ts";
import { MAX_TCP_BYTES, MAX_UDP_BYTES } from "./limits.ts";
import { parseRecord } from "./record.ts";
import { respond } from "./respond.ts";
import { CircuitError } from "../../overlay/errors.ts";

/** Mutated queries. */
const ROUNDS = 10_000;

/** Milliseconds that none may take, on a machine that has other work too. */
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

function mutated(bytes: Buffer, random: Random): Buffer {
  let result = Buffer.from(bytes);
  for (let count = random.integer(0, 6); count > 0; count--) {
    const at = random.integer(0, Math.max(0, result.length - 1));
    switch (random.integer(0, 4)) {
      case 0:
        result[at] = random.integer(0, 255);
        break;
      case 1:
        result[at] = random.pick([0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]) ?? 0;
        break;
      case 2:
        result = result.subarray(0, at);
        break;
      case 3: {
        const junk = Buffer.from(
          Array.from({ length: random.integer(1, 300) }, () => random.integer(0, 255)),
        );
        result = Buffer.concat([result.subarray(0, at), junk, result.subarray(at)]);
        break;
      }
      case 4:
        result = Buffer.concat([result, result.subarray(at)]);
    }
  }
  return result;
}

Deno.test("respond() never fails, and its answers are bounded, whatever it gets", () => {
  const seed = Date.now() >>> 0;
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  let answered = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const udpSize = random.chance(0.5) ? random.integer(0, 65535) : undefined;
    const flags = random.chance(0.8) ? 0x100 : random.integer(0, 0xffff);
    const name = random.pick(NAMES) ?? ".";
    const valid = query(
      name,
      random.pick(TYPES) ?? "A",
      udpSize === undefined ? { flags } : { flags, udpSize },
    );
    const bytes = mutated(valid, random);
    const transport = random.chance(0.5) ? "udp" : "tcp";
    const start = performance.now();
    const reply = respond(RECORDS, bytes, transport);
    const about = `seed ${seed}, round ${round}: ${bytes.toString("hex")}`;
    assert(performance.now() - start < MAX_MS, about);
    if (!reply) continue;
    answered++;
    const header = Buffer.from(reply);
    assert(reply.length >= 12 && header.readUInt16BE(0) === bytes.readUInt16BE(0), about);
    assert((header.readUInt16BE(2) & 0x8000) !== 0, about);
    assert(reply.length <= (transport === "udp" ? MAX_UDP_BYTES : MAX_TCP_BYTES), about);
  }
  assert(answered > ROUNDS / 2, `${answered} answered`);
});

Deno.test("parseRecord() either reads a line or says why not, whatever it gets", () => {
  const seed = Date.now() >>> 0;
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const parts = [
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
  for (let round = 0; round < ROUNDS; round++) {
    const length = random.integer(0, 14);
    const line = Array.from(
      { length },
      () =>
        random.chance(0.9) ? random.pick(parts) : String.fromCodePoint(random.integer(0, 0xd7ff)),
    ).join(random.chance(0.5) ? " " : "");
    try {
      const { text } = parseRecord(line);
      assert(parseRecord(text).text === text, `seed ${seed}: ${JSON.stringify([line, text])}`);
    } catch (error) {
      assert(
        error instanceof CircuitError && error.code === "BAD_REQUEST",
        `seed ${seed}: ${error}`,
      );
    }
  }
});
