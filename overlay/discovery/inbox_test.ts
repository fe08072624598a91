import { assertEquals, assertStringIncludes } from "@std/assert";
import { encodeDatagram } from "./datagram.ts";
import { describeRefused, Inbox, MAX_SKEW_MS, type Refusal } from "./inbox.ts";
import type { UdpAddress } from "./network.ts";
import { Seal } from "./seal.ts";

const KEY = new Uint8Array(64).fill(3);
const NOW = 1_700_000_000_000;

function queryAt(sentAt: number, seal: Seal): Uint8Array {
  return seal.close(encodeDatagram({ type: "query", sentAt, nonce: 1n }));
}

Deno.test("Inbox.accept() accepts sealed datagrams up to MAX_SKEW_MS off, either way", () => {
  const seal = new Seal(KEY);
  const inbox = new Inbox(seal, () => NOW);
  for (const off of [0, MAX_SKEW_MS, -MAX_SKEW_MS]) {
    assertEquals(inbox.accept(queryAt(NOW + off, seal))?.message.sentAt, NOW + off);
  }
  assertEquals(inbox.refused.size, 0);
  for (const off of [MAX_SKEW_MS + 1, -MAX_SKEW_MS - 1, -NOW]) {
    assertEquals(inbox.accept(queryAt(NOW + off, seal)), undefined);
  }
  assertEquals([...inbox.refused], [["stale", 3]]);
});

Deno.test("Inbox.accept() ignores the time where no key vouches for it", () => {
  const inbox = new Inbox(new Seal(), () => NOW);
  assertEquals(inbox.accept(queryAt(0, new Seal()))?.message.type, "query");
});

Deno.test("Inbox.accept() refuses keyless datagrams with a key, sealed ones without, and other keys", () => {
  const seen: [Refusal, string | undefined][] = [];
  const onRefusal = (refusal: Refusal, from?: UdpAddress) => void seen.push([refusal, from?.host]);
  const from = { host: "10.0.0.9", port: 7 };
  const keyed = new Inbox(new Seal(KEY), () => NOW, onRefusal);
  assertEquals(keyed.accept(queryAt(NOW, new Seal())), undefined);
  assertEquals(keyed.accept(queryAt(NOW, new Seal(new Uint8Array(64))), from), undefined);
  assertEquals(keyed.accept(queryAt(NOW, new Seal(new Uint8Array(64)))), undefined);
  const keyless = new Inbox(new Seal(), () => NOW, onRefusal);
  assertEquals(keyless.accept(queryAt(NOW, new Seal(KEY))), undefined);
  assertEquals(seen, [
    ["keyless", undefined],
    ["unauthentic", "10.0.0.9"],
    ["unauthentic", undefined],
    ["keyed", undefined],
  ]);
});

Deno.test("describeRefused() says what was ignored and why", () => {
  assertEquals(describeRefused(new Map()), "");
  const text = describeRefused(new Map([["keyless", 1], ["stale", 2]]));
  assertStringIncludes(text, "1 datagram that was made without a key");
  assertStringIncludes(text, "2 datagrams that were more than 60 s old");
});
