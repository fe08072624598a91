/**
 * Method names and paths that come again and again, made into strings once.
 *
 * @module
 */

/** Longest text that is kept, in bytes. */
const MAX_BYTES = 64;

/** Most texts that are kept: a power of two. */
const PLACES = 16;

/**
 * Short texts that a peer has sent, each in the place that its bytes tell. A text that is there is
 * given out again: it costs no memory, and tables find it by the hash that it has already.
 */
export class KnownTexts {
  /** Empty until the first text: most connections of a large circuit are idle. */
  readonly #texts: (string | undefined)[] = [];

  /**
   * The text in these bytes.
   *
   * @returns undefined if it is not short or not ASCII.
   */
  read(bytes: Uint8Array, from: number, to: number): string | undefined {
    const length = to - from;
    if (length > MAX_BYTES) return undefined;
    let hash = length;
    let all = 0;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!; // the caller has checked the lengths
      all |= byte;
      hash = Math.imul(hash, 31) + byte | 0;
    }
    if (all >= 0x80) return undefined;
    const place = (hash ^ hash >>> 15) & PLACES - 1;
    const known = this.#texts[place];
    if (known?.length === length && isText(known, bytes, from)) return known;
    let text = "";
    for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at]!); // as above
    if (this.#texts.length === 0) this.#texts.length = PLACES;
    this.#texts[place] = text;
    return text;
  }
}

function isText(text: string, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[from + i]) return false;
  }
  return true;
}
