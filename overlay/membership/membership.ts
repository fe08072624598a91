/**
 * The state machine: takes what happened, hands it to the part that it concerns, returns what to do.
 *
 * @module
 */

import { AntiEntropy } from "./anti_entropy.ts";
import { Context, type Telling } from "./context.ts";
import { Detector } from "./detector.ts";
import { type Dial, Dials } from "./dials.ts";
import { Edges } from "./edges.ts";
import { Healer } from "./healing.ts";
import { Greeter } from "./greeting.ts";
import type { Link } from "./link_set.ts";
import { Prober } from "./probe.ts";
import { Receiver } from "./receiver.ts";
import { Seeker } from "./seek.ts";
import { isListed, LEFT, standing, statusOf } from "./standing.ts";
import type { Standing } from "./standing.ts";
import { Storm } from "./storm.ts";
import { Swapper } from "./swap.ts";
import type {
  DialFailure,
  Input,
  LinkId,
  Member,
  MembershipOptions,
  MembershipStatus,
  Output,
} from "./types.ts";
import { FRAME, REASON } from "./wire.ts";

/** Tombstones are swept so many times in their lives, and go with the sweep after that. */
const SWEEPS = 24;

/**
 * Who is in the circuit, as one server sees it.
 *
 * - No I/O, no clock, no timers, no randomness of its own: the same inputs give the same outputs.
 * - Every server is listed at most once; `joined` and `left` alternate for it.
 * - The outputs of one call are to be carried out in order.
 * - Nothing that a peer sends makes {@linkcode handle} throw; a peer that sends what can't be
 *   understood loses its link.
 *
 * @example Drive it
 * ```ts
 * import { Membership } from "./membership.ts";
 *
 * const self = {
 *   id: "X00000000000000aa",
 *   address: "circuit://127.0.0.1:1001/7/Q00000000000000aa",
 * };
 * const membership = new Membership(self, { now: 0, random: () => 0.5 });
 * const outputs = membership.handle(
 *   { type: "join", address: "127.0.0.1:1002" },
 *   0,
 * );
 * console.assert(outputs[0]?.type === "dial");
 * console.assert(membership.members().length === 1);
 * ```
 */
export class Membership {
  readonly #context: Context;
  readonly #dials: Dials;
  readonly #detector: Detector;
  readonly #edges: Edges;
  readonly #seeker: Seeker;
  readonly #swapper: Swapper;
  readonly #prober: Prober;
  readonly #healer: Healer;
  readonly #storm: Storm;
  readonly #greeter: Greeter;
  readonly #receiver: Receiver;
  #sweepAt: number;
  #wakeAt: number;

  /**
   * A server that knows nobody yet.
   *
   * @param self This server, as others shall know it.
   * @param options Time and randomness; see {@linkcode MembershipOptions}.
   * @throws {CircuitError} `BAD_REQUEST` if the address is not one.
   */
  constructor(self: Member, options: MembershipOptions) {
    const context = this.#context = new Context(self, options);
    const dials = this.#dials = new Dials(context);
    const detector = this.#detector = new Detector(context, dials);
    const edges = this.#edges = new Edges(context, dials, detector);
    const seeker = this.#seeker = new Seeker(context, dials, edges);
    const swapper = this.#swapper = new Swapper(context, dials, edges);
    const healer = this.#healer = new Healer(context, dials, swapper);
    const storm = this.#storm = new Storm(context);
    const antiEntropy = new AntiEntropy(context);
    this.#prober = new Prober(context, dials);
    const parts = { dials, detector, edges, seeker, healer, storm, antiEntropy };
    const greeter = this.#greeter = new Greeter(context, parts);
    this.#receiver = new Receiver(context, { ...parts, greeter });
    this.#sweepAt = context.now + context.tuning.tombstoneMs / SWEEPS;
    context.onChange = (slot, old, next, telling) => this.#changed(slot, old, next, telling);
    context.onLinkGone = (link) => this.#linkGone(link);
    this.#detector.onSilence = () => this.#seeker.changed(false);
    this.#edges.onChange = (failed) => this.#seeker.changed(failed);
    antiEntropy.onRift = (link) => this.#healer.raise(link, undefined);
    this.#wakeAt = this.#nextWake();
  }

  /** When the next tick is due: monotonic ms, Infinity after this server has left. */
  get wakeAt(): number {
    return this.#wakeAt;
  }

  /**
   * Takes one input.
   *
   * @param now Monotonic time in ms, never less than before.
   * @returns What to do, in this order.
   */
  handle(input: Input, now: number): Output[] {
    const context = this.#context;
    if (context.leaving) return [];
    const late = now - this.#wakeAt;
    if (late > context.tuning.lagSlackMs) context.lag += late;
    context.now = now;
    context.touched = false;
    this.#dispatch(input);
    if (context.outbox.dueAt <= now) context.outbox.flush();
    // What was no news only puts deadlines off: the tick may come too early, which does no harm.
    if (input.type !== "message" || context.touched || !isRoutine(input.bytes)) {
      this.#wakeAt = this.#nextWake();
    }
    return context.takeOutputs();
  }

  /**
   * The driver measured that its event loop stood still in a way that late ticks do not show. Peers
   * get that much longer to be heard.
   *
   * @param ms How long.
   */
  loopLag(ms: number): void {
    this.#context.lag += Math.max(0, ms);
    this.#wakeAt = this.#nextWake();
  }

  /** All listed servers, this one included, by ID. */
  members(): Member[] {
    const { list, directory } = this.#context;
    const members: Member[] = [];
    for (let slot = 0; slot < list.slots; slot++) {
      if (isListed(list.get(slot))) members.push(directory.member(slot));
    }
    return members.sort((a, b) => a.id < b.id ? -1 : 1);
  }

  /** True where a server with this `X…` ID is listed. */
  has(id: string): boolean {
    const slot = this.#context.directory.findId(id);
    return slot >= 0 && this.#context.listed(slot);
  }

  /** Agreed links. */
  get degree(): number {
    return this.#context.links.degree;
  }

  /** The driver's numbers of the agreed links. */
  linkIds(): LinkId[] {
    return this.#context.links.agreed.map((link) => link.id);
  }

  /** Listed servers, this one included. */
  get size(): number {
    return this.#context.list.alive;
  }

  /** Both halves of the hash of the list in one string; equal lists have equal hashes. */
  get hash(): string {
    return this.#context.list.hashText();
  }

  /** Everything worth seeing when something is odd. */
  status(): MembershipStatus {
    const { me, list, links, awake, lag, counters, incarnation } = this.#context;
    return {
      self: me,
      incarnation,
      alive: list.alive,
      suspects: this.#detector.suspects,
      tombstones: list.known - list.alive,
      degree: links.degree,
      links: [...links.all()].map((link) => ({
        link: link.id,
        peer: link.peer,
        agreed: link.agreed,
        silentMs: awake - link.lastHeard,
      })),
      hash: list.hashText(),
      lagMs: lag,
      counters: { ...counters },
    };
  }

  #dispatch(input: Input): void {
    switch (input.type) {
      case "tick":
        return this.#tick();
      case "message":
        return this.#receiver.message(input.link, input.bytes);
      case "link-up":
        return this.#greeter.opened(input);
      case "link-down":
        return this.#linkDown(input.link);
      case "dial-failed": {
        const dial = this.#dials.failed(input.address);
        return dial && this.#dialFailed(dial, input.reason);
      }
      case "join":
        return this.#healer.join(input.address);
      case "leave":
        return this.#leave();
    }
  }

  #nextWake(): number {
    const context = this.#context;
    if (context.leaving) return Infinity;
    let at = Math.min(
      context.outbox.dueAt,
      this.#detector.wakeAt,
      this.#seeker.wakeAt,
      this.#swapper.wakeAt,
      this.#prober.wakeAt,
      this.#healer.wakeAt,
      this.#storm.wakeAt,
      this.#sweepAt,
    );
    for (const link of context.links.contacts) {
      if (link.keepUntil < at) at = link.keepUntil;
    }
    return at;
  }

  #tick(): void {
    const { now, links, list, tuning } = this.#context;
    this.#detector.tick();
    this.#seeker.tick();
    this.#swapper.tick();
    this.#prober.tick();
    this.#healer.tick();
    this.#storm.tick();
    if (links.contacts.some((link) => link.keepUntil <= now)) {
      for (const link of [...links.contacts]) {
        if (link.keepUntil <= now) this.#context.close(link, REASON.silent);
      }
    }
    if (this.#sweepAt <= now) {
      this.#sweepAt = now + tuning.tombstoneMs / SWEEPS;
      // One that was made just before a sweep has not had the whole of its first period.
      list.sweep(SWEEPS + 1);
    }
  }

  #linkDown(id: LinkId): void {
    const link = this.#context.links.get(id);
    if (!link) return;
    this.#context.gone(link);
    this.#detector.closed(link);
  }

  /** A connection is no more, whoever closed it. */
  #linkGone(link: Link): void {
    this.#storm.done(link);
    if (link.asked) this.#context.joiningUntil = 0;
    this.#seeker.changed(link.request !== undefined);
  }

  #dialFailed(dial: Dial, reason: DialFailure): void {
    const { slot } = dial;
    if (slot < 0 || dial.intents.some((i) => i.kind === "heal")) {
      this.#healer.dialFailed(dial.address, slot, reason);
    }
    if (slot < 0) return;
    if (this.#context.listed(slot)) {
      this.#seeker.shun(slot);
      this.#detector.dialFailed(slot, reason);
    }
    if (dial.intents.some((i) => i.kind === "probe")) this.#prober.failed();
    this.#seeker.changed(true);
  }

  #changed(
    slot: number,
    old: Standing,
    next: Standing,
    telling: Telling,
  ): void {
    const { links } = this.#context;
    this.#detector.changed(slot, next, telling.reporter ?? -1);
    if (isListed(next)) {
      if (isListed(old)) return;
      if (telling.spread !== false) this.#healer.gained();
    } else if (isListed(old)) {
      if (statusOf(next) !== LEFT) this.#prober.lost();
      const link = links.agreedWith(slot);
      if (link) this.#context.close(link, REASON.silent);
    }
    if (links.heard < this.#edges.desired) this.#seeker.changed(false);
  }

  #leave(): void {
    const { outbox, links, incarnation } = this.#context;
    this.#context.setSelf(standing(incarnation, LEFT), false);
    // A contact whose connection just closed would take this server for dead.
    for (const link of links.contacts) links.flood(link);
    outbox.flush();
    this.#context.leaving = true;
    for (const link of [...links.all()]) {
      links.delete(link);
      this.#context.emit({ type: "close", link: link.id });
    }
  }
}

/** True for the frames that do nothing beyond their outputs and changes in the list. */
function isRoutine(bytes: Uint8Array): boolean {
  return bytes[0] === FRAME.BEAT || bytes[0] === FRAME.RECORDS;
}
