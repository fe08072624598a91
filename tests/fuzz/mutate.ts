/**
 * Valid input with something changed: it gets further than noise does.
 *
 * @module
 */

import type { Random } from "./harness.ts";

/** Bytes at which lengths, signs and types change. */
const EDGES = [0, 1, 0x0f, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff] as const;

/** Most changes of one input. */
const MAX_CHANGES = 4;

/** One of the items, of which there is at least one. */
export function pick<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)] as T;
}

/** A copy with one to four bytes changed, put in, left out, doubled, or cut off at the end. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let changed = bytes.slice() as Uint8Array<ArrayBuffer>;
  for (let count = 1 + random.below(MAX_CHANGES); count > 0; count--) {
    changed = changeOnce(changed, random);
  }
  return changed;
}

function changeOnce(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const some = 1 + random.below(12);
  switch (random.below(8)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return join(bytes.subarray(0, at), bytes.subarray(at + some));
    case 2:
      return join(bytes.subarray(0, at), random.bytes(some), bytes.subarray(at));
    case 3:
      return join(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - some)));
    default:
      if (at === bytes.length) return bytes;
      bytes[at] = random.below(2) ? pick(EDGES, random) : bytes[at]! ^ 1 << random.below(8); // in it
      return bytes;
  }
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A copy of a text with up to four pieces changed, `pieces` being what matters in such texts. */
export function mutateText(text: string, pieces: readonly string[], random: Random): string {
  let changed = text;
  for (let count = random.below(MAX_CHANGES + 1); count > 0; count--) {
    const at = random.below(changed.length + 1);
    const some = random.below(10);
    const piece = random.below(4) === 0
      ? String.fromCharCode(random.below(0x10000))
      : pick(pieces, random);
    const rest = [
      piece + changed.slice(at),
      piece + changed.slice(at + piece.length),
      changed.slice(at + some),
      changed.slice(Math.max(0, at - some)),
      "",
    ];
    changed = changed.slice(0, at) + pick(rest, random);
  }
  return changed;
}
