/**
 * The channel element.
 *
 * @module
 */

import type { Share } from "../../overlay/budget.ts";
import type { CircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";
import type { ElementContext } from "../context.ts";
import type { Element, Handlers } from "../describe.ts";
import { chanDescription, type ChanStat } from "./description.ts";
import {
  type Action,
  closedTwice,
  receiverGone,
  recvClosed,
  recvRefused,
  scrubbed,
  sendClosed,
  senderGone,
  sendOvertaken,
  sendRefused,
} from "./errors.ts";
import { Message, type MessageHost, Receiver, RETAINED_BYTES } from "./message.ts";
import { ChanQueue } from "./queue.ts";

/**
 * Makes a channel: messages of any length, each from one sender to one receiver.
 *
 * Guarantees:
 *
 * - **Order**: receives get messages in the order in which the sends arrived, each message to exactly
 *   one receive. A send is answered when it is matched with a receive or taken into the buffer.
 * - **Back-pressure**: a message without a receiver takes at most {@linkcode RETAINED_BYTES}, then
 *   its sender is held back; with one, the sender is as fast as the receiver.
 * - **Whole or told**: a receiver sees the end only behind the whole message. A sender that goes away
 *   half-way makes its receiver's call fail with ABORTED.
 * - **Return**: a message is finished when its receiver has ended its own stream. If the receiver's
 *   call fails before, the message goes back, in front of all that arrived after it, and the next
 *   receiver gets it from the first byte. Where more than {@linkcode RETAINED_BYTES} of it were
 *   taken it cannot go back: its sender's call fails with ABORTED. So a message arrives twice only
 *   if its receiver went away after reading it and before saying so.
 * - **Confirmation**: the stream down to the sender ends when the message is safe: with a buffer and
 *   a message of at most {@linkcode RETAINED_BYTES}, once all of it is in hand; otherwise, once its
 *   receiver has acknowledged it.
 * - **No trace**: a send that goes away before it was answered, and a receive before it was matched,
 *   leave the queue as if they had never been there. So does a message without a receiver whose
 *   sender goes away before it was confirmed: it could never become whole, or, without a buffer,
 *   nobody keeps it but its sender. Its place is free again and it is not counted.
 * - **Close**: sends that were not answered fail with CLOSED, and so do later ones; what was answered
 *   may still be finished and is let out. Receives fail with CLOSED as soon as no message is left,
 *   none on its way to a receiver that might come back included. A second close fails.
 * - **Scrub**: whoever waits or is under way fails with ABORTED, and so do later calls.
 *
 * - **Bounded**: what messages hold is in the server's budget. A send that there is no room for fails
 *   with BUSY and leaves no trace; if its message was on its way to a receiver, that one gets ABORTED.
 *
 * @param capacity Messages that the channel takes without a receiver, from 0; checked before.
 * @param context `path`: where it is, for messages; `budget`: the server's.
 */
export function makeChan(
  capacity: number,
  context: Pick<ElementContext, "path" | "budget">,
): Element {
  return new Chan(capacity, context.path, context.budget.channels);
}

class Chan implements Element, MessageHost {
  readonly #queue: ChanQueue<Message, Receiver>;
  readonly #path: string;
  readonly share: Share;
  #handlers: Handlers<typeof chanDescription["methods"]> | undefined;

  constructor(capacity: number, path: string, share: Share) {
    this.#queue = new ChanQueue(capacity);
    this.#path = path;
    this.share = share;
  }

  get kind(): "chan" {
    return "chan";
  }

  get description(): typeof chanDescription {
    return chanDescription;
  }

  /** Made when first asked for: of many channels, most are idle. */
  get handlers(): Handlers<typeof chanDescription["methods"]> {
    return this.#handlers ??= {
      send: (_, call) => this.#send(call),
      recv: (_, call) => this.#recv(call),
      close: () => this.#close(),
      stat: () => this.#stat(),
    };
  }

  get backlog(): number {
    return this.#queue.numSend - this.#queue.numRecv;
  }

  get buffers(): boolean {
    return this.#queue.capacity > 0;
  }

  // --- the methods ------------------------------------------------------------------------------

  #send(call: Call): void {
    this.#checkAlive("send to");
    if (this.#queue.closed) throw sendClosed(this.#path);
    const message = new Message(this, call);
    call.onOver((error) => error && this.#onSenderGone(message));
    message.collect();
    // It may have been over before it began, or be more than there is room for.
    if (message.settled) return;
    const receiver = this.#queue.send(message);
    if (receiver) message.give(receiver);
    else if (message.state === "buffered") message.answer();
  }

  #recv(call: Call): void {
    this.#checkAlive("receive from");
    const receiver = new Receiver(call);
    call.onOver((error) => this.#onReceiverOver(receiver, error));
    if (receiver.ended) return;
    this.#queue.recv(receiver)?.give(receiver);
    this.#settle();
  }

  #close(): void {
    this.#checkAlive("close");
    if (this.#queue.closed) throw closedTwice(this.#path);
    for (const message of this.#queue.close()) message.fail(sendOvertaken(this.#path));
    this.#settle();
  }

  #stat(): ChanStat {
    const { capacity: cap, closed, aborted, numSend, numRecv } = this.#queue;
    return { cap, closed, aborted, numSend, numRecv };
  }

  dispose(): void {
    const { sends, recvs } = this.#queue.abort();
    // One of each for all: a million of them would take seconds.
    const sendError = scrubbed("send to", this.#path);
    const recvError = scrubbed("receive from", this.#path);
    for (const message of sends) {
      const { receiver } = message;
      message.fail(sendError);
      if (receiver) this.#failReceiver(receiver, recvError);
    }
    for (const receiver of recvs) this.#failReceiver(receiver, recvError);
  }

  // --- what happens to calls --------------------------------------------------------------------

  #onSenderGone(message: Message): void {
    if (!message.abandon()) return;
    const { receiver, taken } = message;
    if (!receiver) {
      this.#queue.cancelSend(message);
      message.drop();
    } else if (!message.whole) {
      this.#queue.finish(message);
      message.drop();
      this.#failReceiver(receiver, senderGone(this.#path, taken));
    } else if (message.state === "flying") {
      // Its receiver can have all of it, but for another one nobody would keep it.
      this.#queue.commit(message);
    }
    this.#settle();
  }

  #onReceiverOver(receiver: Receiver, error: CircuitError | undefined): void {
    const { message } = receiver;
    receiver.message = undefined;
    receiver.ended = true;
    if (!message) {
      this.#queue.cancelRecv(receiver);
    } else if (error && message.state === "flying") {
      message.withdraw();
      const next = this.#queue.putBack(message);
      if (next) message.give(next);
    } else {
      this.#queue.finish(message);
      if (error) message.fail(receiverGone(this.#path, receiver.sent));
      else message.confirm();
    }
    this.#settle();
  }

  outgrew(message: Message): void {
    this.#queue.commit(message);
    this.#settle();
  }

  overran(message: Message): void {
    this.#queue.cancelSend(message);
    message.fail(receiverGone(this.#path, RETAINED_BYTES));
    this.#settle();
  }

  stays({ state }: Message): boolean {
    // One that has just come is not in the queue yet.
    return state === "outside"
      ? this.#queue.buffersNext
      : state === "buffered" || state === "returned";
  }

  overfilled(message: Message, error: CircuitError): void {
    const { receiver, taken } = message;
    if (receiver) this.#queue.finish(message);
    else this.#queue.cancelSend(message);
    message.fail(sendRefused(this.#path, error));
    if (receiver) this.#failReceiver(receiver, recvRefused(this.#path, taken, error));
    this.#settle();
  }

  /** Does what has become possible: fills the buffer, and tells receivers that nothing will come. */
  #settle(): void {
    for (let next = this.#queue.promote(); next; next = this.#queue.promote()) next.answer();
    for (let next = this.#queue.turnAway(); next; next = this.#queue.turnAway()) {
      this.#failReceiver(next, recvClosed(this.#path));
    }
  }

  #failReceiver(receiver: Receiver, error: CircuitError): void {
    // What its end means for the message is settled here already.
    receiver.message = undefined;
    receiver.call.fail(error);
  }

  #checkAlive(action: Action): void {
    if (this.#queue.aborted) throw scrubbed(action, this.#path);
  }
}
