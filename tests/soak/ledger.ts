/**
 * The ledger of one channel: what was sent, what came of it, and what was received, held against what
 * channels guarantee.
 *
 * @module
 */

import type { MessageId } from "./content.ts";
import { Violation } from "./journal.ts";

/** What a sender knows of its message. */
type Fate = "open" | "confirmed" | "failed";

/** Who receives. */
export interface Receiver {
  readonly name: string;
  /** True if it has a connection to the channel's server, whose loss it cannot miss. */
  readonly direct: boolean;
}

/** A message that was received. */
interface Receipt {
  readonly receiver: Receiver;
  readonly trouble: number;
}

/** A message that was received again. */
interface Twice {
  readonly id: string;
  readonly first: Receipt;
  readonly trouble: number;
}

/** What came of all messages. */
export interface Balance {
  readonly sent: number;
  readonly received: number;
  /** Their senders were told that they may be lost, and they are. */
  readonly reportedLost: number;
  /** Received again, by a receiver that followed one that was lost. */
  readonly twice: number;
  /** Confirmed, and gone with the server that held them. */
  readonly heldByLostServer: number;
}

/** The ledger of one channel. */
export class Ledger {
  readonly #name: string;
  readonly #capacity: number;
  readonly #trouble: () => number;
  /** By sender and number. */
  readonly #sends = new Map<string, Fate>();
  readonly #receipts = new Map<string, Receipt>();
  readonly #twice: Twice[] = [];
  /** What receivers got last before they were lost. */
  readonly #lastWords = new Map<Receiver, string[]>();
  readonly #last = new Map<Receiver, string>();
  /** Highest number of each sender's messages that each receiver got. */
  readonly #highest = new Map<Receiver, Map<number, number>>();
  readonly #overtaken: string[] = [];
  /** Empty messages look all the same: they are counted. */
  readonly #empty = { open: 0, confirmed: 0, failed: 0, received: 0 };
  #lostReceivers = 0;
  #routed = false;
  readonly #since: number;

  /**
   * @param name The channel's, for messages.
   * @param capacity The channel's.
   * @param trouble Grows with each fault that begins or ends; even while there is none.
   */
  constructor(name: string, capacity: number, trouble: () => number) {
    this.#name = name;
    this.#capacity = capacity;
    this.#trouble = trouble;
    this.#since = trouble();
  }

  /** A message is being sent. */
  sending(id: MessageId, length: number): void {
    if (length === 0) this.#empty.open++;
    else this.#sends.set(keyOf(id), "open");
  }

  /** Its sender was told that it is safe, or that it may not be. */
  told(id: MessageId, length: number, fate: "confirmed" | "failed"): void {
    if (length > 0) return void this.#sends.set(keyOf(id), fate);
    this.#empty.open--;
    this.#empty[fate]++;
  }

  /** A whole message was received. */
  received(message: MessageId | "empty", receiver: Receiver): void {
    if (!receiver.direct) this.#routed = true;
    if (message === "empty") {
      this.#empty.received++;
      return void this.#last.set(receiver, "empty");
    }
    const id = keyOf(message);
    if (!this.#sends.has(id)) this.#violated(`message ${id} was received and never sent`);
    const trouble = this.#trouble();
    const first = this.#receipts.get(id);
    if (first) {
      const twice = { id, first, trouble };
      this.#twice.push(twice);
      // Another receiver may be lost and not know it yet.
      if (first.receiver === receiver) this.#checkTwice([twice]);
      return void this.#last.set(receiver, id);
    }
    this.#last.set(receiver, id);
    this.#receipts.set(id, { receiver, trouble });
    const { sender, seq } = message;
    const highest = this.#highest.get(receiver) ?? new Map<number, number>();
    this.#highest.set(receiver, highest);
    if (seq < (highest.get(sender) ?? -1)) this.#overtaken.push(id);
    else highest.set(sender, seq);
  }

  /** A receiver gave a message back before it had read all of it. */
  givenBack(): void {
    this.#lostReceivers++;
  }

  /** A receiver's call failed. */
  receiverLost(receiver: Receiver): void {
    this.#lostReceivers++;
    const words = this.#lastWords.get(receiver) ?? [];
    this.#lastWords.set(receiver, [...words, this.#last.get(receiver) ?? ""]);
  }

  /**
   * Adds up, when nothing is under way any more.
   *
   * @param serverLost Whether the channel's server was killed or stopped; else the channel was closed
   * and emptied.
   * @throws {Violation} if that is not what channels guarantee.
   */
  settle(serverLost: boolean): Balance {
    this.#checkTwice(this.#twice);
    const fates = [...this.#sends];
    const missing = fates.filter(([id]) => !this.#receipts.has(id));
    if (missing.some(([, fate]) => fate === "open")) this.#violated("a send has no end");
    const heldIds = missing.filter(([, fate]) => fate === "confirmed").map(([id]) => id);
    const held = heldIds.length + Math.max(0, this.#empty.confirmed - this.#empty.received);
    // In its buffer, or on the way to a receiver that was lost with it. Without a buffer, a sender
    // hears nothing before its receiver has all.
    const most = serverLost && this.#capacity > 0 ? this.#capacity + this.#lostReceivers : 0;
    if (held > most) {
      this.#violated(`${held} confirmed messages are lost, at most ${most} can be: ${heldIds}`);
    }
    const { confirmed, failed, received } = this.#empty;
    if (received > confirmed + failed + this.#emptyTwice()) {
      this.#violated(`${received} empty messages came of ${confirmed} sent and ${failed} failed`);
    }
    const late = this.#overtaken.filter((id) => this.#sends.get(id) === "confirmed");
    if (late.length > this.#lostReceivers) {
      const why = `${this.#lostReceivers} receivers were lost`;
      this.#violated(`messages ${late} came after later ones of their senders, though ${why}`);
    }
    const lost = missing.length - heldIds.length + Math.max(0, failed + confirmed - received) -
      (held - heldIds.length);
    return {
      sent: fates.filter(([, fate]) => fate === "confirmed").length + confirmed,
      received: this.#receipts.size + this.#twice.length + received,
      reportedLost: Math.max(0, lost),
      twice: this.#twice.length,
      heldByLostServer: held,
    };
  }

  /** A message comes twice only if who received it first was lost before it could say so. */
  #checkTwice(all: readonly Twice[]): void {
    for (const { id, first: { receiver, trouble: then }, trouble: now } of all) {
      if (this.#lastWords.get(receiver)?.includes(id)) continue;
      // A receiver that is served by way of another server does not see each loss on the way.
      const calm = then === now && now % 2 === 0;
      if (receiver.direct || calm) {
        this.#violated(`message ${id} came twice after ${receiver.name}`);
      }
    }
  }

  /** How many empty messages may have come twice. */
  #emptyTwice(): number {
    const last = [...this.#lastWords.values()].flat().filter((id) => id === "empty").length;
    return last + (this.#routed ? this.#trouble() - this.#since + this.#since % 2 : 0);
  }

  #violated(what: string): never {
    throw new Violation(`${this.#name}: ${what}`);
  }
}

function keyOf({ sender, seq }: MessageId): string {
  return `${sender}:${seq}`;
}
