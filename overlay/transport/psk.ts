/**
 * The pre-shared key of encrypted connections.
 *
 * @module
 */

import { hkdfSync } from "node:crypto";
import { checkKey } from "./key.ts";
import { PSK_BYTES } from "./noise.ts";

/** Keeps the subkey for connections apart from whatever else the key is used for. */
const PSK_LABEL = "circuit noise v1";

/**
 * The pre-shared key that a circuit's key stands for: its HKDF-SHA-512 (RFC 5869), without salt, with
 * `circuit noise v1` for the info, 32 bytes. Whoever accepts computes it for each key of each
 * connection, so it is not left to WebCrypto, which takes another thread and twice as long.
 *
 * @throws {CircuitError} `BAD_REQUEST` if it is not a key.
 */
export function pskOf(key: Uint8Array): Uint8Array<ArrayBuffer> {
  checkKey(key);
  return new Uint8Array(hkdfSync("sha512", key, new Uint8Array(0), PSK_LABEL, PSK_BYTES));
}
