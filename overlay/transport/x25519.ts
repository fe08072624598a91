/**
 * X25519 (RFC 7748): key pairs, and the secret that two of them share. WebCrypto computes it.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";

/** Bytes of a public key, of a private key and of a shared secret. */
export const DH_BYTES = 32;

/** The base point of the curve, whose product with a private key is the public key. */
const BASE_POINT = new Uint8Array(DH_BYTES).with(0, 9);

/** What stands before a raw private key in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Uint8Array.fromHex("302e020100300506032b656e04220420");

/** A private key and its public key. */
export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** A new key pair, for one handshake. Its private key cannot be read out of the runtime. */
export async function generateKeyPair(): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, publicKey };
}

/** The pair of a private key of {@linkcode DH_BYTES} bytes: for handshakes with fixed keys. */
export async function keyPairOf(raw: Uint8Array): Promise<KeyPair> {
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + DH_BYTES);
  pkcs8.set(PKCS8_HEAD);
  pkcs8.set(raw, PKCS8_HEAD.length);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "X25519", false, ["deriveBits"]);
  return { privateKey, publicKey: await sharedSecret(privateKey, BASE_POINT) };
}

/**
 * The secret that the owners of two key pairs share.
 *
 * @param publicKey The peer's, as it came.
 * @throws {CircuitError} `PROTOCOL` if the secret is all zeros, which happens with the few public keys
 * that no honest peer has.
 */
export async function sharedSecret(
  privateKey: CryptoKey,
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  let secret: Uint8Array<ArrayBuffer>;
  try {
    const peer = await crypto.subtle.importKey("raw", publicKey, "X25519", true, []);
    const algorithm = { name: "X25519", public: peer };
    secret = new Uint8Array(await crypto.subtle.deriveBits(algorithm, privateKey, 8 * DH_BYTES));
  } catch (cause) {
    throw new CircuitError("PROTOCOL", "the peer sent a public key of small order", { cause });
  }
  // WebCrypto is to refuse this itself; RFC 7748 leaves it to each implementation.
  if (secret.every((byte) => byte === 0)) {
    throw new CircuitError("PROTOCOL", "the peer sent a public key of small order");
  }
  return secret;
}
