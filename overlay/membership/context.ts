/**
 * What all parts of the protocol share: the time, the list, the links, the outbox, and the outputs
 * that are being gathered.
 *
 * @module
 */

import { Directory } from "./directory.ts";
import { type Link, LinkSet } from "./link_set.ts";
import { MemberList } from "./member_list.ts";
import { Outbox } from "./outbox.ts";
import { encodeDrop } from "./wire.ts";
import {
  ALIVE,
  incarnationOf,
  isListed,
  LEFT,
  refutation,
  standing,
  statusOf,
  SUPERSEDED,
  UNKNOWN,
} from "./standing.ts";
import type { Standing } from "./standing.ts";
import { DEFAULT_TUNING, type Tuning } from "./tuning.ts";
import type { Counters, LeaveCause, Member, MembershipOptions, Output } from "./types.ts";

/** How {@linkcode Context.say} treats a statement. */
export interface Telling {
  /** The link it came by; it is not sent back there. */
  readonly from?: Link | undefined;
  /** Slot of the server that reported a suspicion. */
  readonly reporter?: number;
  /** False where nobody else needs to hear of it; default true. */
  readonly spread?: boolean;
}

/** The state that the parts share. */
export class Context {
  /** This server. */
  readonly me: Member;
  /** This server's slot. */
  readonly self: number;
  /** The constants. */
  readonly tuning: Tuning;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** Slots of all servers. */
  readonly directory: Directory;
  /** What is said about whom. */
  readonly list: MemberList;
  /** The connections. */
  readonly links: LinkSet = new LinkSet();
  /** News to be flooded. */
  readonly outbox: Outbox;
  /** A moment at which heartbeats go out. */
  readonly #beatAt: number;
  /** Time of the input at hand. */
  now: number;
  /** Event-loop lag in ms that was forgiven so far. */
  lag = 0;
  /** When the list last changed. */
  changedAt: number;
  /** True once this server has left. */
  leaving = false;
  /** How often things were done. */
  readonly counters: Counters = {
    recordsSent: 0,
    syncRecordsSent: 0,
    snapshotsSent: 0,
    snapshotsTaken: 0,
    diffs: 0,
    suspicions: 0,
    refutations: 0,
    raises: 0,
    handovers: 0,
    badFrames: 0,
    dials: 0,
  };
  /** The input at hand changed the list, the links or a deadline, or has outputs. */
  touched = false;
  /** Told of each change in the list after it was made. */
  onChange: (
    slot: number,
    old: Standing,
    next: Standing,
    telling: Telling,
  ) => void = () => {};
  /** Told of each connection that is no more. */
  onLinkGone: (link: Link) => void = () => {};
  /** True from the first snapshot or link on. */
  settled = false;
  /** While this server waits for its first snapshot: until when. */
  joiningUntil = 0;
  #out: Output[] = [];

  /** The state of a server that knows nobody. */
  constructor(me: Member, options: MembershipOptions) {
    this.me = me;
    this.tuning = options.tuning ? { ...DEFAULT_TUNING, ...options.tuning } : DEFAULT_TUNING;
    this.random = options.random;
    this.directory = options.directory ?? new Directory();
    this.self = this.directory.intern(me);
    this.list = new MemberList(this.directory);
    this.outbox = new Outbox(this);
    this.now = options.now;
    this.#beatAt = options.beatAt ?? options.now + options.random() * this.tuning.heartbeatMs;
    this.changedAt = options.now;
    this.list.set(this.self, standing(1, ALIVE));
  }

  /** Time of the input at hand, less all forgiven lag: the time during which this server ran. */
  get awake(): number {
    return this.now - this.lag;
  }

  /** True for a newcomer, and for a server that lost all others: it takes a snapshot. */
  get alone(): boolean {
    return !this.settled || this.list.alive === 1;
  }

  /** A number around `ms`: between half of it and one and a half. */
  jitter(ms: number): number {
    return ms * (0.5 + this.random());
  }

  /**
   * The first moment after `at` at which heartbeats go out. What can wait until then costs no wake-up of
   * its own.
   */
  beatAfter(at: number): number {
    const { heartbeatMs } = this.tuning;
    return this.#beatAt + (Math.floor((at - this.#beatAt) / heartbeatMs) + 1) * heartbeatMs;
  }

  /** Adds an output. */
  emit(output: Output): void {
    this.touched = true;
    this.#out.push(output);
  }

  /** The outputs since the last call. */
  takeOutputs(): Output[] {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  /** Sends one frame. */
  send(link: Link, bytes: Uint8Array): void {
    this.touched = true;
    this.#out.push({ type: "send", link: link.id, bytes });
  }

  /** Closes a connection, and says so: the peer does not redial, even where the driver keeps it. */
  close(link: Link, reason: number): void {
    if (!this.links.get(link.id)) return;
    if (link.agreed || link.greeted) this.send(link, encodeDrop(reason));
    this.#out.push({ type: "close", link: link.id });
    this.gone(link);
  }

  /** A connection is no more. */
  gone(link: Link): void {
    if (!this.links.delete(link)) return;
    this.onLinkGone(link);
    this.directory.release(link.slot);
  }

  /** True while this server waits for its first snapshot. */
  get joining(): boolean {
    return this.joiningUntil > this.now;
  }

  /**
   * Takes a statement about a server. Of this and what was said before the greater holds; news goes
   * into the outbox and to the subscribers.
   *
   * @returns True if it was news.
   */
  say(slot: number, next: Standing, telling: Telling = {}): boolean {
    if (slot === this.self) return this.defend(next);
    const old = this.list.get(slot);
    if (next <= old) return false;
    this.touched = true;
    this.list.set(slot, next);
    this.changedAt = this.now;
    const was = isListed(old);
    const is = isListed(next);
    if (telling.spread !== false) {
      this.outbox.put(slot, telling.from?.bit ?? -1, is && !was);
    }
    if (is && !was) {
      this.emit({ type: "joined", member: this.directory.member(slot) });
    } else if (was && !is) {
      const member = this.directory.member(slot);
      this.emit({ type: "left", member, cause: causeOf(next) });
    }
    this.onChange(slot, old, next, telling);
    return true;
  }

  /**
   * Answers a statement about this server itself: one that is not true is refuted.
   *
   * @returns True if it had to be.
   */
  defend(said: Standing): boolean {
    if (this.leaving || said <= this.list.get(this.self)) return false;
    this.counters.refutations++;
    this.setSelf(refutation(said), true);
    return true;
  }

  /** Says something new about this server itself. */
  setSelf(next: Standing, full: boolean): void {
    this.touched = true;
    this.list.set(this.self, next);
    this.changedAt = this.now;
    this.outbox.put(this.self, -1, full);
  }

  /** This server's incarnation. */
  get incarnation(): number {
    return incarnationOf(this.list.get(this.self));
  }

  /** True for a server in the list. */
  listed(slot: number): boolean {
    const s = this.list.get(slot);
    return s !== UNKNOWN && isListed(s);
  }
}

function causeOf(s: Standing): LeaveCause {
  const status = statusOf(s);
  if (status === LEFT) return "left";
  return status === SUPERSEDED ? "superseded" : "dead";
}
