import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { CircuitError } from "../errors.ts";
import { SEAL_BYTES } from "./aead.ts";
import { CipherState } from "./cipher.ts";
import { Handshake, HANDSHAKE_BYTES, PROTOCOL_NAME, PSK_BYTES, type Transport } from "./noise.ts";
import { generateKeyPair, keyPairOf, sharedSecret } from "./x25519.ts";
import { failureOf } from "./_testing.ts";

/** A vector in the format of cacophony, as published with implementations of Noise. */
interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_psks: readonly string[];
  readonly init_ephemeral: string;
  readonly resp_prologue: string;
  readonly resp_psks: readonly string[];
  readonly resp_ephemeral: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const { vectors } = JSON.parse(
  await Deno.readTextFile(new URL("testdata/noise-nnpsk0.json", import.meta.url)),
) as { vectors: readonly Vector[] };

const hex = (text: string | undefined) => Uint8Array.fromHex(text ?? "");

/** Handshakes in the order initiator, responder. */
async function sidesOf(vector: Vector): Promise<[Handshake, Handshake]> {
  return [
    new Handshake({
      role: "initiator",
      prologue: hex(vector.init_prologue),
      psk: hex(vector.init_psks[0]),
      ephemeral: await keyPairOf(hex(vector.init_ephemeral)),
    }),
    new Handshake({
      role: "responder",
      prologue: hex(vector.resp_prologue),
      psk: hex(vector.resp_psks[0]),
      ephemeral: await keyPairOf(hex(vector.resp_ephemeral)),
    }),
  ];
}

function seal(state: CipherState, message: Uint8Array): Uint8Array {
  const out = new Uint8Array(message.length + SEAL_BYTES);
  state.seal(message, out, 0);
  return out;
}

/** A finished handshake of two sides that agree. */
async function finished(): Promise<[Transport, Transport]> {
  const options = { prologue: new Uint8Array(7), psk: new Uint8Array(PSK_BYTES).fill(3) };
  const initiator = new Handshake({ role: "initiator", ...options });
  const responder = new Handshake({ role: "responder", ...options });
  await responder.read(await initiator.write());
  await initiator.read(await responder.write());
  return [initiator.finish(), responder.finish()];
}

Deno.test("Handshake of each role agrees with the official vector byte for byte", async () => {
  assert(vectors.length > 0);
  for (const vector of vectors) {
    assertEquals(vector.protocol_name, PROTOCOL_NAME);
    const sides = await sidesOf(vector);
    const messages = vector.messages.map((each) => ({
      payload: hex(each.payload),
      ciphertext: hex(each.ciphertext),
    }));
    for (const [i, { payload, ciphertext }] of messages.slice(0, 2).entries()) {
      const [writer, reader] = i === 0 ? sides : sides.toReversed();
      assertEquals(await writer!.write(payload), ciphertext);
      assertEquals(new Uint8Array(await reader!.read(ciphertext)), payload);
    }
    const ends = sides.map((side) => side.finish());
    for (const { hash } of ends) assertEquals(hash.toHex(), vector.handshake_hash);
    for (const [i, { payload, ciphertext }] of messages.slice(2).entries()) {
      const [sender, receiver] = i % 2 === 0 ? ends : ends.toReversed();
      assertEquals(seal(sender!.send, payload), ciphertext);
      assertEquals(new Uint8Array(receiver!.receive.open(ciphertext)!), payload);
    }
  }
});

Deno.test("Handshake fails where psk or prologue differ, in either message", async () => {
  const same = { prologue: new Uint8Array([1]), psk: new Uint8Array(PSK_BYTES) };
  for (
    const other of [
      { ...same, psk: new Uint8Array(PSK_BYTES).with(31, 1) },
      { ...same, prologue: new Uint8Array([2]) },
      { ...same, prologue: new Uint8Array([1, 0]) },
    ]
  ) {
    const initiator = new Handshake({ role: "initiator", ...same });
    const right = new Handshake({ role: "responder", ...same });
    const wrong = new Handshake({ role: "responder", ...other });
    const first = await initiator.write();
    const error = await failureOf(wrong.read(first));
    assertEquals(error.code, "PROTOCOL");
    assertMatch(error.message, /another key, or changed/);
    await right.read(first);
    const second = await right.write();
    assertEquals(second.length, HANDSHAKE_BYTES);
    second[40]! ^= 1;
    assertEquals((await failureOf(initiator.read(second))).code, "PROTOCOL");
    // A handshake that has failed has failed.
    second[40]! ^= 1;
    assertMatch((await failureOf(initiator.read(second))).message, /out of turn/);
  }
});

Deno.test("Handshake takes messages in turn only, and finishes when both were exchanged", async () => {
  const options = { prologue: new Uint8Array(), psk: new Uint8Array(PSK_BYTES) };
  const initiator = () => new Handshake({ role: "initiator", ...options });
  const responder = () => new Handshake({ role: "responder", ...options });
  assertMatch((await failureOf(responder().write())).message, /out of turn/);
  assertMatch((await failureOf(initiator().read(new Uint8Array(48)))).message, /out of turn/);
  const late = initiator();
  await late.write();
  assertMatch((await failureOf(late.write())).message, /out of turn/);
  await assertRejects(async () => await initiator().finish(), CircuitError, "not finished");
  await assertRejects(
    async () => await new Handshake({ role: "initiator", ...options, psk: new Uint8Array(64) }),
    CircuitError,
    "64 bytes",
  );
  await failureOf(initiator().write(new Uint8Array(65_535)));
});

Deno.test("Handshake of the same two parties gives other keys and another hash each time", async () => {
  const [one, two] = [await finished(), await finished()];
  assertEquals(one[0].hash, one[1].hash);
  assertNotEquals(one[0].hash, two[0].hash);
  const message = new Uint8Array(10);
  assertNotEquals(seal(one[0].send, message), seal(two[0].send, message));
  assertNotEquals(seal(one[0].send, message), seal(one[1].send, message));
});

Deno.test("sharedSecret() refuses public keys of small order", async () => {
  const { privateKey } = await generateKeyPair();
  const points = [
    new Uint8Array(32),
    new Uint8Array(32).with(0, 1),
    hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  ];
  for (const point of points) {
    const error = await failureOf(sharedSecret(privateKey, point));
    assertEquals(error.code, "PROTOCOL");
    assertMatch(error.message, /small order/);
  }
});

Deno.test("CipherState opens messages in their order only, each once, unchanged", async () => {
  const open = async (change: (sealed: Uint8Array[]) => Uint8Array[]) => {
    const [{ send }, { receive }] = await finished();
    const sealed = [1, 2, 3].map((byte) => seal(send, new Uint8Array(5).fill(byte)));
    return change(sealed).map((each) => receive.open(each)?.[0]);
  };
  assertEquals(await open((all) => all), [1, 2, 3]);
  assertEquals(await open(([a, b, c]) => [a!, c!, b!]), [1, undefined, undefined]);
  assertEquals(await open(([a, b]) => [a!, a!, b!]), [1, undefined, undefined]);
  assertEquals(await open(([, b]) => [b!]), [undefined]);
  assertEquals(await open(([a]) => [a!.with(0, a![0]! ^ 1)]), [undefined]);
  assertEquals(await open(([a]) => [a!.with(20, a![20]! ^ 1)]), [undefined]);
  assertEquals(await open(([a]) => [a!.subarray(0, 20), a!.subarray(0, 15)]), [
    undefined,
    undefined,
  ]);
});

Deno.test("CipherState.rekey() is Noise's REKEY: the same on both sides, the count goes on", async () => {
  const key = new Uint8Array(32).fill(9);
  const sender = new CipherState(key);
  seal(sender, new Uint8Array(3));
  sender.rekey();
  assertEquals(sender.count, 1);
  // The same key, made by hand: 32 zero bytes sealed with nonce 2^64 − 1, without the tag.
  const { createCipheriv } = await import("node:crypto");
  const nonce = new Uint8Array(12).fill(0xff, 4);
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  const other = new CipherState(new Uint8Array(cipher.update(new Uint8Array(32))));
  cipher.final();
  seal(other, new Uint8Array(3));
  assertEquals(seal(sender, new Uint8Array(40)), seal(other, new Uint8Array(40)));
});

Deno.test("CipherState fails before a nonce comes twice, in either direction", () => {
  const key = new Uint8Array(32).fill(9);
  const last = Number.MAX_SAFE_INTEGER - 1;
  const [sender, receiver] = [new CipherState(key, last), new CipherState(key, last)];
  const sealed = seal(sender, new Uint8Array(3));
  assertEquals(receiver.open(sealed)?.length, 3);
  // The nonce is the count in all of its 53 bits.
  assertEquals(new CipherState(key, last - 1).open(sealed), undefined);
  assertEquals(new CipherState(key, last % 2 ** 32).open(sealed), undefined);
  for (const use of [() => seal(sender, new Uint8Array(3)), () => receiver.open(sealed)]) {
    assertThrows(use, CircuitError, "has used up its nonces");
    assertThrows(use, CircuitError, "has used up its nonces");
  }
});
