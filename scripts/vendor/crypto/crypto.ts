// WebCrypto with the two additions of @std/crypto: digests of streams, and
// digests at once. `node:crypto` computes those that WebCrypto can't.

import { createHash } from "node:crypto";

/** The digests that this stand-in has, by the names of the real package. */
export const DIGEST_ALGORITHM_NAMES = [
  "BLAKE2B",
  "BLAKE2S",
  "MD5",
  "RIPEMD-160",
  "SHA-1",
  "SHA-224",
  "SHA-256",
  "SHA-384",
  "SHA-512",
  "SHA3-224",
  "SHA3-256",
  "SHA3-384",
  "SHA3-512",
] as const;

/** The name of a digest. */
export type DigestAlgorithmName = typeof DIGEST_ALGORITHM_NAMES[number];

/** A digest by name, in the form that WebCrypto takes too. */
export type DigestAlgorithmObject = {
  name: DigestAlgorithmName;
};

/** A digest, named in either form. */
export type DigestAlgorithm = DigestAlgorithmName | DigestAlgorithmObject;

/** `SubtleCrypto` with digests of streams and digests at once. */
export interface StdSubtleCrypto extends SubtleCrypto {
  /** Digests a buffer, or the buffers of an iterable one after another. */
  digest(
    algorithm: DigestAlgorithm,
    data: BufferSource | AsyncIterable<BufferSource> | Iterable<BufferSource>,
  ): Promise<ArrayBuffer>;

  /** Digests at once. */
  digestSync(
    algorithm: DigestAlgorithm,
    data: BufferSource | Iterable<BufferSource>,
  ): ArrayBuffer;
}

/** `Crypto` with the extended `subtle`. */
export interface StdCrypto extends Crypto {
  /** The extended `SubtleCrypto`. */
  readonly subtle: StdSubtleCrypto;
}

const NODE_NAMES: Record<DigestAlgorithmName, string> = {
  "BLAKE2B": "blake2b512",
  "BLAKE2S": "blake2s256",
  "MD5": "md5",
  "RIPEMD-160": "ripemd160",
  "SHA-1": "sha1",
  "SHA-224": "sha224",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
  "SHA3-224": "sha3-224",
  "SHA3-256": "sha3-256",
  "SHA3-384": "sha3-384",
  "SHA3-512": "sha3-512",
};

const subtle = globalThis.crypto.subtle;

/** WebCrypto and the additions. */
export const crypto: StdCrypto = {
  getRandomValues: globalThis.crypto.getRandomValues.bind(globalThis.crypto),
  randomUUID: globalThis.crypto.randomUUID.bind(globalThis.crypto),
  subtle: new Proxy(subtle, { get: member }) as StdSubtleCrypto,
};

/** A method of `subtle`, bound, since callers may take it off its object. */
function member(_target: SubtleCrypto, name: string | symbol): unknown {
  if (name === "digest") return digest;
  if (name === "digestSync") return digestSync;
  const value: unknown = Reflect.get(subtle, name, subtle);
  return typeof value === "function" ? value.bind(subtle) : value;
}

async function digest(
  algorithm: DigestAlgorithm,
  data: BufferSource | AsyncIterable<BufferSource> | Iterable<BufferSource>,
): Promise<ArrayBuffer> {
  const hash = createHash(nodeName(algorithm));
  if (isBuffer(data)) hash.update(bytes(data));
  else for await (const chunk of data) hash.update(bytes(chunk));
  return result(hash.digest());
}

function digestSync(
  algorithm: DigestAlgorithm,
  data: BufferSource | Iterable<BufferSource>,
): ArrayBuffer {
  const hash = createHash(nodeName(algorithm));
  if (isBuffer(data)) hash.update(bytes(data));
  else for (const chunk of data) hash.update(bytes(chunk));
  return result(hash.digest());
}

function nodeName(algorithm: DigestAlgorithm): string {
  const name = typeof algorithm === "string" ? algorithm : algorithm.name;
  const known = Object.entries(NODE_NAMES).find(([key]) => key === name.toUpperCase());
  if (known === undefined) {
    throw new DOMException(
      `Cannot digest: unknown algorithm "${name}"`,
      "NotSupportedError",
    );
  }
  return known[1];
}

function isBuffer(data: object): data is BufferSource {
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data);
}

function bytes(data: BufferSource): Uint8Array {
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError(
    "Cannot digest the data: A chunk is not ArrayBuffer nor ArrayBufferView",
  );
}

/** A copy without the pool that the hash may have taken its memory from. */
function result(digest: Uint8Array): ArrayBuffer {
  return new Uint8Array(digest).buffer;
}
