/** Messages of the Noise handshake, and those behind it. */

import { assert } from "@std/assert";
import { KEY_BYTES } from "../../overlay/transport/key.ts";
import { exchangeAsAcceptor } from "../../overlay/transport/key_exchange.ts";
import { Handshake, PSK_BYTES, type Transport } from "../../overlay/transport/noise.ts";
import { CipherState } from "../../overlay/transport/cipher.ts";
import { SecureConn } from "../../overlay/transport/secure_conn.ts";
import { generateKeyPair } from "../../overlay/transport/x25519.ts";
import { fuzz, type Random } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";
import { Script } from "./script.ts";

const now = () => 0;

/** One in so many cases costs two operations on the curve. */
const CURVE_EVERY = 20;

fuzz("handshake messages", async (random) => {
  const options = { prologue: random.bytes(9), psk: random.bytes(PSK_BYTES) };
  const ephemeral = await generateKeyPair();
  const initiator = new Handshake({ role: "initiator", ...options, ephemeral });
  const first = await initiator.write(random.bytes(20));
  const responder = new Handshake({ role: "responder", ...options });
  await responder.read(first);
  const second = await responder.write(random.bytes(20));
  const keys = [random.bytes(KEY_BYTES), random.bytes(KEY_BYTES)];
  const said = new Uint8Array(50 + 18);
  said.set([0, 48]);
  said.set([0, 16], 50);
  return async (random) => {
    switch (random.below(CURVE_EVERY)) {
      case 0: {
        const side = new Handshake({ role: "initiator", ...options, ephemeral });
        await side.write();
        return void await side.read(changed(second, random));
      }
      case 1: {
        const conn = new Script(mutate(said, random), 64);
        const { prologue } = options;
        return void await exchangeAsAcceptor(keys, { conn, prologue, now });
      }
      default: {
        const side = new Handshake({ role: "responder", ...options, ephemeral });
        await side.read(changed(first, random));
      }
    }
  };
});

/** The message changed for certain. */
function changed(message: Uint8Array, random: Random): Uint8Array {
  for (;;) {
    const bytes = mutate(message, random);
    if (bytes.length !== message.length || bytes.some((byte, i) => byte !== message[i])) {
      return bytes;
    }
  }
}

/** What a sender writes, at most, in one case. */
const MAX_WRITE = 100;

fuzz("encrypted messages", () => async (random) => {
  const key = random.bytes(32);
  const transport = (): Transport => ({
    send: new CipherState(key),
    receive: new CipherState(key),
    hash: new Uint8Array(64),
  });
  const sealed = await sealedBy(transport(), random);
  const bytes = mutate(sealed.bytes, random);
  const conn = new Script(bytes, pick([3, 17, 1_000], random));
  const receiver = new SecureConn({ conn, transport: transport(), now });
  const buffer = new Uint8Array(1 + random.below(200));
  for (let at = 0;;) {
    const count = await receiver.read(buffer);
    if (count === null) return;
    // What comes out is what went in, up to where it was changed.
    for (let i = 0; i < count; i++) assert(buffer[i] === sealed.text[at + i]);
    at += count;
  }
});

/** What a sender makes of some writes, among them changes of its key. */
async function sealedBy(transport: Transport, random: Random) {
  const out: number[] = [];
  const text: number[] = [];
  const conn = {
    remote: "recorder",
    localHost: "recorder",
    read: () => Promise.resolve(null),
    write(bytes: Uint8Array) {
      out.push(...bytes);
      return Promise.resolve(bytes.length);
    },
    close() {},
  };
  const sender = new SecureConn({ conn, transport, now, rekeyMessages: 2 });
  for (let count = 1 + random.below(4); count > 0; count--) {
    const message = random.bytes(1 + random.below(MAX_WRITE));
    text.push(...message);
    await sender.write(message);
  }
  return { bytes: new Uint8Array(out), text };
}
