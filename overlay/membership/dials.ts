/**
 * Dials under way, and what each is for. Several wishes for the same server share one dial.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Link } from "./link_set.ts";

/** What a connection is wanted for. Slots stand for servers. */
export type Intent =
  /** Take part in the circuit of a seed. */
  | { readonly kind: "join" }
  /** Agree on a link; `vital` to replace one that closed or to join two sides. */
  | { readonly kind: "link"; readonly vital: boolean }
  /** Take over the edge that the target has with `replaces`, then drop the one with `drop`. */
  | {
    readonly kind: "takeover";
    readonly replaces: number;
    readonly drop: number;
  }
  /** Offer the edge with `mine` for one of the target's. */
  | { readonly kind: "swap"; readonly mine: number }
  /** See whether it lives. */
  | { readonly kind: "probe" }
  /** See whether a dead one is back. */
  | { readonly kind: "heal" };

/** A dial under way. */
export interface Dial {
  /** As in the dial output. */
  readonly address: string;
  /** The server dialled; −1 for a seed, as long as it is not known which server that is. */
  slot: number;
  /** What it is for. */
  readonly intents: Intent[];
  /** When it began. */
  readonly since: number;
}

/** A dial of which the driver says nothing for this long is forgotten, in ms. */
const FORGET_MS = 10_000;
/** Most dials under way at once. */
export const MAX_DIALS = 64;

/** The dials under way. */
export class Dials {
  /** Begins an intent on a connection that is up. */
  begin: (link: Link, intent: Intent) => void = () => {};
  readonly #context: Context;
  readonly #byAddress = new Map<string, Dial>();

  /** No dials yet. */
  constructor(context: Context) {
    this.#context = context;
  }

  /** Dials under way that include an intent that `fits`. */
  count(fits: (intent: Intent) => boolean): number {
    let count = 0;
    for (const dial of this.#byAddress.values()) {
      if (dial.intents.some(fits)) count++;
    }
    return count;
  }

  /** True while this server is being dialled. */
  dialling(slot: number): boolean {
    return this.#byAddress.has(this.#context.directory.member(slot).address);
  }

  /** Begins something with a server, on a connection that there is or by dialling. */
  start(slot: number, intent: Intent): void {
    const contact = this.#context.links.contactWith(slot);
    if (contact) this.begin(contact, intent);
    else this.dial(slot, intent);
  }

  /** Begins something with a server by dialling, whatever connection there is. */
  dial(slot: number, intent: Intent): void {
    const { id, address } = this.#context.directory.member(slot);
    this.#dialAddress(address, slot, intent, id);
  }

  /** Dials a seed. */
  startSeed(address: string): void {
    this.#dialAddress(address, -1, { kind: "join" }, undefined);
  }

  /** The dial that led to this connection. */
  arrived(slot: number, address: string | undefined): Dial | undefined {
    const expected = this.#context.directory.member(slot).address;
    return this.#take(expected) ??
      (address === undefined ? this.#takeAnySeed() : this.#take(address));
  }

  /** The dial that came to nothing. */
  failed(address: string): Dial | undefined {
    return this.#take(address);
  }

  /** Forgets dials that the driver never answered. */
  expire(): void {
    for (const [address, dial] of this.#byAddress) {
      if (this.#context.now - dial.since < FORGET_MS) break;
      this.#byAddress.delete(address);
    }
  }

  #dialAddress(
    address: string,
    slot: number,
    intent: Intent,
    id: string | undefined,
  ): void {
    const dial = this.#byAddress.get(address);
    if (dial) {
      if (dial.slot < 0) dial.slot = slot;
      if (!dial.intents.some((i) => i.kind === intent.kind)) {
        dial.intents.push(intent);
      }
      return;
    }
    this.expire();
    if (this.#byAddress.size >= MAX_DIALS) return;
    const since = this.#context.now;
    this.#byAddress.set(address, { address, slot, intents: [intent], since });
    this.#context.counters.dials++;
    this.#context.emit(
      id === undefined ? { type: "dial", address } : { type: "dial", address, id },
    );
  }

  #take(address: string): Dial | undefined {
    const dial = this.#byAddress.get(address);
    this.#byAddress.delete(address);
    return dial;
  }

  #takeAnySeed(): Dial | undefined {
    for (const dial of this.#byAddress.values()) {
      if (dial.slot < 0) return this.#take(dial.address);
    }
    return undefined;
  }
}
