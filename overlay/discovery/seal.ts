/**
 * Telling datagrams of key holders from those of others: a tag at the end, HMAC-SHA256 over all that
 * is in front of it. A circuit's key is never used itself, but a subkey for this purpose alone.
 *
 * @module
 */

import { createHmac, hkdfSync } from "node:crypto";
// deno-lint-ignore no-import-prefix -- reached from mod.ts, where a user's import map counts, not ours
import { timingSafeEqual } from "jsr:@std/crypto@^1.1.0/timing-safe-equal";
import { CircuitError } from "../errors.ts";
import { TAG_BYTES } from "./datagram.ts";

/** The secret of a circuit; of several the first signs, and all are accepted. */
export type DiscoveryKey = Uint8Array | readonly Uint8Array[];

/** Keeps the subkey apart from whatever else the key is used for. */
const LABEL = "circuit discovery v1";

/** Puts tags on datagrams and checks them. */
export class Seal {
  readonly #subkeys: readonly Uint8Array[];

  /**
   * Derives the subkeys.
   *
   * @param key Without it, datagrams carry no tag.
   * @throws {CircuitError} `BAD_REQUEST` for an empty key or an empty list of keys.
   */
  constructor(key?: DiscoveryKey) {
    const keys = key === undefined ? [] : key instanceof Uint8Array ? [key] : key;
    if (key !== undefined && (keys.length === 0 || keys.some((each) => each.length === 0))) {
      throw new CircuitError("BAD_REQUEST", "cannot use an empty key for multicast discovery");
    }
    this.#subkeys = keys.map((each) =>
      new Uint8Array(hkdfSync("sha256", each, new Uint8Array(), LABEL, TAG_BYTES))
    );
  }

  /** True where datagrams carry a tag. */
  get keyed(): boolean {
    return this.#subkeys.length > 0;
  }

  /**
   * The datagram as it is sent: with a tag if there is a key, else as it is.
   *
   * @param key Which key signs, as {@linkcode Seal.check} returned it; default the first.
   */
  close(body: Uint8Array<ArrayBuffer>, key = 0): Uint8Array<ArrayBuffer> {
    const subkey = this.#subkeys[key];
    if (!subkey) return body;
    const sealed = new Uint8Array(body.length + TAG_BYTES);
    sealed.set(body);
    sealed.set(tagOf(subkey, body), body.length);
    return sealed;
  }

  /** Which key the tag was made with, counted from 0; undefined if with none of them. */
  check(body: Uint8Array, tag: Uint8Array): number | undefined {
    let found: number | undefined;
    this.#subkeys.forEach((subkey, i) => {
      const same = tag.length === TAG_BYTES && timingSafeEqual(tagOf(subkey, body), tag);
      if (same) found ??= i;
    });
    return found;
  }
}

function tagOf(subkey: Uint8Array, body: Uint8Array): Uint8Array {
  return createHmac("sha256", subkey).update(body).digest();
}
