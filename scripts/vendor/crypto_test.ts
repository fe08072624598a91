// What the project relies on in @std/crypto. It holds for the real package and
// for the stand-in alike.

import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { crypto, timingSafeEqual } from "@std/crypto";
import { crypto as cryptoAlone } from "@std/crypto/crypto";
import { timingSafeEqual as alone } from "@std/crypto/timing-safe-equal";

const ABC = new TextEncoder().encode("abc");

const SHA_256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** Published test vectors: the digest of "abc" begins so. */
const VECTORS = [
  ["BLAKE2B", "ba80a53f981c4d0d"],
  ["BLAKE2S", "508c5e8c327c14e2"],
  ["MD5", "900150983cd24fb0"],
  ["RIPEMD-160", "8eb208f7e05d987a"],
  ["SHA-1", "a9993e364706816a"],
  ["SHA-224", "23097d223405d822"],
  ["SHA-256", "ba7816bf8f01cfea"],
  ["SHA-384", "cb00753f45a35e8b"],
  ["SHA-512", "ddaf35a193617aba"],
  ["SHA3-224", "e642824c3f8cf24a"],
  ["SHA3-256", "3a985da74fe225b2"],
  ["SHA3-384", "ec01498288516fc9"],
  ["SHA3-512", "b751850b1a57168a"],
] as const;

Deno.test("timingSafeEqual() compares bytes, whatever holds them", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  assert(timingSafeEqual(bytes, Uint8Array.of(1, 2, 3, 4)));
  assert(timingSafeEqual(bytes, bytes.buffer));
  assert(timingSafeEqual(bytes, new DataView(bytes.buffer)));
  assert(timingSafeEqual(new Uint8Array(), new ArrayBuffer(0)));
  assert(timingSafeEqual(bytes.subarray(1, 3), Uint8Array.of(2, 3)));
  assertFalse(timingSafeEqual(bytes, Uint8Array.of(1, 2, 3, 5)));
  assertEquals(alone, timingSafeEqual);
});

Deno.test("timingSafeEqual() refuses bytes of different length", () => {
  assertThrows(
    () => timingSafeEqual(new Uint8Array(1), new Uint8Array(2)),
    TypeError,
  );
});

Deno.test("crypto digests buffers by every algorithm", async (t) => {
  for (const [name, begin] of VECTORS) {
    await t.step(name, async () => {
      const digest = new Uint8Array(await crypto.subtle.digest(name, ABC));
      assertEquals(digest.subarray(0, 8).toHex(), begin);
      const atOnce = new Uint8Array(crypto.subtle.digestSync(name, ABC));
      assertEquals(atOnce, digest);
    });
  }
});

Deno.test("crypto digests what comes in pieces", async () => {
  const pieces = [ABC.subarray(0, 1), ABC.slice(1).buffer];
  async function* stream() {
    for (const piece of pieces) yield await Promise.resolve(piece);
  }
  const digests = [
    await crypto.subtle.digest("SHA-256", stream()),
    await crypto.subtle.digest("SHA-256", pieces),
    await crypto.subtle.digest({ name: "SHA-256" }, ABC.buffer),
    crypto.subtle.digestSync("SHA-256", pieces),
  ];
  for (const digest of digests) {
    assertEquals(new Uint8Array(digest).toHex(), SHA_256_OF_ABC);
  }
});

Deno.test("crypto refuses an unknown digest", async () => {
  await assertRejects(() => crypto.subtle.digest("SHA-0" as "SHA-1", ABC));
  assertThrows(() => crypto.subtle.digestSync("SHA-0" as "SHA-1", ABC));
});

Deno.test("crypto has the rest of WebCrypto, usable off its object", async () => {
  const { getRandomValues, randomUUID, subtle } = cryptoAlone;
  assertEquals(getRandomValues(new Uint8Array(8)).length, 8);
  assertEquals(randomUUID().length, 36);
  const { importKey, sign, verify } = subtle;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const uses: KeyUsage[] = ["sign", "verify"];
  const key = await importKey("raw", ABC, algorithm, false, uses);
  assert(await verify("HMAC", key, await sign("HMAC", key, ABC), ABC));
});
