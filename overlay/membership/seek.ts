/**
 * Looking for links: at once while there are too few, at leisure for the last one; with pauses
 * that grow and have jitter while tries fail. Surplus links go where both ends have them.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Dials, Intent } from "./dials.ts";
import type { Edges } from "./edges.ts";
import { REASON } from "./wire.ts";

/** Most servers that are shunned at a time. */
const MAX_SHUNNED = 256;

/** Keeps the number of links right. */
export class Seeker {
  readonly #context: Context;
  readonly #dials: Dials;
  readonly #edges: Edges;
  /** Servers not to ask for a while, and until when. */
  readonly #shunned = new Map<number, number>();
  #seekAt = Infinity;
  #surplusAt: number;
  #failures = 0;

  /** A seeker that begins when the first server is heard of. */
  constructor(context: Context, dials: Dials, edges: Edges) {
    this.#context = context;
    this.#dials = dials;
    this.#edges = edges;
    this.#surplusAt = this.#nextSurplus();
  }

  /** When {@linkcode tick} has something to do. */
  get wakeAt(): number {
    return Math.min(this.#seekAt, this.#surplusAt);
  }

  /** Tries for links, drops surplus ones. */
  tick(): void {
    const { now } = this.#context;
    if (this.#surplusAt <= now) {
      this.#surplusAt = this.#nextSurplus();
      this.#dropSurplus();
    }
    if (this.#seekAt <= now) this.#seek();
  }

  /** Links or members changed. */
  changed(failed: boolean): void {
    const { now, tuning } = this.#context;
    if (this.#lacking <= 0) {
      this.#seekAt = Infinity;
      this.#failures = 0;
      return;
    }
    let pause = 0;
    if (failed) {
      this.#failures++;
      const grown = tuning.seekMinMs * 2 ** Math.min(this.#failures, 8);
      pause = this.#context.jitter(Math.min(grown, tuning.seekMaxMs));
    }
    if (this.#atLeisure) pause = this.#context.jitter(tuning.seekSlowMs);
    this.#seekAt = Math.min(this.#seekAt, now + pause);
  }

  /** Does not ask this server for a while. */
  shun(slot: number): void {
    const { now, tuning } = this.#context;
    if (this.#shunned.size >= MAX_SHUNNED) {
      for (const oldest of this.#shunned.keys()) {
        this.#shunned.delete(oldest);
        break;
      }
    }
    this.#shunned.set(slot, now + tuning.shunMs);
  }

  /** Links that are lacking; those whose peers are silent do not count. */
  get #lacking(): number {
    return this.#edges.desired - this.#context.links.heard;
  }

  /** Dials and requests for links that are under way. */
  get #busy(): number {
    const { contacts } = this.#context.links;
    return this.#dials.count(wantsLink) + contacts.filter((link) => link.request).length;
  }

  #seek(): void {
    this.#seekAt = Infinity;
    const { settled, joining, now, tuning } = this.#context;
    // A newcomer's first link is made by its seed's hello; until then it knows too few.
    if (!settled || joining) return;
    const lacking = this.#lacking;
    if (lacking <= 0) return;
    const asked = new Set<number>();
    for (let tries = Math.min(lacking, this.#atOnce) - this.#busy; tries > 0; tries--) {
      const slot = this.#candidate(asked);
      if (slot < 0) break;
      asked.add(slot);
      this.#dials.start(slot, { kind: "link", vital: false });
    }
    // A look again later, whether or not an answer comes.
    this.#seekAt = now + this.#context.jitter(tuning.seekMaxMs);
  }

  /**
   * Tries at once: one at leisure; the fewer links are left, the more, since after a mass failure
   * most of those listed are dead, and each of their hosts may take a whole time-out to say so.
   */
  get #atOnce(): number {
    const { links, tuning } = this.#context;
    if (links.heard === 0 && links.degree > 0) return tuning.seekCutOff;
    if (this.#atLeisure) return 1;
    return links.heard * 2 < tuning.lowDegree ? 2 * tuning.seekAtOnce : tuning.seekAtOnce;
  }

  get #atLeisure(): boolean {
    const { links, list, tuning } = this.#context;
    return links.heard >= Math.min(tuning.lowDegree, list.alive - 1);
  }

  #candidate(asked: ReadonlySet<number>): number {
    const { list, links, random, self, now } = this.#context;
    const free = (slot: number) =>
      slot !== self && !asked.has(slot) && !links.agreedWith(slot) &&
      !this.#dials.dialling(slot) &&
      !links.contacts.some((l) => l.slot === slot && l.request);
    const slot = list.randomListed(
      random,
      (s) => free(s) && (this.#shunned.get(s) ?? 0) <= now,
    );
    return slot >= 0 || list.alive > 64 ? slot : list.randomListed(random, free);
  }

  #nextSurplus(): number {
    const context = this.#context;
    return context.beatAfter(context.now + context.jitter(context.tuning.surplusMs));
  }

  /** Drops a link where this server and its peer both have more than they want. */
  #dropSurplus(): void {
    const { links, now, tuning } = this.#context;
    const { desired } = this.#edges;
    if (links.degree <= desired) return;
    const link = this.#edges.pick((l) =>
      l.peerDegree > desired && l.firmUntil <= now &&
      l.peer.id > this.#context.me.id
    );
    if (link) {
      this.#context.close(link, REASON.surplus);
      return;
    }
    const poor = this.#edges.pick((l) => l.peerDegree > 0 && l.peerDegree < desired);
    if (!poor) return;
    const rich = this.#edges.pick((l) => l !== poor);
    if (!rich) return;
    rich.lockedUntil = now + tuning.lockMs;
    this.#edges.handOver(poor, rich.slot, this.#context.self, false);
  }
}

function wantsLink(intent: Intent): boolean {
  return intent.kind === "link" || intent.kind === "takeover";
}
