/**
 * Which connections become links. A server below the target accepts; at the target it splits one
 * of its edges (v–z becomes v–x–z) or, where x wants one link only, gives away an edge that it has
 * too many. So the number of links stays even everywhere however servers come.
 *
 * @module
 */

import type { Context } from "./context.ts";
import type { Detector } from "./detector.ts";
import type { Dials, Intent } from "./dials.ts";
import type { Link } from "./link_set.ts";
import { recordBytes, writeId, writeRecord } from "./records.ts";
import { isListed } from "./standing.ts";
import { encodeRequest, FRAME, REASON } from "./wire.ts";
import type { Answer, Handover, Request, WireId } from "./messages.ts";

/** Agrees on links and passes edges on. */
export class Edges {
  /** A link was agreed on or ended, or a try for one failed. */
  onChange: (failed: boolean) => void = () => {};
  /** A swap was accepted: the edge with `mine` is to go. */
  onSwap: (link: Link, mine: number, theirs: number) => void = () => {};
  readonly #context: Context;
  readonly #dials: Dials;
  readonly #detector: Detector;

  /** No links yet. */
  constructor(context: Context, dials: Dials, detector: Detector) {
    this.#context = context;
    this.#dials = dials;
    this.#detector = detector;
  }

  /** Links that this server wants: the target, or all others where there are fewer. */
  get desired(): number {
    const { tuning, list } = this.#context;
    return Math.min(tuning.targetDegree, list.alive - 1);
  }

  /** Asks for a connection to become a link. */
  request(
    link: Link,
    intent: Intent & { kind: "link" | "takeover" | "swap" },
  ): void {
    const { links, tuning, now } = this.#context;
    if (links.agreedWith(link.slot) || link.request) {
      if (intent.kind === "takeover") this.onChange(true);
      return;
    }
    const lacking = this.desired - links.heard - this.#coming;
    // More are dialled than asked; who comes too late is not.
    if (intent.kind === "link" && !intent.vital && lacking <= 0) return;
    link.request = intent;
    link.keepUntil = now + tuning.requestMs;
    this.#context.send(
      link,
      encodeRequest({
        want: intent.kind === "link" && lacking >= 2 ? 2 : 1,
        vital: intent.kind === "link" && intent.vital,
        replaces: intent.kind === "takeover" ? this.#wireId(intent.replaces) : undefined,
        swap: intent.kind === "swap" ? this.#wireId(intent.mine) : undefined,
        avoid: links.agreed.map((l) => this.#wireId(l.slot)),
      }),
    );
  }

  /** Decides on a peer's request. */
  requested(link: Link, request: Request): void {
    const { links, self, directory } = this.#context;
    if (link.agreed) return this.#answer(link, true, REASON.full, -1);
    const other = links.agreedWith(link.slot);
    // Where both asked, the request of the lower ID stands.
    const crossing = links.contacts.some((l) => l.slot === link.slot && l !== link && l.request);
    if (crossing && lower(directory.idHi, directory.idLo, self, link.slot)) {
      return this.#answer(link, false, REASON.crossing, -1);
    }
    const replaced = this.#agreedWith(request.replaces);
    if (!other && !this.#hasRoom(request, replaced)) {
      const give = this.#giveable(link, request);
      const keep = give >= 0 && this.#mayKeep(request);
      return this.#answer(link, keep, REASON.full, give);
    }
    // The peer no longer holds the old link, or it would not ask.
    if (other) this.#context.close(other, REASON.crossing);
    this.#answer(link, true, REASON.full, -1, request.vital);
    if (replaced && replaced !== link) {
      this.#context.close(replaced, REASON.replaced);
    }
  }

  /** The peer answered a request. */
  answered(link: Link, answer: Answer): void {
    const intent = link.request;
    if (!intent) return;
    link.request = undefined;
    const given = this.#recordSlot(answer);
    if (answer.type === "refuse") {
      if (!link.joiner) this.#context.close(link, answer.reason);
      if (given >= 0) this.#takeOver(given, link.slot, -1);
      else this.onChange(answer.reason !== REASON.crossing);
      return;
    }
    const other = this.#context.links.agreedWith(link.slot);
    if (other && other !== link) this.#context.close(other, REASON.crossing);
    const { links, tuning } = this.#context;
    const moves = intent.kind === "takeover" && intent.drop >= 0;
    if (!moves && links.heard >= tuning.capDegree) {
      return this.#context.close(link, REASON.surplus);
    }
    this.#agree(link, intent.kind === "link" && intent.vital);
    if (intent.kind === "takeover" && intent.drop >= 0) {
      const old = this.#context.links.agreedWith(intent.drop);
      if (old) this.#context.close(old, REASON.replaced);
    }
    if (given < 0) return;
    if (intent.kind === "swap") this.onSwap(link, intent.mine, given);
    else this.#takeOver(given, link.slot, -1);
  }

  /** A neighbour asks this server to take over one of its edges. */
  handedOver(link: Link, handover: Handover): void {
    const { directory } = this.#context;
    const target = this.#recordSlot(handover);
    const replaces = directory.find(handover.replaces.hi, handover.replaces.lo);
    if (target < 0 || replaces < 0 || !link.agreed) return;
    this.#takeOver(target, replaces, handover.move ? link.slot : -1);
  }

  /** Asks the neighbour on `link` to take the edge `theirs`–`link.slot`'s place: see `swap.ts`. */
  handOver(link: Link, target: number, replaces: number, move: boolean): void {
    const { directory, list, now, tuning, counters } = this.#context;
    link.lockedUntil = now + tuning.lockMs;
    counters.handovers++;
    const frame = new Uint8Array(10 + recordBytes(directory, target, true, -1));
    frame[0] = FRAME.HANDOVER;
    frame[1] = move ? 1 : 0;
    writeId(frame, 2, directory, replaces);
    const s = list.get(target);
    writeRecord(frame, 10, directory, target, s, true, -1);
    this.#context.send(link, frame);
  }

  /** An edge at random that is not locked, young or under suspicion; −1 for none. */
  pick(fits: (link: Link) => boolean): Link | undefined {
    const { links, now, random } = this.#context;
    const free = links.agreed.filter((link) =>
      link.lockedUntil <= now && !link.reported && fits(link)
    );
    return free[Math.floor(random() * free.length)];
  }

  /** Links that have been asked for, or are to be taken over. */
  get #coming(): number {
    const { contacts } = this.#context.links;
    return this.#dials.count((intent) => intent.kind === "takeover") +
      contacts.filter((link) => link.request).length;
  }

  #hasRoom(request: Request, replaced: Link | undefined): boolean {
    const { links, list, tuning } = this.#context;
    if (replaced) return true;
    if (list.alive <= tuning.fullMeshServers) return true;
    if (request.vital && links.degree < tuning.capDegree) return true;
    return request.swap === undefined && links.degree < this.desired;
  }

  /** Whether an edge with the peer may be kept on top of handing one over. */
  #mayKeep(request: Request): boolean {
    const { links, tuning } = this.#context;
    if (links.degree >= tuning.capDegree || request.replaces) return false;
    return request.want === 2 || request.swap !== undefined;
  }

  /** Slot of a neighbour whose edge the peer may take over; −1 for none. */
  #giveable(link: Link, request: Request): number {
    const { links, directory, now, tuning } = this.#context;
    const spare = links.degree > this.desired;
    if (request.replaces || !(this.#mayKeep(request) || spare)) return -1;
    const avoid = new Set([link.slot]);
    for (const id of request.avoid) avoid.add(directory.find(id.hi, id.lo));
    const edge = this.pick((l) => !avoid.has(l.slot));
    if (!edge) return -1;
    edge.lockedUntil = now + tuning.lockMs;
    return edge.slot;
  }

  #answer(
    link: Link,
    accept: boolean,
    reason: number,
    give: number,
    vital = false,
  ): void {
    const { directory, list, counters, tuning, now } = this.#context;
    const size = give >= 0 ? recordBytes(directory, give, true, -1) : 0;
    const frame = new Uint8Array(2 + size);
    frame[0] = accept ? FRAME.ACCEPT : FRAME.REFUSE;
    frame[1] = accept ? 0 : reason;
    if (give >= 0) {
      counters.handovers++;
      writeRecord(frame, 2, directory, give, list.get(give), true, -1);
    }
    this.#context.send(link, frame);
    if (accept) this.#agree(link, vital);
    else link.keepUntil = Math.max(link.keepUntil, now + tuning.requestMs);
  }

  #agree(link: Link, vital: boolean): void {
    if (link.agreed) return;
    const { now, tuning } = this.#context;
    link.firmUntil = now + (vital ? tuning.vitalAgeMs : tuning.surplusAgeMs);
    this.#context.settled = true;
    this.#context.links.agree(link);
    this.#detector.watch(link);
    this.onChange(false);
  }

  #takeOver(target: number, replaces: number, drop: number): void {
    const { links, self } = this.#context;
    if (target === self || links.agreedWith(target)) return;
    this.#dials.start(target, { kind: "takeover", replaces, drop });
  }

  #recordSlot(message: Answer | Handover): number {
    const { records } = message;
    if (!records.next()) return -1;
    const { directory, list } = this.#context;
    const slot = records.slot(directory);
    if (slot < 0) return -1;
    this.#context.say(slot, records.standing);
    return isListed(list.get(slot)) ? slot : -1;
  }

  #agreedWith(id: WireId | undefined): Link | undefined {
    if (!id) return undefined;
    const slot = this.#context.directory.find(id.hi, id.lo);
    return slot < 0 ? undefined : this.#context.links.agreedWith(slot);
  }

  #wireId(slot: number): WireId {
    const { idHi, idLo } = this.#context.directory;
    return { hi: idHi[slot] as number, lo: idLo[slot] as number };
  }
}

function lower(
  hi: Uint32Array,
  lo: Uint32Array,
  a: number,
  b: number,
): boolean {
  const [ah, bh] = [hi[a] as number, hi[b] as number];
  return ah !== bh ? ah < bh : (lo[a] as number) < (lo[b] as number);
}
