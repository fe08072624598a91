import { assert, assertEquals, assertThrows } from "@std/assert";
import { createCipheriv } from "node:crypto";
import { SEAL_BYTES } from "./aead.ts";
import { CipherState } from "./cipher.ts";
import { MAX_SMALL_BYTES, SharedSodium, type Sodium, sodium } from "./sodium.ts";

const KEY = crypto.getRandomValues(new Uint8Array(32));
const NONCE = crypto.getRandomValues(new Uint8Array(12));

async function loaded(): Promise<Sodium> {
  const shared = new SharedSodium();
  assertEquals(shared.ready, undefined);
  await Promise.all([shared.load(), shared.load()]);
  assert(shared.ready, "libsodium cannot be loaded");
  return shared.ready;
}

/** The same by `node:crypto`. */
function sealed(message: Uint8Array): Uint8Array {
  const cipher = createCipheriv("chacha20-poly1305", KEY, NONCE, { authTagLength: SEAL_BYTES });
  const text = cipher.update(message);
  cipher.final();
  return new Uint8Array([...text, ...cipher.getAuthTag()]);
}

Deno.test("Sodium seals and opens what node:crypto does, at every length", async () => {
  const small = await loaded();
  const all = crypto.getRandomValues(new Uint8Array(MAX_SMALL_BYTES));
  for (let length = 0; length <= MAX_SMALL_BYTES; length++) {
    const message = all.subarray(0, length);
    const out = new Uint8Array(length + SEAL_BYTES + 2);
    small.seal(KEY, NONCE, message, out, 1);
    const want = sealed(message);
    assertEquals(out, new Uint8Array([0, ...want, 0]));
    assertEquals(small.open(KEY, NONCE, want), message);
  }
});

Deno.test("Sodium.open() takes nothing that was changed, cut off or for others", async () => {
  const small = await loaded();
  const good = sealed(new Uint8Array(20).fill(1));
  for (let i = 0; i < good.length; i++) {
    assertEquals(small.open(KEY, NONCE, good.with(i, good[i]! ^ 0x80)), undefined);
  }
  for (let end = SEAL_BYTES; end < good.length; end++) {
    assertEquals(small.open(KEY, NONCE, good.subarray(0, end)), undefined);
  }
  assertEquals(small.open(KEY.with(31, KEY[31]! ^ 1), NONCE, good), undefined);
  assertEquals(small.open(KEY, NONCE.with(11, NONCE[11]! ^ 1), good), undefined);
  assertEquals(small.open(KEY, NONCE, good)?.length, 20);
});

Deno.test("Sodium refuses what does not fit into its memory", async () => {
  const small = await loaded();
  const out = new Uint8Array(2 * MAX_SMALL_BYTES);
  const seal = (key: Uint8Array, nonce: Uint8Array, size: number) => () =>
    small.seal(key, nonce, new Uint8Array(size), out, 0);
  assertThrows(seal(KEY, NONCE, MAX_SMALL_BYTES + SEAL_BYTES + 1), RangeError);
  assertThrows(seal(KEY.subarray(1), NONCE, 1), RangeError);
  assertThrows(seal(KEY, new Uint8Array(13), 1), RangeError);
});

Deno.test("what Sodium has opened stays as it is", async () => {
  const small = await loaded();
  const first = small.open(KEY, NONCE, sealed(new Uint8Array(9).fill(1)));
  small.open(KEY, NONCE, sealed(new Uint8Array(9).fill(2)));
  assertEquals(first, new Uint8Array(9).fill(1));
});

Deno.test("CipherState goes over to libsodium amid a conversation, and nobody notices", async () => {
  const states = () => new CipherState(KEY);
  const [sender, receiver, other] = [states(), states(), states()];
  const say = (state: CipherState, byte: number) => {
    const out = new Uint8Array(40 + SEAL_BYTES);
    state.seal(new Uint8Array(40).fill(byte), out, 0);
    return out;
  };
  const before: Uint8Array[] = [];
  for (let i = 0; i < 300; i++) before.push(say(other, i));
  await sodium.load();
  assert(sodium.ready);
  for (let i = 0; i < 300; i++) {
    const message = say(sender, i);
    assertEquals(message, before[i]);
    assertEquals(receiver.open(message)?.[0], i & 0xff);
  }
  for (const state of [sender, receiver]) state.rekey();
  assertEquals(receiver.open(say(sender, 7)), new Uint8Array(40).fill(7));
  assertEquals(receiver.open(say(sender, 8).with(0, 0)), undefined);
});
