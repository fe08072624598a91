/**
 * The connections with other servers. Some are links, on which both ends agreed and along which
 * news is flooded; others are contacts that pass: a probe, a newcomer taking its snapshot.
 *
 * @module
 */

import type { Intent } from "./dials.ts";
import type { LinkId, Member } from "./types.ts";

/** Most connections to which news is flooded; one bit each in the outbox. */
export const MAX_FLOOD_TARGETS = 30;

/** One connection with another server. */
export class Link {
  /** The driver's number. */
  readonly id: LinkId;
  /** The peer's slot. */
  readonly slot: number;
  /** The peer. */
  readonly peer: Member;
  /** True where this server dialled. */
  readonly dialled: boolean;
  /** When the connection came up. */
  readonly openedAt: number;
  /** True once both ends agreed that this is a link. */
  agreed = false;
  /** It is not dropped as surplus before this time. */
  firmUntil = 0;
  /** Position among the flood targets, or −1. */
  bit = -1;
  /** True once the peer's hello came. */
  greeted = false;
  /** A contact is closed at this time. */
  keepUntil: number;
  /** What the request under way on this connection is for. */
  request: Intent | undefined;
  /** What a connection was dialled for; dealt with at the peer's hello. */
  intents: readonly Intent[] = [];
  /** True where this server asked for a snapshot. */
  asked = false;
  /** True while the peer is a newcomer that takes a snapshot from here. */
  joiner = false;
  /** Awake time (see `Context.awake`) at which something was last heard. */
  lastHeard: number;
  /** True once this server reported the peer as silent; changed by {@linkcode LinkSet.report}. */
  reported = false;
  /** The edge is being handed over; leave it alone until then. */
  lockedUntil = 0;
  /** Since when the peer's hash differs; 0 while it does not. */
  differSince = 0;
  /** Links of the peer, from its heartbeat. */
  peerDegree = 0;

  /** A connection that has just come up. */
  constructor(
    id: LinkId,
    slot: number,
    peer: Member,
    dialled: boolean,
    now: number,
    awake: number,
    keepUntil: number,
  ) {
    this.id = id;
    this.slot = slot;
    this.peer = peer;
    this.dialled = dialled;
    this.openedAt = now;
    this.lastHeard = awake;
    this.keepUntil = keepUntil;
  }
}

/** All connections of one server. */
export class LinkSet {
  /** The agreed links. */
  readonly agreed: Link[] = [];
  /** Links and newcomers: all to whom news is flooded. */
  readonly flooded: Link[] = [];
  /** The rest. */
  readonly contacts: Link[] = [];
  readonly #byId = new Map<LinkId, Link>();
  /** Slots of the agreed links, in the same order: each record that comes in is looked up here. */
  readonly #agreedSlots: number[] = [];
  /** Their numbers, in the same order: nearly each frame that comes in is for one of them. */
  readonly #agreedIds: LinkId[] = [];
  /** Agreed links whose peers are silent. */
  #silent = 0;
  #bits = 0;

  /** Agreed links. */
  get degree(): number {
    return this.agreed.length;
  }

  /** The connection with this number. */
  get(id: LinkId): Link | undefined {
    const i = this.#agreedIds.indexOf(id);
    return i < 0 ? this.#byId.get(id) : this.agreed[i];
  }

  /** All connections. */
  all(): IterableIterator<Link> {
    return this.#byId.values();
  }

  /** Agreed links whose peers are not silent. */
  get heard(): number {
    return this.agreed.length - this.#silent;
  }

  /** The agreed link with a server. */
  agreedWith(slot: number): Link | undefined {
    const i = this.#agreedSlots.indexOf(slot);
    return i < 0 ? undefined : this.agreed[i];
  }

  /** True where there is a connection of any kind with a server. */
  isConnected(slot: number): boolean {
    return this.#agreedSlots.includes(slot) || this.contacts.some((link) => link.slot === slot);
  }

  /** Notes whether the peer of a link is silent. */
  report(link: Link, silent: boolean): void {
    if (link.reported === silent) return;
    link.reported = silent;
    if (link.agreed) this.#silent += silent ? 1 : -1;
  }

  /** A contact with a server that is free for a request. */
  contactWith(slot: number): Link | undefined {
    for (const link of this.contacts) {
      if (link.slot === slot && link.greeted && !link.request) return link;
    }
    return undefined;
  }

  /** Takes in a new connection, as a contact. */
  add(link: Link): void {
    this.#byId.set(link.id, link);
    this.contacts.push(link);
  }

  /** Makes a contact a link. */
  agree(link: Link): void {
    if (link.agreed) return;
    link.agreed = true;
    remove(this.contacts, link);
    this.agreed.push(link);
    this.#agreedSlots.push(link.slot);
    this.#agreedIds.push(link.id);
    if (link.reported) this.#silent++;
    this.flood(link);
  }

  /** Adds a connection to the flood targets; false where there is no room. */
  flood(link: Link): boolean {
    if (link.bit >= 0) return true;
    if (this.flooded.length >= MAX_FLOOD_TARGETS) return false;
    let bit = 0;
    while (this.#bits & (1 << bit)) bit++;
    this.#bits |= 1 << bit;
    link.bit = bit;
    this.flooded.push(link);
    return true;
  }

  /** Takes a connection out; true where it was there. */
  delete(link: Link): boolean {
    if (!this.#byId.delete(link.id)) return false;
    remove(this.contacts, link);
    const i = remove(this.agreed, link);
    if (i >= 0) {
      this.#agreedSlots.splice(i, 1);
      this.#agreedIds.splice(i, 1);
      if (link.reported) this.#silent--;
    }
    remove(this.flooded, link);
    if (link.bit >= 0) this.#bits &= ~(1 << link.bit);
    link.bit = -1;
    return true;
  }
}

/** Takes a link out of an array; returns where it was, or −1. */
function remove(links: Link[], link: Link): number {
  const i = links.indexOf(link);
  if (i >= 0) links.splice(i, 1);
  return i;
}
