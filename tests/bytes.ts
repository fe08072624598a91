/**
 * Bytes for tests: text, large messages that nobody has to keep, and digests.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** A text's bytes. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text that these bytes are. */
export function text(message: Uint8Array): string {
  return new TextDecoder().decode(message);
}

/** All that a stream holds, as text. */
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/**
 * A message that differs everywhere, so that a lost, doubled or swapped piece is seen: as four-byte
 * numbers, its own offset times an odd constant.
 *
 * @param length In bytes; a multiple of four.
 */
export function pattern(length: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2_654_435_761);
  return new Uint8Array(words.buffer);
}

/** How many bytes, and their SHA-256 in hex. */
export interface Digest {
  readonly length: number;
  readonly sha256: string;
}

/** Reads a stream to its end. */
export async function digest(stream: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { length, sha256: hash.digest("hex") };
}

/** The digest of a message that is at hand. */
export function digestOf(message: Uint8Array): Digest {
  return { length: message.length, sha256: createHash("sha256").update(message).digest("hex") };
}
