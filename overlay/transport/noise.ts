/**
 * The handshake `Noise_NNpsk0_25519_ChaChaPoly_SHA512` of the Noise Protocol Framework, revision 34:
 *
 *     NNpsk0:
 *       -> psk, e
 *       <- e, ee
 *
 * Both sides know a secret, the psk; each adds a key of its own that lives as long as the handshake.
 * So only those who know the psk get through, and who learns it later cannot read what was recorded
 * before (forward secrecy). Nothing is sent here: messages are given and taken.
 *
 * @module
 */

import { createHash, hkdfSync } from "node:crypto";
import { CircuitError } from "../errors.ts";
import { CIPHER_KEY_BYTES, SEAL_BYTES } from "./aead.ts";
import { CipherState } from "./cipher.ts";
import { DH_BYTES, generateKeyPair, type KeyPair, sharedSecret } from "./x25519.ts";

/** The name of the protocol, which goes into every key. */
export const PROTOCOL_NAME = "Noise_NNpsk0_25519_ChaChaPoly_SHA512";

/** Bytes of a psk. */
export const PSK_BYTES = 32;

/** Most bytes of a Noise message. */
export const MAX_NOISE_BYTES = 65_535;

/** Bytes of either handshake message that carries nothing: a public key and a tag. */
export const HANDSHAKE_BYTES = DH_BYTES + SEAL_BYTES;

const HASH_BYTES = 64;
const EMPTY = new Uint8Array(0);

/** What a handshake is made of. */
export interface HandshakeOptions {
  /** The initiator sends the first message. */
  readonly role: "initiator" | "responder";
  /** What both sides must agree on besides the psk; a difference fails the handshake. */
  readonly prologue: Uint8Array;
  /** {@linkcode PSK_BYTES} secret bytes. */
  readonly psk: Uint8Array;
  /** This side's key pair. Default: a new one, which is right everywhere but in tests. */
  readonly ephemeral?: KeyPair | undefined;
}

/** What a finished handshake leaves. */
export interface Transport {
  /** Seals what this side sends. */
  readonly send: CipherState;
  /** Opens what the other side sends. */
  readonly receive: CipherState;
  /** The same on both sides, and on no other connection: 64 bytes. */
  readonly hash: Uint8Array;
}

/**
 * One side of a handshake: two messages, one each way. Whatever fails ends it; a second try needs a
 * new one. Messages are at most {@linkcode MAX_NOISE_BYTES} long.
 *
 * Keys stay in memory until they are collected as garbage: JavaScript has no way to wipe them.
 */
export class Handshake {
  readonly #initiator: boolean;
  readonly #psk: Uint8Array;
  readonly #symmetric: SymmetricState;
  #ephemeral: KeyPair | undefined;
  #theirs: Uint8Array<ArrayBuffer> = EMPTY;
  /** Messages so far; both or -1, when one has failed, is the end. */
  #step = 0;

  constructor(options: HandshakeOptions) {
    if (options.psk.length !== PSK_BYTES) {
      throw new CircuitError("INTERNAL", `a psk of ${options.psk.length} bytes, not ${PSK_BYTES}`);
    }
    this.#initiator = options.role === "initiator";
    this.#psk = options.psk;
    this.#ephemeral = options.ephemeral;
    this.#symmetric = new SymmetricState();
    this.#symmetric.mixHash(options.prologue);
  }

  /**
   * The message that it is this side's turn to send.
   *
   * @param payload Travels along. In the initiator's message it has neither forward secrecy nor
   * protection against replay.
   */
  async write(payload: Uint8Array = EMPTY): Promise<Uint8Array<ArrayBuffer>> {
    const first = this.#turn(true);
    if (HANDSHAKE_BYTES + payload.length > MAX_NOISE_BYTES) {
      throw new CircuitError("INTERNAL", `a handshake payload of ${payload.length} bytes`);
    }
    const own = this.#ephemeral ??= await generateKeyPair();
    if (first) this.#symmetric.mixKeyAndHash(this.#psk);
    this.#mixEphemeral(own.publicKey);
    if (!first) this.#symmetric.mixKey(await sharedSecret(own.privateKey, this.#theirs));
    const message = new Uint8Array(HANDSHAKE_BYTES + payload.length);
    message.set(own.publicKey);
    this.#symmetric.encryptAndHash(payload, message, DH_BYTES);
    this.#step = first ? 1 : 2;
    return message;
  }

  /**
   * Takes the other side's message.
   *
   * @returns its payload.
   * @throws {CircuitError} `PROTOCOL` if it is not one, was changed on the way, or was made with
   * another psk or prologue.
   */
  async read(message: Uint8Array): Promise<Uint8Array> {
    const first = this.#turn(false);
    if (message.length < HANDSHAKE_BYTES || message.length > MAX_NOISE_BYTES) {
      throw new CircuitError(
        "PROTOCOL",
        `a handshake message of ${message.length} bytes: want ${HANDSHAKE_BYTES} at least, ` +
          `${MAX_NOISE_BYTES} at most`,
      );
    }
    this.#theirs = message.slice(0, DH_BYTES);
    if (first) this.#symmetric.mixKeyAndHash(this.#psk);
    this.#mixEphemeral(this.#theirs);
    if (!first) {
      const own = this.#ephemeral!; // the initiator has made it for its own message
      this.#symmetric.mixKey(await sharedSecret(own.privateKey, this.#theirs));
    }
    const payload = this.#symmetric.decryptAndHash(message.subarray(DH_BYTES));
    if (!payload) {
      throw new CircuitError(
        "PROTOCOL",
        "a handshake message that was made with another key, or changed on the way",
      );
    }
    this.#step = first ? 1 : 2;
    return payload;
  }

  /** The two directions, once both messages have been exchanged. */
  finish(): Transport {
    if (this.#step !== 2) throw new CircuitError("INTERNAL", "the handshake is not finished");
    this.#step = -1;
    const [up, down] = this.#symmetric.split();
    const hash = this.#symmetric.hash;
    return this.#initiator ? { send: up, receive: down, hash } : { send: down, receive: up, hash };
  }

  /** The token `e`; with a psk it goes into the key, too (section 9.2). */
  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    this.#symmetric.mixKey(publicKey);
  }

  /** True for the first message. Until the step is set again, the handshake counts as failed. */
  #turn(writing: boolean): boolean {
    const step = this.#step;
    const turn = writing === this.#initiator ? 0 : 1;
    if (step !== turn) throw new CircuitError("INTERNAL", "a handshake message out of turn");
    this.#step = -1;
    return step === 0;
  }
}

/** Section 5.2: what both sides have said so far, as a hash and a key. */
class SymmetricState {
  #hash: Uint8Array = new Uint8Array(HASH_BYTES);
  #chainingKey: Uint8Array;
  #cipher: CipherState | undefined;

  constructor() {
    // The name is shorter than a hash, so it is padded and not hashed.
    new TextEncoder().encodeInto(PROTOCOL_NAME, this.#hash);
    this.#chainingKey = this.#hash;
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = createHash("sha512").update(this.#hash).update(data).digest();
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#chainingKey, input);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(key.subarray(0, CIPHER_KEY_BYTES));
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [chainingKey, hash, key] = hkdf(this.#chainingKey, input);
    this.#chainingKey = chainingKey;
    this.mixHash(hash);
    this.#cipher = new CipherState(key.subarray(0, CIPHER_KEY_BYTES));
  }

  encryptAndHash(payload: Uint8Array, out: Uint8Array, at: number): void {
    const length = this.#keyed().seal(payload, out, at, this.#hash);
    this.mixHash(out.subarray(at, at + length));
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const payload = this.#keyed().open(sealed, this.#hash);
    if (payload) this.mixHash(sealed);
    return payload;
  }

  /** Section 5.2, Split(): from the initiator, and to it. */
  split(): [CipherState, CipherState] {
    const [up, down] = hkdf(this.#chainingKey, EMPTY);
    return [
      new CipherState(up.subarray(0, CIPHER_KEY_BYTES)),
      new CipherState(down.subarray(0, CIPHER_KEY_BYTES)),
    ];
  }

  #keyed(): CipherState {
    // A psk comes first in this pattern, so there always is a key.
    if (!this.#cipher) throw new CircuitError("INTERNAL", "the handshake has no key yet");
    return this.#cipher;
  }
}

/**
 * Section 4.3: HKDF with three outputs, of which some callers use two. It is that of RFC 5869 with the
 * chaining key for the salt and no info.
 */
function hkdf(
  chainingKey: Uint8Array,
  input: Uint8Array,
): [Uint8Array, Uint8Array, Uint8Array] {
  const all = new Uint8Array(hkdfSync("sha512", input, chainingKey, EMPTY, 3 * HASH_BYTES));
  return [
    all.subarray(0, HASH_BYTES),
    all.subarray(HASH_BYTES, 2 * HASH_BYTES),
    all.subarray(2 * HASH_BYTES),
  ];
}
