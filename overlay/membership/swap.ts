/**
 * Random edge swaps that keep all degrees: of two edges u–v and x–y become u–x and v–y. After a
 * merge they mix the two sides; when all is quiet they undo what order of joining left behind.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Dials } from "./dials.ts";
import type { Edges } from "./edges.ts";
import type { Link } from "./link_set.ts";
import { REASON } from "./wire.ts";

/** A swap half done: the new edge is there, the old one not yet gone. */
interface HalfSwap {
  readonly link: Link;
  readonly old: Link;
  readonly undoAt: number;
}

/** Swaps edges now and then. */
export class Swapper {
  readonly #context: Context;
  readonly #dials: Dials;
  readonly #edges: Edges;
  #idleAt: number;
  #mergeAt = Infinity;
  #mergeLeft = 0;
  #half: HalfSwap | undefined;

  /** A swapper whose first swap is within one and a half idle intervals. */
  constructor(context: Context, dials: Dials, edges: Edges) {
    this.#context = context;
    this.#dials = dials;
    this.#edges = edges;
    this.#idleAt = this.#nextIdle();
    edges.onSwap = (link, mine, theirs) => this.#accepted(link, mine, theirs);
  }

  /** When {@linkcode tick} has something to do. */
  get wakeAt(): number {
    const undoAt = this.#half?.undoAt ?? Infinity;
    return Math.min(this.#idleAt, this.#mergeAt, undoAt);
  }

  /** Makes the swaps that are due. */
  tick(): void {
    const { now, tuning } = this.#context;
    if (this.#half && this.#half.undoAt <= now) this.#settle();
    if (this.#mergeAt <= now) {
      const every = tuning.mergeSwapMs / tuning.mergeSwaps;
      this.#mergeLeft--;
      this.#mergeAt = this.#mergeLeft > 0
        ? now + every * (0.5 + this.#context.random() / 2)
        : Infinity;
      this.#swap();
    }
    if (this.#idleAt <= now) {
      this.#idleAt = this.#nextIdle();
      this.#swap();
    }
  }

  #nextIdle(): number {
    const context = this.#context;
    return context.beatAfter(context.now + context.jitter(context.tuning.idleSwapMs));
  }

  /** Two sides have merged: mix them. */
  merged(): void {
    const { now, tuning, random } = this.#context;
    if (this.#mergeLeft > 0) return;
    const every = tuning.mergeSwapMs / tuning.mergeSwaps;
    this.#mergeLeft = tuning.mergeSwaps;
    this.#mergeAt = now + every * random();
  }

  #swap(): void {
    const { list, links, random, self, tuning } = this.#context;
    if (list.alive <= tuning.swapMinServers || this.#half) return;
    if (links.degree !== this.#edges.desired) return;
    const old = this.#edges.pick(() => true);
    if (!old) return;
    const with_ = list.randomListed(
      random,
      (slot) => slot !== self && !links.agreedWith(slot),
    );
    if (with_ < 0) return;
    this.#dials.start(with_, { kind: "swap", mine: old.slot });
  }

  /** The other server accepted and gives the edge with `theirs`. */
  #accepted(link: Link, mine: number, theirs: number): void {
    const { links, now, tuning } = this.#context;
    const old = links.agreedWith(mine);
    if (!old || old.lockedUntil > now || mine === theirs || this.#half) {
      this.#context.close(link, REASON.undone);
      return;
    }
    this.#edges.handOver(old, theirs, link.slot, true);
    this.#half = { link, old, undoAt: now + tuning.lockMs };
  }

  /** The neighbour had its time; if the old edge is still there, the new one goes. */
  #settle(): void {
    const { links } = this.#context;
    const half = this.#half;
    this.#half = undefined;
    if (!half || !links.get(half.old.id) || !links.get(half.link.id)) return;
    if (links.degree > this.#edges.desired) {
      this.#context.close(half.link, REASON.undone);
    }
  }
}
