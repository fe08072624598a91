import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { mutate } from "../../tests/fuzz/mutate.ts";
import { newSeed, Random } from "../../tests/random.ts";
import {
  decodeDatagram,
  encodeDatagram,
  HEADER_BYTES,
  MAX_ADDRESS_BYTES,
  MAX_DATAGRAM_BYTES,
  type Message,
  newNonce,
  TAG_BYTES,
} from "./datagram.ts";
import { Inbox } from "./inbox.ts";
import { Seal } from "./seal.ts";

const ID = "X0123456789abcdef";
const ADDRESS = "circuit://10.0.0.1:7000/42/Q0123456789abcdef";
const SENT_AT = 1_700_000_000_000;
const MESSAGES: readonly Message[] = [
  { type: "announce", sentAt: SENT_AT, id: ID, address: ADDRESS },
  { type: "query", sentAt: SENT_AT, nonce: 5n },
  { type: "query", sentAt: 0, nonce: 2n ** 64n - 1n, id: ID },
  { type: "answer", sentAt: SENT_AT, nonce: 1n, id: ID, address: "host.example:1" },
  { type: "answer", sentAt: SENT_AT, nonce: 1n, id: ID, address: "[fe80::1]:65535" },
];
const MESSAGE_COUNT = MESSAGES.length;

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("decodeDatagram() gives back what encodeDatagram() was given", () => {
  for (const message of MESSAGES) {
    const bytes = encodeDatagram(message);
    const decoded = decodeDatagram(bytes);
    assert(typeof decoded === "object");
    assertEquals(decoded.message, message);
    assertEquals(decoded.tag, undefined);
    assertEquals(decoded.body, bytes);
  }
});

Deno.test("encodeDatagram() writes the documented bytes", () => {
  const answer: Message = {
    type: "answer",
    sentAt: 0x0102_0304_0506,
    nonce: 0x1112131415161718n,
    id: ID,
    address: "a:1",
  };
  assertEquals(
    hex(encodeDatagram(answer)),
    "43495244" + "01" + "03" + "0003" + "0000010203040506" + "1112131415161718" +
      "0123456789abcdef" + "613a31",
  );
  const query: Message = { type: "query", sentAt: 1, nonce: 2n };
  assertEquals(
    hex(encodeDatagram(query)),
    "43495244" + "01" + "02" + "0000" + "0000000000000001" + "0000000000000002" +
      "0000000000000000",
  );
  const announcement: Message = { type: "announce", sentAt: 1, id: ID, address: "a:1" };
  assertEquals(
    hex(encodeDatagram(announcement)),
    "43495244" + "01" + "01" + "0003" + "0000000000000001" + "0000000000000000" +
      "0123456789abcdef" + "613a31",
  );
  assertEquals([HEADER_BYTES, TAG_BYTES, MAX_DATAGRAM_BYTES], [32, 32, 1_400]);
});

Deno.test("encodeDatagram() refuses what nobody could dial", () => {
  const cases: [id: string, address: string][] = [
    ["X0000000000000000", "a:1"],
    ["X123", "a:1"],
    [ID, ""],
    [ID, "a"],
    [ID, "a:0"],
    [ID, "a b:1"],
    [ID, "ä:1"],
    [ID, "a\u001b:1"],
    [ID, "a".repeat(MAX_ADDRESS_BYTES - 1) + ":1"],
    [ID, "circuit://10.0.0.1:7000/42/Q0123456789abcdee"],
  ];
  for (const [id, address] of cases) {
    const error = assertThrows(
      () => encodeDatagram({ type: "announce", sentAt: 0, id, address }),
      CircuitError,
    );
    assertEquals(error.code, "BAD_REQUEST", address);
  }
  const longest = "a".repeat(MAX_ADDRESS_BYTES - 2) + ":1";
  const bytes = encodeDatagram({ type: "announce", sentAt: 0, id: ID, address: longest });
  assertEquals(typeof decodeDatagram(bytes), "object");
  assert(bytes.length + TAG_BYTES <= MAX_DATAGRAM_BYTES);
});

Deno.test("decodeDatagram() refuses a datagram cut at any byte, or with bytes added", () => {
  const seal = new Seal(new Uint8Array(64).fill(7));
  for (const message of MESSAGES) {
    const body = encodeDatagram(message);
    const sealed = seal.close(body);
    for (let length = 0; length < sealed.length; length++) {
      const decoded = decodeDatagram(sealed.subarray(0, length));
      if (length === body.length) assert(typeof decoded === "object" && !decoded.tag);
      else assertEquals(decoded, "malformed", `${length} of ${sealed.length} bytes`);
    }
    for (const more of [1, 2, 31, 33, 1_000, 2_000]) {
      const longer = new Uint8Array(sealed.length + more);
      longer.set(sealed);
      assertEquals(decodeDatagram(longer), "malformed");
    }
  }
});

Deno.test("decodeDatagram() tells other versions from garbage", () => {
  const bytes = encodeDatagram({ type: "query", sentAt: 0, nonce: 1n });
  bytes[4] = 2;
  assertEquals(decodeDatagram(bytes), "version");
  bytes[0] = 0;
  assertEquals(decodeDatagram(bytes), "malformed");
});

Deno.test("decodeDatagram() refuses fields that don't belong to the type", () => {
  const change = (message: Message, at: number, byte: number) => {
    const bytes = encodeDatagram(message);
    bytes[at] = byte;
    return decodeDatagram(bytes);
  };
  const [announcement, query, , answer] = MESSAGES;
  assert(announcement && query && answer);
  assertEquals(change(announcement, 23, 1), "malformed", "nonce in an announcement");
  assertEquals(change(answer, 23, 0), "malformed", "answer without a nonce");
  assertEquals(change(query, 23, 0), "malformed", "query without a nonce");
  assertEquals(change(announcement, 5, 2), "malformed", "address in a query");
  assertEquals(change(query, 5, 1), "malformed", "announcement without an address");
  assertEquals(change(query, 5, 0), "malformed", "type 0");
  assertEquals(change(answer, 5, 4), "malformed", "type 4");
  assertEquals(change(query, 8, 1), "malformed", "a time beyond all integers");
  assertEquals(change(announcement, 31, 0), "malformed", "ID other than in the address");
});

Deno.test("decodeDatagram() takes 10,000 mutations without throwing, and reads none two ways", () => {
  const random = new Random(newSeed("datagrams"));
  let read = 0;
  for (let i = 0; i < 10_000; i++) {
    const original = MESSAGES[i % MESSAGE_COUNT];
    assert(original);
    const bytes = mutate(encodeDatagram(original), random);
    const decoded = decodeDatagram(bytes);
    if (typeof decoded === "string") continue;
    read++;
    assertEquals(hex(encodeDatagram(decoded.message)), hex(decoded.body));
  }
  assert(read > 0, "some mutations leave a datagram that can be read");
});

Deno.test("Inbox.accept() accepts none of 10,000 mutations of sealed datagrams", () => {
  const random = new Random(newSeed("datagrams"));
  const seal = new Seal(new Uint8Array(64).fill(7));
  const inbox = new Inbox(seal, () => SENT_AT);
  for (let i = 0; i < 10_000; i++) {
    const original = MESSAGES[i % MESSAGE_COUNT];
    assert(original);
    const sealed = seal.close(encodeDatagram(original));
    const bytes = mutate(sealed, random);
    if (hex(bytes) === hex(sealed)) continue;
    assertEquals(inbox.accept(bytes), undefined);
  }
  assert((inbox.refused.get("unauthentic") ?? 0) > 0);
  assert((inbox.refused.get("malformed") ?? 0) > 0);
});

Deno.test("newNonce() is never the same", () => {
  assertNotEquals(newNonce(), newNonce());
});
