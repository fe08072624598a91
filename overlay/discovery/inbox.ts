/**
 * Which datagrams count: those that are well-formed, made with the key, and fresh. All others are
 * ignored and counted, by the reason, because that is what tells an operator what is wrong.
 *
 * @module
 */

import { decodeDatagram, type Message } from "./datagram.ts";
import type { UdpAddress } from "./network.ts";
import type { Seal } from "./seal.ts";

/** Most milliseconds that a sealed datagram's time may be off, either way: a minute. */
export const MAX_SKEW_MS = 60_000;

/**
 * Why a datagram was ignored.
 *
 * - `malformed`: no discovery datagram.
 * - `version`: one of another version.
 * - `keyless`: without a tag, where a key is used.
 * - `keyed`: with a tag, where no key is used.
 * - `unauthentic`: made with another key, or changed on the way.
 * - `stale`: sent more than {@linkcode MAX_SKEW_MS} ago or ahead, by the clocks of the two hosts.
 */
export type Refusal = "malformed" | "version" | "keyless" | "keyed" | "unauthentic" | "stale";

const EXPLANATIONS: Record<Refusal, string> = {
  malformed: "not a discovery datagram",
  version: "of another version of circuit",
  keyless: "made without a key, while a key is used here",
  keyed: "made with a key, while none is used here",
  unauthentic: "made with a different key",
  stale: `more than ${MAX_SKEW_MS / 1000} s old or ahead: the clocks of the hosts differ`,
};

/** The reason in words that follow "is" or "was". */
export function explainRefusal(refusal: Refusal): string {
  return EXPLANATIONS[refusal];
}

/** A datagram that counts. */
export interface Accepted {
  readonly message: Message;
  /** Which key it was made with, for {@linkcode Seal.close}; 0 where none is used. */
  readonly key: number;
}

/** Decides which datagrams count. */
export class Inbox {
  readonly #seal: Seal;
  readonly #wall: () => number;
  readonly #onRefusal: (refusal: Refusal, from: UdpAddress | undefined) => void;
  readonly #refused = new Map<Refusal, number>();

  /**
   * @param wall The time, in ms since 1970.
   * @param onRefusal Told of each datagram that is ignored, and who sent it.
   */
  constructor(
    seal: Seal,
    wall: () => number,
    onRefusal: (refusal: Refusal, from: UdpAddress | undefined) => void = () => {},
  ) {
    this.#seal = seal;
    this.#wall = wall;
    this.#onRefusal = onRefusal;
  }

  /** How many were ignored, by reason. */
  get refused(): ReadonlyMap<Refusal, number> {
    return this.#refused;
  }

  /**
   * The message; undefined if the datagram is to be ignored. Never throws.
   *
   * @param from Who sent it, for who is told of what is ignored.
   */
  accept(bytes: Uint8Array, from?: UdpAddress): Accepted | undefined {
    const judged = this.#judge(bytes);
    if (typeof judged !== "string") return judged;
    this.#refused.set(judged, (this.#refused.get(judged) ?? 0) + 1);
    this.#onRefusal(judged, from);
    return undefined;
  }

  #judge(bytes: Uint8Array): Accepted | Refusal {
    const decoded = decodeDatagram(bytes);
    if (typeof decoded === "string") return decoded;
    const { message, body, tag } = decoded;
    if (!this.#seal.keyed) {
      // Without a key anybody can write any time, so the time proves nothing and may be wrong.
      return tag ? "keyed" : { message, key: 0 };
    }
    if (!tag) return "keyless";
    const key = this.#seal.check(body, tag);
    if (key === undefined) return "unauthentic";
    if (Math.abs(this.#wall() - message.sentAt) > MAX_SKEW_MS) return "stale";
    return { message, key };
  }
}

/** The counts in words, for the end of an error message: empty if nothing was ignored. */
export function describeRefused(refused: ReadonlyMap<Refusal, number>): string {
  const parts = [...refused].map(([refusal, count]) =>
    `${count} datagram${count === 1 ? " that was" : "s that were"} ${explainRefusal(refusal)}`
  );
  return parts.length === 0 ? "" : `ignored: ${parts.join(", ")}`;
}
