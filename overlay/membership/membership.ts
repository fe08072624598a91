/**
 * The state machine: takes what happened, hands it to the part that it concerns, returns what to do.
 *
 * @module
 */

import { AntiEntropy } from "./anti_entropy.ts";
import { Context, type Telling } from "./context.ts";
import { Detector } from "./detector.ts";
import { type Dial, Dials, type Intent } from "./dials.ts";
import { Edges } from "./edges.ts";
import { Healer } from "./healing.ts";
import { Link } from "./link_set.ts";
import { Prober } from "./probe.ts";
import { RECORD_BYTES, type RecordReader, writeRecord } from "./records.ts";
import { Seeker } from "./seek.ts";
import {
  ALIVE,
  isListed,
  isStanding,
  LEFT,
  standing,
  statusOf,
  SUPERSEDED,
  SUSPECT,
  UNKNOWN,
} from "./standing.ts";
import type { Standing } from "./standing.ts";
import { slotsOf, Storm } from "./storm.ts";
import { Swapper } from "./swap.ts";
import type {
  Input,
  LinkId,
  Member,
  MembershipOptions,
  MembershipStatus,
  Output,
} from "./types.ts";
import { decode, encodeHello, FRAME, REASON } from "./wire.ts";
import type { Hello, Message, Records } from "./wire.ts";

/** Tombstones are swept so many times in their lives. */
const SWEEPS = 24;
/** A newcomer keeps its first contact for this long after the snapshot, in ms. */
const FAREWELL_MS = 1000;

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
  readonly #antiEntropy: AntiEntropy;
  readonly #prober: Prober;
  readonly #healer: Healer;
  readonly #storm: Storm;
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
    this.#dials = new Dials(context);
    this.#detector = new Detector(context, this.#dials);
    this.#edges = new Edges(context, this.#dials, this.#detector);
    this.#seeker = new Seeker(context, this.#dials, this.#edges);
    this.#swapper = new Swapper(context, this.#dials, this.#edges);
    this.#antiEntropy = new AntiEntropy(context);
    this.#prober = new Prober(context, this.#dials);
    this.#healer = new Healer(context, this.#dials, this.#swapper);
    this.#storm = new Storm(context);
    this.#sweepAt = context.now + context.tuning.tombstoneMs / SWEEPS;
    context.onChange = (slot, old, next, telling) => this.#changed(slot, old, next, telling);
    context.onLinkGone = (link) => this.#linkGone(link);
    this.#dials.begin = (link, intent) => this.#begin(link, intent);
    this.#detector.onSilence = () => this.#seeker.changed(false);
    this.#edges.onChange = (failed) => this.#seeker.changed(failed);
    this.#antiEntropy.onRift = (link) => this.#healer.raise(link, undefined);
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
        return this.#message(input.link, input.bytes);
      case "link-up":
        return this.#linkUp(input);
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
      list.sweep(SWEEPS);
    }
  }

  #linkUp(input: Input & { type: "link-up" }): void {
    const { directory, self, now, awake, tuning, links } = this.#context;
    const slot = directory.intern(input.peer);
    if (slot < 0 || slot === self) {
      this.#context.emit({ type: "close", link: input.link });
      return;
    }
    directory.retain(slot);
    const peer = directory.member(slot);
    const keep = now + tuning.contactMs * (input.dialled ? 1 : 1.5);
    const link = new Link(
      input.link,
      slot,
      peer,
      input.dialled,
      now,
      awake,
      keep,
    );
    links.add(link);
    this.#supersede(slot);
    if (!input.dialled) return;
    const dial = this.#dials.arrived(slot, input.address);
    // What the driver dialled of its own accord is a join.
    link.intents = dial?.intents ?? [{ kind: "join" }];
    const searching = link.intents.some(isSearch);
    link.asked = searching && this.#context.alone;
    this.#sendHello(link, searching && !link.asked);
    for (const intent of link.intents) this.#begin(link, intent);
  }

  #linkDown(id: LinkId): void {
    const link = this.#context.links.get(id);
    if (!link) return;
    this.#context.gone(link);
    if (link.agreed) this.#detector.closed(link);
  }

  /** A connection is no more, whoever closed it. */
  #linkGone(link: Link): void {
    this.#storm.done(link);
    if (link.asked) this.#context.joiningUntil = 0;
    this.#seeker.changed(link.request !== undefined);
  }

  #dialFailed(dial: Dial, reason: "refused" | "unreachable" | "superseded") {
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

  #begin(link: Link, intent: Intent): void {
    switch (intent.kind) {
      case "link":
      case "takeover":
      case "swap":
        return this.#edges.request(link, intent);
      case "probe":
      case "heal":
      case "join":
        return; // The hello is all that is needed to begin with.
    }
  }

  #message(id: LinkId, bytes: Uint8Array): void {
    const link = this.#context.links.get(id);
    if (!link) return;
    this.#detector.heard(link);
    const message = decode(bytes);
    if (!message) return this.#malformed(link);
    this.#receive(link, message);
    if ("records" in message && message.records.malformed) {
      this.#malformed(link);
    }
  }

  #malformed(link: Link): void {
    this.#context.counters.badFrames++;
    this.#context.close(link, REASON.silent);
  }

  #receive(link: Link, message: Message): void {
    switch (message.type) {
      case "beat":
        return this.#antiEntropy.beat(link, message);
      case "records":
        return this.#flooded(link, message.records);
      case "sync":
        this.#antiEntropy.learn(link, message.records, false);
        return;
      case "snapshot":
        return this.#snapshot(link, message);
      case "redirect":
        return this.#redirected(link, message.records);
      case "hello":
        return this.#hello(link, message);
      case "request":
        return this.#edges.requested(link, message);
      case "accept":
      case "refuse":
        return this.#edges.answered(link, message);
      case "handover":
        return this.#edges.handedOver(link, message);
      case "drop":
        link.agreed = false;
        return this.#context.close(link, message.reason);
      case "digest":
        return this.#antiEntropy.digest(link, message);
      case "diff":
        return this.#antiEntropy.diff(link, message);
      case "veto":
        return this.#detector.veto(message, link);
      case "raise":
        this.#healer.raise(undefined, link);
        return;
      case "ready":
        return this.#storm.done(link);
    }
  }

  /** Records of a flood: what is news goes on, what is not ends here. */
  #flooded(link: Link, records: RecordReader): void {
    const { directory, list, outbox } = this.#context;
    while (records.next()) {
      const slot = records.slot(directory);
      if (slot < 0) continue;
      const said = records.standing;
      const held = list.get(slot);
      if (said === held) {
        outbox.heardFrom(slot, link.bit);
        if (statusOf(said) === SUSPECT) {
          this.#detector.repeated(slot, records.reporter(directory));
        }
      } else if (said > held && (held !== UNKNOWN || records.tailAt >= 0)) {
        const reporter = records.reporter(directory);
        this.#context.say(slot, said, { from: link, reporter });
      }
    }
  }

  #hello(link: Link, hello: Hello): void {
    const { list, self, alone } = this.#context;
    if (!isStanding(hello.incarnation, ALIVE)) return this.#malformed(link);
    const first = !link.greeted;
    link.greeted = true;
    this.#context.say(link.slot, standing(hello.incarnation, ALIVE), {
      from: link,
    });
    if (hello.held > list.get(self) && this.#context.defend(hello.held)) {
      if (link.dialled) this.#sendSelf(link);
    }
    if (!first) return;
    if (!link.dialled) this.#sendHello(link, false, alone);
    if (hello.alone && !alone) return this.#storm.serve(link);
    if (link.dialled) this.#greeted(link, hello);
  }

  /** The server that was dialled said hello. */
  #greeted(link: Link, hello: Hello): void {
    const { list, now, tuning, links } = this.#context;
    const same = hello.hashA === list.hashA && hello.hashB === list.hashB;
    if (link.asked && !hello.alone) {
      this.#context.joiningUntil = now + tuning.requestMs;
      return;
    }
    if (link.intents.some(isSearch)) {
      if (!same && !link.asked) this.#antiEntropy.start(link, true);
      if (!same || link.asked) {
        this.#edges.request(link, { kind: "link", vital: true });
        return;
      }
    } else if (!same && link.intents.some((i) => i.kind === "probe")) {
      if (this.#antiEntropy.probed(link)) return;
    }
    if (!link.request && !link.agreed && links.get(link.id)) {
      this.#context.close(link, REASON.full);
    }
  }

  #snapshot(link: Link, snapshot: Records): void {
    const { directory, now, counters } = this.#context;
    if (!link.asked) {
      this.#antiEntropy.learn(link, snapshot.records, false);
      this.#context.settled = true;
      return this.#seeker.changed(false);
    }
    const { records } = snapshot;
    while (records.next()) {
      const slot = records.slot(directory);
      if (slot < 0) continue;
      this.#context.say(slot, records.standing, { from: link, spread: false });
    }
    if (!snapshot.last || records.malformed) return;
    counters.snapshotsTaken++;
    link.asked = false;
    this.#context.settled = true;
    link.keepUntil = now + FAREWELL_MS;
    this.#context.joiningUntil = 0;
    this.#context.send(link, Uint8Array.of(FRAME.READY));
    this.#seeker.changed(false);
    this.#healer.joined();
  }

  /** The seed is busy and names others. */
  #redirected(link: Link, records: RecordReader): void {
    const slots = slotsOf(this.#context, records);
    const wanted = link.asked;
    this.#context.close(link, REASON.full);
    const slot = slots[Math.floor(this.#context.random() * slots.length)];
    if (wanted && slot !== undefined) {
      this.#dials.start(slot, { kind: "join" });
    }
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

  /** Whoever was at the peer's address before is no more. */
  #supersede(slot: number): void {
    const { directory, list } = this.#context;
    for (const other of directory.atPlace(directory.member(slot).address)) {
      const s = list.get(other);
      if (other === slot || !isListed(s)) continue;
      this.#context.say(other, standing(s >> 3, SUPERSEDED));
    }
  }

  #sendHello(link: Link, heal: boolean, alone = this.#context.alone): void {
    const { list, incarnation } = this.#context;
    this.#context.send(
      link,
      encodeHello({
        alone,
        heal,
        incarnation,
        held: list.get(link.slot),
        alive: list.alive,
        hashA: list.hashA,
        hashB: list.hashB,
      }),
    );
  }

  #sendSelf(link: Link): void {
    const { directory, list, self } = this.#context;
    const frame = new Uint8Array(1 + RECORD_BYTES);
    frame[0] = FRAME.RECORDS;
    writeRecord(frame, 1, directory, self, list.get(self), false, -1);
    this.#context.send(link, frame);
  }

  #leave(): void {
    const { outbox, links, incarnation } = this.#context;
    this.#context.setSelf(standing(incarnation, LEFT), false);
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

function isSearch(intent: Intent): boolean {
  return intent.kind === "join" || intent.kind === "heal";
}
