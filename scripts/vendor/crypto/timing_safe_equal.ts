// A stand-in for `@std/crypto/timing-safe-equal` over `node:crypto`.

import { timingSafeEqual as compare } from "node:crypto";

type Bytes = ArrayBufferView | ArrayBufferLike;

/**
 * Compares two byte sequences in a time that depends on their length alone.
 *
 * @throws {Error} If the lengths differ.
 */
export function timingSafeEqual(a: Bytes, b: Bytes): boolean {
  return compare(view(a), view(b));
}

function view(bytes: Bytes): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}
