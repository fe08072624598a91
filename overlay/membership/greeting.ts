/**
 * How a connection begins: hello, and what it was dialled for; a newcomer's first snapshot.
 *
 * @module
 */

import type { AntiEntropy } from "./anti_entropy.ts";
import type { Context } from "./context.ts";
import type { Detector } from "./detector.ts";
import type { Dials, Intent } from "./dials.ts";
import type { Edges } from "./edges.ts";
import type { Healer } from "./healing.ts";
import { Link } from "./link_set.ts";
import type { Hello, Records } from "./messages.ts";
import { RECORD_BYTES, type RecordReader, writeRecord } from "./records.ts";
import type { Seeker } from "./seek.ts";
import { ALIVE, incarnationOf, isListed, standing, SUPERSEDED } from "./standing.ts";
import { slotsOf, type Storm } from "./storm.ts";
import type { Input } from "./types.ts";
import { encodeHello, FRAME, REASON } from "./wire.ts";

/** A newcomer keeps its first contact for this long after the snapshot, in ms. */
const FAREWELL_MS = 1000;
/** The side that was dialled keeps a contact for so much longer. */
const PATIENCE = 1.5;

/** The parts that a connection may concern when it begins. */
export interface GreeterParts {
  readonly dials: Dials;
  readonly detector: Detector;
  readonly edges: Edges;
  readonly seeker: Seeker;
  readonly healer: Healer;
  readonly storm: Storm;
  readonly antiEntropy: AntiEntropy;
}

/** Opens connections. */
export class Greeter {
  readonly #context: Context;
  readonly #parts: GreeterParts;

  /** A greeter for the connections of one server. */
  constructor(context: Context, parts: GreeterParts) {
    this.#context = context;
    this.#parts = parts;
    parts.dials.begin = (link, intent) => this.#begin(link, intent);
  }

  /** A connection has come up. */
  opened(input: Input & { type: "link-up" }): void {
    const { directory, self, now, awake, tuning, links } = this.#context;
    const slot = directory.intern(input.peer);
    if (slot < 0 || slot === self) {
      this.#context.emit({ type: "close", link: input.link });
      return;
    }
    directory.retain(slot);
    const keep = now + tuning.contactMs * (input.dialled ? 1 : PATIENCE);
    const peer = directory.member(slot);
    const link = new Link(input.link, slot, peer, input.dialled, now, awake, keep);
    links.add(link);
    this.#supersede(slot);
    if (!input.dialled) return;
    const dial = this.#parts.dials.arrived(slot, input.address);
    // What the driver dialled of its own accord is a join.
    link.intents = dial?.intents ?? [{ kind: "join" }];
    const searching = link.intents.some(isSearch);
    link.asked = searching && this.#context.alone;
    this.#sendHello(link, true);
    for (const intent of link.intents) this.#begin(link, intent);
  }

  /** The peer said hello. */
  hello(link: Link, hello: Hello): void {
    const { list, self, alone } = this.#context;
    link.greeted = true;
    const newcomer = hello.alone && !alone;
    // One that is sent on is listed by the server that serves it: only that one sees it die.
    if (!newcomer || this.#parts.storm.admit(link)) {
      this.#context.say(link.slot, standing(hello.incarnation, ALIVE), { from: link });
    }
    if (hello.held > list.get(self) && this.#context.defend(hello.held)) {
      if (!hello.ask) this.#sendSelf(link);
    }
    // A driver may dial anew on a connection that is still known here: answer each time.
    if (hello.ask) this.#sendHello(link, false, alone);
    if (newcomer) {
      if (link.joiner) this.#parts.detector.watch(link);
      return this.#parts.storm.serve(link);
    }
    if (!hello.ask) this.#greeted(link, hello);
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
      if (!same && !link.asked) this.#parts.antiEntropy.start(link, true);
      if (!same || link.asked) {
        this.#parts.edges.request(link, { kind: "link", vital: true });
        return;
      }
    } else if (!same && link.intents.some((i) => i.kind === "probe")) {
      if (this.#parts.antiEntropy.probed(link)) return;
    }
    if (!link.request && !link.agreed && links.get(link.id)) {
      this.#context.close(link, REASON.full);
    }
  }

  /** A part of a snapshot came. */
  snapshot(link: Link, snapshot: Records): void {
    const { directory, now, counters } = this.#context;
    if (!link.asked) {
      this.#parts.antiEntropy.learn(link, snapshot.records, false);
      this.#context.settled = true;
      return this.#parts.seeker.changed(false);
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
    this.#parts.seeker.changed(false);
    this.#parts.healer.joined();
  }

  /** The seed is busy and names others. */
  redirected(link: Link, records: RecordReader): void {
    const slots = slotsOf(this.#context, records);
    const wanted = link.asked;
    this.#context.close(link, REASON.full);
    const slot = slots[Math.floor(this.#context.random() * slots.length)];
    if (wanted && slot !== undefined) {
      this.#parts.dials.start(slot, { kind: "join" });
    }
  }

  #begin(link: Link, intent: Intent): void {
    switch (intent.kind) {
      case "link":
      case "takeover":
      case "swap":
        return this.#parts.edges.request(link, intent);
      case "probe":
      case "heal":
      case "join":
        return; // The hello is all that is needed to begin with.
    }
  }

  /** Whoever was at the peer's address before is no more. */
  #supersede(slot: number): void {
    const { directory, list } = this.#context;
    for (const other of directory.atPlace(directory.member(slot).address)) {
      const s = list.get(other);
      if (other === slot || !isListed(s)) continue;
      this.#context.say(other, standing(incarnationOf(s), SUPERSEDED));
    }
  }

  #sendHello(link: Link, ask: boolean, alone = this.#context.alone): void {
    const { list, incarnation } = this.#context;
    this.#context.send(
      link,
      encodeHello({
        alone,
        ask,
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
}

function isSearch(intent: Intent): boolean {
  return intent.kind === "join" || intent.kind === "heal";
}
