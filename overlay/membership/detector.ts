/**
 * The failure detector: heartbeats, silence, suspicion, veto and death.
 *
 * All of its deadlines are in awake time, which stands still while this server itself does not run.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Dials } from "./dials.ts";
import type { Link } from "./link_set.ts";
import {
  ALIVE,
  DEAD,
  incarnationOf,
  isListed,
  standing,
  statusOf,
  SUPERSEDED,
  SUSPECT,
} from "./standing.ts";
import type { Standing } from "./standing.ts";
import type { DialFailure } from "./types.ts";
import { encodeBeat, REASON } from "./wire.ts";
import { confirmAt } from "./confirm.ts";
import { Suspicions } from "./suspicions.ts";

/** Keeps a wake-up from coming a rounding error too early, in ms. */
const ROUNDING_MS = 0.01;

/** Watches the neighbours, and judges suspects. */
export class Detector {
  /** A link fell silent. */
  onSilence: () => void = () => {};
  readonly #context: Context;
  readonly #dials: Dials;
  readonly #suspicions = new Suspicions();
  /** Awake time at which a server whose connection closed becomes a suspect, if nothing is heard. */
  readonly #lost = new Map<number, number>();
  /** No suspicion becomes a death before this awake time. */
  #judgeAt = Infinity;
  /** When the next heartbeat goes out, on all links at once. */
  #beatAt = Infinity;
  /** No link counts as silent before this awake time: what is heard later only puts it off. */
  #silentAt = Infinity;

  /** A detector with nobody under suspicion. */
  constructor(context: Context, dials: Dials) {
    this.#context = context;
    this.#dials = dials;
    context.outbox.reporterOf = (slot) => this.#suspicions.firstReporter(slot);
  }

  /** Servers under suspicion. */
  get suspects(): number {
    return this.#suspicions.size;
  }

  /** When {@linkcode tick} has something to do. */
  get wakeAt(): number {
    const { lag, now } = this.#context;
    let at = Math.min(this.#silentAt, this.#judgeAt);
    if (this.#lost.size > 0) {
      for (const deadline of this.#lost.values()) at = Math.min(at, deadline);
    }
    return Math.max(now, Math.min(this.#beatAt, at + lag + ROUNDING_MS));
  }

  /** Sends heartbeats and moves on what has become due. */
  tick(): void {
    const { now, awake } = this.#context;
    if (this.#beatAt <= now || this.#silentAt <= awake) this.#look();
    if (this.#lost.size > 0) this.#giveUpLost();
    if (this.#judgeAt <= awake) this.#judge();
  }

  /** Are heartbeats due, did a neighbour or a newcomer fall silent? */
  #look(): void {
    const { now, awake, links, tuning } = this.#context;
    if (this.#beatAt <= now) this.#beat();
    let heard = Infinity;
    for (const link of links.all()) {
      if (link.reported || !(link.agreed || link.bit >= 0)) continue;
      if (awake - link.lastHeard < tuning.silenceMs) {
        heard = Math.min(heard, link.lastHeard);
        continue;
      }
      links.report(link, true);
      this.onSilence();
      // A newcomer with a slow line may be busy with a long snapshot: it answers a dial.
      if (link.joiner && !link.agreed) this.#dials.dial(link.slot, { kind: "probe" });
      else this.report(link.slot);
    }
    this.#silentAt = heard + tuning.silenceMs;
  }

  /** A link was agreed. Its heartbeats go out together with those of all other links. */
  watch(link: Link): void {
    const { now, awake, links, tuning } = this.#context;
    this.#beatAt = Math.min(this.#beatAt, this.#context.beatAfter(now));
    link.lastHeard = awake;
    links.report(link, false);
    this.#silentAt = Math.min(this.#silentAt, awake + tuning.silenceMs);
  }

  /** Something came in on a connection. */
  heard(link: Link): void {
    const { awake, links, tuning } = this.#context;
    link.lastHeard = awake;
    if (this.#lost.size > 0) this.#lost.delete(link.slot);
    if (!link.reported) return;
    links.report(link, false);
    this.#silentAt = Math.min(this.#silentAt, awake + tuning.silenceMs);
  }

  /**
   * A connection closed without a word: redial once. That holds for a contact, too: a newcomer that dies
   * before it has a link has no other connection that tells of it.
   */
  closed(link: Link): void {
    const { awake, links, tuning } = this.#context;
    const { slot, agreed, lastHeard } = link;
    if (!this.#context.listed(slot)) return;
    if (!agreed) {
      // If it is dead, its other connection closes as well.
      if (links.isConnected(slot)) return;
      // This was the redial.
      if (!this.#dials.dialling(slot) && this.#lost.delete(slot)) return this.report(slot);
    }
    // A contact has no heartbeats, so its silence so far says nothing.
    this.#lost.set(slot, (agreed ? lastHeard : awake) + tuning.silenceMs);
    this.#dials.dial(slot, agreed ? { kind: "link", vital: true } : { kind: "probe" });
  }

  /** A dial to a listed server failed. */
  dialFailed(slot: number, reason: DialFailure): void {
    const { list } = this.#context;
    const wasConnected = this.#lost.delete(slot);
    const s = list.get(slot);
    if (!isListed(s)) return;
    if (reason === "superseded") {
      this.#context.say(slot, standing(incarnationOf(s), SUPERSEDED));
    } else if (reason === "refused" && wasConnected) {
      this.#context.say(slot, standing(incarnationOf(s), DEAD));
    } else {
      this.report(slot);
    }
  }

  /** This server itself has reason to think that another is dead. */
  report(slot: number): void {
    const { list, self, counters } = this.#context;
    const s = list.get(slot);
    if (!isListed(s) || slot === self) return;
    counters.suspicions++;
    if (statusOf(s) === ALIVE) {
      const suspicion = standing(incarnationOf(s), SUSPECT);
      this.#context.say(slot, suspicion, { reporter: self });
    } else {
      this.#second(slot, self);
    }
  }

  /** The same suspicion came again, perhaps from another reporter. */
  repeated(slot: number, reporter: number): void {
    if (reporter >= 0) this.#second(slot, reporter);
  }

  /** The list changed; keeps the suspicions in step. */
  changed(slot: number, next: Standing, reporter: number): void {
    if (this.#suspicions.size > 0) this.#suspicions.delete(slot);
    if (statusOf(next) === SUSPECT) this.#suspect(slot, reporter);
    if (this.#lost.size > 0 && !isListed(next)) this.#lost.delete(slot);
    const link = this.#context.links.agreedWith(slot);
    if (link?.reported && statusOf(next) === ALIVE) {
      // It lives, and still says nothing here: the way between the two is broken.
      this.#context.close(link, REASON.silent);
    }
  }

  /** A neighbour of the suspect says that it heard it lately. */
  vetoed(slot: number, from: Link): void {
    if (this.#suspicions.has(slot) && !this.#suspicions.isHeld(slot)) this.#hold(slot, from);
  }

  #giveUpLost(): void {
    for (const [slot, deadline] of this.#lost) {
      if (deadline > this.#context.awake) continue;
      this.#lost.delete(slot);
      this.report(slot);
    }
  }

  #judge(): void {
    const { awake, list } = this.#context;
    this.#judgeAt = Infinity;
    // From the last on: who is declared dead makes room for one that was looked at already.
    for (let i = this.#suspicions.size - 1; i >= 0; i--) {
      const slot = this.#suspicions.at(i);
      const deadline = this.#deadline(slot);
      if (deadline > awake) this.#judgeAt = Math.min(this.#judgeAt, deadline);
      else this.#context.say(slot, standing(incarnationOf(list.get(slot)), DEAD));
    }
  }

  #suspect(slot: number, first: number): void {
    const { awake, self, tuning, links } = this.#context;
    this.#suspicions.add(slot, awake, first, first === self);
    this.#judgeAt = Math.min(this.#judgeAt, this.#confirmAt(slot));
    const link = links.agreedWith(slot);
    if (!link) return;
    if (link.reported) this.#second(slot, self);
    else if (awake - link.lastHeard < tuning.vetoFreshMs) this.#hold(slot, undefined);
  }

  #second(slot: number, reporter: number): void {
    const mine = reporter === this.#context.self;
    if (!this.#suspicions.reported(slot, reporter, mine)) return;
    this.#context.touched = true;
    this.#judgeAt = Math.min(this.#judgeAt, this.#confirmAt(slot));
  }

  /** When a suspect is to be declared dead, by what was reported. */
  #confirmAt(slot: number): number {
    return confirmAt(this.#context.tuning, this.#suspicions.evidence(slot));
  }

  #deadline(slot: number): number {
    const { tuning, links } = this.#context;
    const at = this.#confirmAt(slot);
    // Whoever hears the suspect itself does not declare it dead.
    const link = links.agreedWith(slot);
    return link ? Math.max(at, link.lastHeard + tuning.vetoFreshMs) : at;
  }

  /** A heartbeat on each link; those that this server slept through are left out. */
  #beat(): void {
    const { now, tuning: { heartbeatMs }, list: { hashA, hashB }, links } = this.#context;
    const late = Math.floor((now - this.#beatAt) / heartbeatMs);
    this.#beatAt = links.degree > 0 ? this.#beatAt + (late + 1) * heartbeatMs : Infinity;
    const frame = encodeBeat({ hashA, hashB, degree: links.degree });
    for (const link of links.agreed) this.#context.send(link, frame);
  }

  /** Puts a death off, and asks all others to do so, too. */
  #hold(slot: number, from: Link | undefined): void {
    const { awake, tuning, outbox } = this.#context;
    this.#suspicions.hold(slot, awake + tuning.vetoHoldMs);
    outbox.veto(slot, from?.bit ?? -1);
  }
}
