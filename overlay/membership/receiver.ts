/**
 * Frames from peers: each goes to the part that it concerns.
 *
 * @module
 */

import type { AntiEntropy } from "./anti_entropy.ts";
import type { Context } from "./context.ts";
import type { Detector } from "./detector.ts";
import type { Edges } from "./edges.ts";
import type { Greeter } from "./greeting.ts";
import type { Healer } from "./healing.ts";
import type { Link } from "./link_set.ts";
import type { Message } from "./messages.ts";
import type { RecordReader } from "./records.ts";
import { statusOf, SUSPECT, UNKNOWN } from "./standing.ts";
import type { Storm } from "./storm.ts";
import type { LinkId } from "./types.ts";
import { decode, encodeDrop, REASON } from "./wire.ts";

/** The parts that take frames. */
export interface ReceiverParts {
  readonly detector: Detector;
  readonly edges: Edges;
  readonly healer: Healer;
  readonly storm: Storm;
  readonly antiEntropy: AntiEntropy;
  readonly greeter: Greeter;
}

/** Takes in what peers send. */
export class Receiver {
  readonly #context: Context;
  readonly #parts: ReceiverParts;

  /** A receiver for the connections of one server. */
  constructor(context: Context, parts: ReceiverParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Takes one frame; a peer whose frame is malformed loses its link. */
  message(id: LinkId, bytes: Uint8Array): void {
    const link = this.#context.links.get(id);
    if (!link) return;
    this.#parts.detector.heard(link);
    const message = decode(bytes);
    if (!message) return this.#malformed(link);
    // What is still on its way when a link was closed makes no new one.
    if (!link.greeted && !link.dialled && message.type !== "hello") {
      if (message.type !== "drop") this.#context.send(link, encodeDrop(REASON.full));
      return this.#context.close(link, REASON.full);
    }
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
        return this.#parts.antiEntropy.beat(link, message);
      case "records":
        return this.#flooded(link, message.records);
      case "sync":
        this.#parts.antiEntropy.learn(link, message.records, false);
        return;
      case "snapshot":
        return this.#parts.greeter.snapshot(link, message);
      case "redirect":
        return this.#parts.greeter.redirected(link, message.records);
      case "hello":
        return this.#parts.greeter.hello(link, message);
      case "request":
        return this.#parts.edges.requested(link, message);
      case "accept":
      case "refuse":
        return this.#parts.edges.answered(link, message);
      case "handover":
        return this.#parts.edges.handedOver(link, message);
      case "drop":
        link.agreed = link.greeted = false;
        return this.#context.close(link, message.reason);
      case "digest":
        return this.#parts.antiEntropy.digest(link, message);
      case "diff":
        return this.#parts.antiEntropy.diff(link, message);
      case "raise":
        this.#parts.healer.raise(undefined, link);
        return;
      case "ready":
        return this.#parts.storm.done(link);
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
        outbox.heardFrom(slot, link.bit, records.vetoed);
        if (statusOf(said) === SUSPECT) {
          this.#parts.detector.repeated(slot, records.reporter(directory));
        }
      } else if (said > held && (held !== UNKNOWN || records.tailAt >= 0)) {
        const reporter = records.reporter(directory);
        this.#context.say(slot, said, { from: link, reporter });
      } else continue;
      if (records.vetoed) this.#parts.detector.vetoed(slot, link);
    }
  }
}
