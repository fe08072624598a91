/**
 * What is sent and what is printed: all of it follows from a few numbers, so that who receives it can
 * tell whether it is right.
 *
 * @module
 */

/** Bytes of the numbers at the beginning of a message that is not empty. */
const HEADER_BYTES = 16;

/** Most bytes of a message: 4 MiB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Bytes of a printed line. */
const LINE_BYTES = 16;

/** Which message it is. */
export interface MessageId {
  /** The sender's number in its channel. */
  readonly sender: number;
  /** Counts the sender's messages, from 0. */
  readonly seq: number;
}

/** A length that a message can have: none, tiny, around the buffer's 32 KiB, or long. */
export function someLength(random: { next(): number; integer(a: number, b: number): number }) {
  const kind = random.next();
  if (kind < 0.1) return 0;
  if (kind < 0.6) return random.integer(HEADER_BYTES, 1024);
  if (kind < 0.8) return random.integer(1024, 32 * 1024);
  if (kind < 0.85) return 32 * 1024 + random.integer(-1, 1);
  if (kind < 0.98) return random.integer(32 * 1024, 256 * 1024);
  return random.integer(256 * 1024, MAX_BYTES);
}

/** A message's bytes; none if its length is 0. */
export function messageOf(channel: number, { sender, seq }: MessageId, length: number) {
  const words = new Uint32Array(Math.ceil(length / 4));
  const salt = Math.imul(channel, 0x9e3779b1) ^ Math.imul(sender, 0x85ebca6b) ^ seq;
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i ^ salt, 2_654_435_761) ^ salt;
  if (length > 0) words.set([channel, sender, seq, length]);
  return new Uint8Array(words.buffer, 0, length);
}

/** Which message of a channel these bytes are; undefined if they are none, or not whole. */
export function identify(channel: number, bytes: Uint8Array): MessageId | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const [, sender = 0, seq = 0] = new Uint32Array(bytes.slice(0, HEADER_BYTES).buffer);
  const id = { sender, seq };
  return same(bytes, messageOf(channel, id, bytes.length)) ? id : undefined;
}

/** The arguments with which `awk` prints so many numbered lines. */
export function printer(seed: number, lines: number): string[] {
  const step = `x = (x * 16807) % 2147483647; printf "%08d %06d\\n", i, x % 1000000`;
  return [`BEGIN { x = ${seed}; for (i = 0; i < ${lines}; i++) { ${step} } }`];
}

/** What it prints. */
export function printed(seed: number, lines: number): Uint8Array {
  const bytes = new Uint8Array(lines * LINE_BYTES);
  const encoder = new TextEncoder();
  for (let i = 0, x = seed; i < lines; i++) {
    x = (x * 16807) % 2147483647;
    const line = `${String(i).padStart(8, "0")} ${String(x % 1000000).padStart(6, "0")}\n`;
    encoder.encodeInto(line, bytes.subarray(i * LINE_BYTES));
  }
  return bytes;
}

/** Whether the bytes are the same. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
