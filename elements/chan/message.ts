/**
 * One message on its way: the bytes that it takes from its sender's call and gives to a receiver's.
 *
 * @module
 */

import { type Call, INITIAL_WINDOW, MAX_INLINE_BYTES } from "../call.ts";
import type { Share } from "../../overlay/budget.ts";
import type { CircuitError } from "../../overlay/errors.ts";
import { Recv, Send } from "./queue.ts";

/**
 * Bytes of a message that are kept until its receiver has acknowledged it: 32 KiB. A longer one
 * cannot be given to another receiver. It is what a sender may send unasked, so that a message
 * without a receiver never takes more.
 */
export const RETAINED_BYTES = INITIAL_WINDOW;

/** Bytes that the sender of a longer message may be ahead of what its receiver took: 256 KiB. */
export const STREAM_WINDOW = 256 * 1024;

/** Bytes that a message counts for in the server's budget beside its own: 512, for its objects. */
export const MESSAGE_BYTES = 512;

const EMPTY = new Uint8Array(0);

/** What a message asks of its channel. */
export interface MessageHost {
  /**
   * True if a message that is retained as a whole is confirmed to its sender at once; false if only
   * after its receiver has acknowledged it.
   */
  readonly buffers: boolean;
  /** More than {@linkcode RETAINED_BYTES} were taken, for the receiver that the message has. */
  outgrew(message: Message): void;
  /** The same, but the receiver that they were asked for is gone. */
  overran(message: Message): void;
  /** What messages may hold. */
  readonly share: Share;
  /** False if somebody waits with the message, its sender or a receiver: it passes through then. */
  stays(message: Message): boolean;
  /** There is no room in the share for what was taken last. */
  overfilled(message: Message, error: CircuitError): void;
}

/** A receive call: waiting, or reading a message. */
export class Receiver extends Recv<Receiver> {
  readonly call: Call;
  /** What it is reading. */
  message: Message | undefined = undefined;
  /** Bytes of it that were written. */
  sent = 0;
  /** True during a write. */
  busy = false;
  /** True once there is nothing more to write to it. */
  ended = false;

  /** @param call The receiver's call. */
  constructor(call: Call) {
    super();
    this.call = call;
  }
}

/**
 * A message, from the request of its sender until nobody has to do with it any more.
 *
 * Guarantees:
 *
 * - **Back-pressure**: without a receiver, no more is asked of the sender than it may send anyway,
 *   {@linkcode RETAINED_BYTES}. After a receiver has been given that much, the sender may be up to
 *   {@linkcode STREAM_WINDOW} ahead of it, and is granted what it takes.
 * - **Whole in hand, or intact**: what was taken is retained while it is no more than
 *   {@linkcode RETAINED_BYTES}, packed into one piece however small its parts were, and each
 *   receiver gets it from the first byte.
 * - **The end is true**: a receiver's stream is ended only behind the last byte of a message whose
 *   sender has ended it.
 * - **Early confirmation**: in a channel with a buffer, the sender's call is ended in order as soon
 *   as the whole message is retained; otherwise when {@linkcode Message.confirm} is called.
 * - **Counted**: what is held is in the share of its host, from {@linkcode Message.collect} until it is
 *   confirmed, has failed or is dropped. What passes through may use all of the budget.
 */
export class Message extends Send<Message> {
  readonly #host: MessageHost;
  /** Undefined once the sender was told of the message's fate, or is gone. */
  #sender: Call | undefined;
  #answered = false;
  #whole = false;
  #reading = false;
  #widened = false;
  #taken = 0;
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;
  #counted = 0;
  /** What follows the bytes that are held, on its way to the receiver. */
  #next: Uint8Array | undefined;
  #receiver: Receiver | undefined;

  /**
   * @param host The channel.
   * @param sender The sender's call.
   */
  constructor(host: MessageHost, sender: Call) {
    super();
    this.#host = host;
    this.#sender = sender;
  }

  /** True once the sender has ended the message and all of it was taken. */
  get whole(): boolean {
    return this.#whole;
  }

  /** Bytes taken from the sender so far. */
  get taken(): number {
    return this.#taken;
  }

  /** True if the sender is gone, or was told of the message's fate. */
  get settled(): boolean {
    return this.#sender === undefined;
  }

  /** Who reads the message now. */
  get receiver(): Receiver | undefined {
    return this.#receiver;
  }

  // --- the sender -------------------------------------------------------------------------------

  /** Takes what has arrived, without waiting for more. */
  collect(): void {
    if (this.#sender && this.#counted === 0) this.#count();
    while (this.#sender && !this.#whole && !this.#reading && !this.#next) {
      const chunk = this.#sender.poll();
      if (chunk) this.#take(chunk);
      else if (this.#sender.ended) this.#finish();
      else return;
    }
  }

  /** Tells the sender that its message was matched or buffered, and begins to take it. */
  answer(): void {
    this.collect();
    const sender = this.#sender;
    if (sender && !this.#answered) {
      this.#answered = true;
      if (this.#isSafe()) {
        // Both in one frame.
        this.#sender = undefined;
        sender.accept({ last: true });
      } else {
        sender.accept();
      }
    }
    this.#read();
  }

  /** Tells the sender that all is well, if it was not told before. */
  confirm(): void {
    this.drop();
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.end();
  }

  /** Tells the sender, if it still waits for news, that the message is lost. */
  fail(error: CircuitError): void {
    this.drop();
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.fail(error);
  }

  /** The sender's call has failed; false if that makes no difference any more. */
  abandon(): boolean {
    if (!this.#sender) return false;
    this.#sender = undefined;
    return true;
  }

  /** Lets go of all that is held. */
  drop(): void {
    this.#receiver = undefined;
    this.#held = EMPTY;
    this.#next = undefined;
    this.#host.share.add(-this.#counted);
    this.#counted = 0;
  }

  #isSafe(): boolean {
    return this.#host.buffers && this.#whole && this.#taken <= RETAINED_BYTES;
  }

  #read(): void {
    this.collect();
    if (!this.#sender || this.#whole || this.#reading || this.#next) return;
    this.#reading = true;
    this.#sender.read().then((chunk) => {
      this.#reading = false;
      if (!this.#sender) return;
      if (chunk) this.#take(chunk);
      else this.#finish();
      this.#move();
    }, ignore);
  }

  #take(chunk: Uint8Array): void {
    this.#taken += chunk.length;
    const outgrown = this.#taken > RETAINED_BYTES;
    if (!outgrown) this.#hold(chunk);
    else if (this.#receiver) this.#next = chunk;
    else return this.#host.overran(this);
    if (this.#count() && outgrown && this.state === "flying") this.#host.outgrew(this);
  }

  /** Tells the share what is held now; false if there is no room for it. */
  #count(): boolean {
    const held = MESSAGE_BYTES + this.#held.buffer.byteLength + (this.#next?.length ?? 0);
    const { share } = this.#host;
    const more = held - this.#counted;
    if (more > 0 && !share.fits(more, !this.#host.stays(this))) {
      this.#host.overfilled(this, share.full(more));
      return false;
    }
    share.add(more);
    this.#counted = held;
    return true;
  }

  #hold(chunk: Uint8Array): void {
    const bytes = this.#heldBytes + chunk.length;
    if (this.#heldBytes === 0) {
      this.#held = chunk;
    } else {
      if (this.#held.length < bytes) {
        const room = Math.min(RETAINED_BYTES, Math.max(2 * this.#held.length, bytes));
        const roomier = new Uint8Array(room);
        roomier.set(this.#held);
        this.#held = roomier;
      }
      this.#held.set(chunk, this.#heldBytes);
    }
    this.#heldBytes = bytes;
  }

  #finish(): void {
    this.#whole = true;
    if (!this.#answered || !this.#isSafe()) return;
    const sender = this.#sender;
    this.#sender = undefined;
    sender?.end();
  }

  // --- the receiver -----------------------------------------------------------------------------

  /** Answers the receiver with the message: in one frame, if it fits and is there already. */
  give(receiver: Receiver): void {
    this.#receiver = receiver;
    receiver.message = this;
    this.answer();
    // There may have been no room for what came with it.
    if (this.#receiver !== receiver) return;
    const { call } = receiver;
    const bytes = Math.min(this.#heldBytes, call.window, MAX_INLINE_BYTES);
    receiver.sent = bytes;
    receiver.ended = this.#whole && bytes === this.#heldBytes;
    const first = bytes === this.#held.length ? this.#held : this.#held.subarray(0, bytes);
    call.accept({ first, last: receiver.ended });
    this.#move();
  }

  /** The receiver is gone, and the message can have another one. */
  withdraw(): void {
    this.#receiver = undefined;
  }

  /** Gets on with whatever can be done now. */
  #move(): void {
    if (this.#receiver) this.#pass(this.#receiver);
    this.#read();
  }

  #pass(receiver: Receiver): void {
    if (receiver.busy || receiver.ended) return;
    if (receiver.sent < this.#heldBytes) {
      this.#write(receiver, this.#held.subarray(receiver.sent, this.#heldBytes));
    } else if (this.#next) {
      const bytes = this.#next;
      this.#next = undefined;
      this.#held = EMPTY;
      this.#count();
      this.#write(receiver, bytes, true);
    } else if (this.#whole) {
      receiver.ended = true;
      receiver.call.end();
    } else if (this.#taken === RETAINED_BYTES && !this.#widened) {
      // Not before: what was granted cannot be taken back when the receiver goes away.
      this.#widened = true;
      this.#sender?.grant(STREAM_WINDOW);
    }
  }

  /** @param passing True for bytes that nobody needs once they are written. */
  #write(receiver: Receiver, bytes: Uint8Array, passing = false): void {
    const granted = receiver.sent >= RETAINED_BYTES ? bytes.length : 0;
    receiver.busy = true;
    receiver.call.write(bytes).then(() => {
      receiver.busy = false;
      receiver.sent += bytes.length;
      this.#sender?.grant(granted);
      if (passing) this.#sender?.recycle(bytes);
      this.#move();
    }, ignore);
  }
}

/** The call's owner is told by `onOver`, whatever else was waiting on it. */
function ignore(): void {}
