import { assertEquals, assertThrows } from "@std/assert";
import { createHmac } from "node:crypto";
import { CircuitError } from "../errors.ts";
import { encodeDatagram, TAG_BYTES } from "./datagram.ts";
import { Seal } from "./seal.ts";

const OLD = new Uint8Array(64).fill(1);
const NEW = new Uint8Array(64).fill(2);
const BODY = encodeDatagram({ type: "query", sentAt: 1_000, nonce: 9n });

function tagOf(sealed: Uint8Array): Uint8Array {
  return sealed.subarray(BODY.length);
}

Deno.test("Seal.close() appends HMAC-SHA256 under HKDF-SHA256 of the key", () => {
  const pseudoRandomKey = createHmac("sha256", new Uint8Array(32)).update(OLD).digest();
  const subkey = createHmac("sha256", pseudoRandomKey)
    .update("circuit discovery v1").update(Uint8Array.of(1)).digest();
  const tag = createHmac("sha256", subkey).update(BODY).digest();
  const sealed = new Seal(OLD).close(BODY);
  assertEquals(sealed.length, BODY.length + TAG_BYTES);
  assertEquals(sealed.subarray(0, BODY.length), BODY);
  assertEquals(tagOf(sealed), new Uint8Array(tag));
});

Deno.test("Seal.check() refuses another key, another body and any changed byte of the tag", () => {
  const seal = new Seal(OLD);
  const tag = tagOf(seal.close(BODY));
  assertEquals(seal.check(BODY, tag), 0);
  assertEquals(new Seal(NEW).check(BODY, tag), undefined);
  assertEquals(seal.check(BODY.subarray(1), tag), undefined);
  assertEquals(seal.check(BODY, tag.subarray(1)), undefined);
  assertEquals(seal.check(BODY, new Uint8Array()), undefined);
  for (let i = 0; i < tag.length; i++) {
    const changed = tag.slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    assertEquals(seal.check(BODY, changed), undefined);
  }
});

Deno.test("Seal.check() accepts each of several keys; Seal.close() uses the first, or the one asked for", () => {
  const both = new Seal([NEW, OLD]);
  assertEquals(both.check(BODY, tagOf(new Seal(OLD).close(BODY))), 1);
  assertEquals(both.check(BODY, tagOf(new Seal(NEW).close(BODY))), 0);
  assertEquals(both.close(BODY), new Seal(NEW).close(BODY));
  assertEquals(both.close(BODY, 1), new Seal(OLD).close(BODY));
});

Deno.test("Seal without a key leaves datagrams as they are", () => {
  const seal = new Seal();
  assertEquals(seal.keyed, false);
  assertEquals(seal.close(BODY), BODY);
  assertEquals(seal.check(BODY, new Uint8Array(TAG_BYTES)), undefined);
});

Deno.test("Seal refuses an empty key", () => {
  for (const key of [new Uint8Array(), [], [OLD, new Uint8Array()]]) {
    assertEquals(assertThrows(() => new Seal(key), CircuitError).code, "BAD_REQUEST");
  }
});
