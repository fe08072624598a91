/**
 * ChaCha20-Poly1305 (RFC 8439) as Noise uses it: a key, and a count of messages for a nonce. This is
 * the CipherState of the Noise Protocol Framework, revision 34, section 5.1.
 *
 * It is `node:crypto` that computes it, and for small messages of a connection that has many of them
 * libsodium (`sodium.ts`). WebCrypto has no ChaCha20, and its other ciphers work in another thread,
 * which costs more than a small message does.
 *
 * @module
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { CircuitError } from "../errors.ts";
import { CIPHER_KEY_BYTES, NONCE_BYTES, SEAL_BYTES } from "./aead.ts";
import { MAX_SMALL_BYTES, type Sodium, sodium } from "./sodium.ts";

const ALGORITHM = "chacha20-poly1305";
const OPTIONS = { authTagLength: SEAL_BYTES } as const;
const EMPTY = new Uint8Array(0);

/** Messages of one direction that make it worth loading libsodium. */
const MANY_MESSAGES = 256;

/** The nonce that Noise reserves for making new keys: 2^64 − 1. */
const REKEY_NONCE = new Uint8Array(NONCE_BYTES).fill(0xff, 4);

/**
 * One direction of a connection. What the one side seals the other side has to open in the same
 * order, each message once: the nonces only match then.
 */
export class CipherState {
  #key: Uint8Array;
  /** Counts messages; a number is exact up to 2^53, of Noise's 2^64. */
  #count: number;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #view = new DataView(this.#nonce.buffer);

  /**
   * @param key {@linkcode CIPHER_KEY_BYTES} bytes, which no other state uses.
   * @param count Messages that were sealed or opened with it before; default 0, as after a handshake.
   */
  constructor(key: Uint8Array, count = 0) {
    this.#key = key;
    this.#count = count;
  }

  /** Messages sealed or opened so far. A new key does not set it back. */
  get count(): number {
    return this.#count;
  }

  /**
   * Seals a message and writes the ciphertext and its tag into `out` at `at`:
   * {@linkcode SEAL_BYTES} more than the message has. `out` may hold the message itself.
   *
   * @param ad What is authenticated with it and not sent.
   * @returns how many bytes were written.
   */
  seal(message: Uint8Array, out: Uint8Array, at: number, ad: Uint8Array = EMPTY): number {
    const nonce = this.#next();
    const small = smallCipher(message.length, ad);
    if (small) {
      small.seal(this.#key, nonce, message, out, at);
      return message.length + SEAL_BYTES;
    }
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce, OPTIONS);
    if (ad.length > 0) cipher.setAAD(ad, { plaintextLength: message.length });
    if (message.length > 0) out.set(cipher.update(message), at);
    cipher.final();
    out.set(cipher.getAuthTag(), at + message.length);
    return message.length + SEAL_BYTES;
  }

  /**
   * Opens a sealed message.
   *
   * @returns the message, in memory of its own; undefined if it is not what the other side has
   * sealed next. Nothing that comes afterwards can be opened then.
   */
  open(sealed: Uint8Array, ad: Uint8Array = EMPTY): Uint8Array<ArrayBuffer> | undefined {
    const end = sealed.length - SEAL_BYTES;
    if (end < 0) return undefined;
    const nonce = this.#next();
    const small = smallCipher(end, ad);
    if (small) return small.open(this.#key, nonce, sealed);
    const decipher = createDecipheriv(ALGORITHM, this.#key, nonce, OPTIONS);
    if (ad.length > 0) decipher.setAAD(ad, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    const message = end > 0 ? decipher.update(sealed.subarray(0, end)) : EMPTY;
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return message as Uint8Array<ArrayBuffer>; // node's own buffers are not shared
  }

  /** Goes on with a key that is made from this one: Noise's REKEY. Nothing leads back. */
  rekey(): void {
    const cipher = createCipheriv(ALGORITHM, this.#key, REKEY_NONCE, OPTIONS);
    this.#key = cipher.update(new Uint8Array(CIPHER_KEY_BYTES));
    cipher.final();
  }

  /** Four zero bytes and the count, little-endian in 8. */
  #next(): Uint8Array {
    if (this.#count >= Number.MAX_SAFE_INTEGER) {
      throw new CircuitError("INTERNAL", "a connection has used up its nonces");
    }
    this.#view.setUint32(4, this.#count >>> 0, true);
    this.#view.setUint32(8, Math.floor(this.#count / 2 ** 32), true);
    if (++this.#count === MANY_MESSAGES) void sodium.load();
    return this.#nonce;
  }
}

/** What is faster than `node:crypto` for a message of so many bytes; undefined where nothing is. */
function smallCipher(bytes: number, ad: Uint8Array): Sodium | undefined {
  return ad.length === 0 && bytes <= MAX_SMALL_BYTES ? sodium.ready : undefined;
}
