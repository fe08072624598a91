/**
 * Who waits in a channel and who gets what: the order of sends and receives, without a byte of I/O.
 *
 * @module
 */

import { Heap, type Ranked } from "./heap.ts";
import { type Linked, List } from "./list.ts";

/**
 * Where a send is:
 *
 * - `outside`: not in the queue, or no longer;
 * - `waiting`: for a receiver, or for room in the buffer;
 * - `buffered`: taken without a receiver;
 * - `returned`: its receiver went away, it is the next to be received;
 * - `flying`: with a receiver, and it may come back;
 * - `committed`: with a receiver, and it cannot come back.
 */
export type SendState = "outside" | "waiting" | "buffered" | "returned" | "flying" | "committed";

/** A send, as the queue sees it. What a send is beyond that is its subclass's business. */
export abstract class Send<S> implements Linked<S>, Ranked {
  before: S | undefined = undefined;
  behind: S | undefined = undefined;
  place = 0;
  /** Counts up with each send's arrival. */
  rank = 0;
  /** Where it is. */
  state: SendState = "outside";
}

/** A receive, as the queue sees it. */
export abstract class Recv<R> implements Linked<R> {
  before: R | undefined = undefined;
  behind: R | undefined = undefined;
  /** True while it waits for a message. */
  waiting = false;
}

/**
 * The queue of a channel: a pure state machine. It says who is matched with whom; to move bytes and
 * to answer is up to its owner, who calls {@linkcode ChanQueue.promote} and
 * {@linkcode ChanQueue.turnAway} until they return undefined after whatever may have made room or
 * have emptied the channel.
 *
 * Guarantees:
 *
 * - **Order**: receives are matched in the order of their arrival, with sends in the order of theirs;
 *   a send that comes back goes in front of all that arrived after it, hence of all that were never
 *   received.
 * - **No idle pair**: a send never waits while a receive waits.
 * - **Capacity**: a send is taken into the buffer only while fewer messages than the capacity are in
 *   hand without a receiver. Messages that come back may exceed it.
 * - **No trace**: a send or receive that is cancelled before it was matched or buffered changes
 *   nothing for all others and is not counted.
 * - **Cost**: every operation takes constant time whatever the length of the queue, but for those on
 *   returned sends, which take the logarithm of their number. A queue that was never used holds no lists.
 */
export class ChanQueue<S extends Send<S>, R extends Recv<R>> {
  /** Messages that are taken without a receiver. */
  readonly capacity: number;
  #closed = false;
  #aborted = false;
  #arrivals = 0;
  #numSend = 0;
  #numRecv = 0;
  #committed = 0;
  #returned: Heap<S> | undefined;
  #buffered: List<S> | undefined;
  #waiting: List<S> | undefined;
  /** Those in state `flying` and `committed`. */
  #matched: List<S> | undefined;
  #recvs: List<R> | undefined;

  /** @param capacity A whole number from 0. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** True after {@linkcode ChanQueue.close}. */
  get closed(): boolean {
    return this.#closed;
  }

  /** True after {@linkcode ChanQueue.abort}. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /**
   * Sends that were matched or taken into the buffer, without those that left before their end. So
   * `numSend - numRecv` messages are in hand without a receiver at any time.
   */
  get numSend(): number {
    return this.#numSend;
  }

  /** Sends that were matched, without those that came back. */
  get numRecv(): number {
    return this.#numRecv;
  }

  /** True if the next send would be taken into the buffer: no receive waits, and there is room. */
  get buffersNext(): boolean {
    return !this.#recvs?.size && this.#hasRoom();
  }

  /**
   * A send arrives, at a channel that is neither closed nor aborted.
   *
   * @returns The receive that it is matched with; undefined if it is `buffered` or `waiting` now.
   */
  send(send: S): R | undefined {
    send.rank = this.#arrivals++;
    const recv = this.#nextRecv();
    if (recv) {
      this.#numSend++;
      this.#match(send);
    } else if (this.#hasRoom()) {
      this.#buffer(send);
    } else {
      send.state = "waiting";
      (this.#waiting ??= new List()).push(send);
    }
    return recv;
  }

  /**
   * A receive arrives, at a channel that is not aborted.
   *
   * @returns The send that it is matched with, which is `flying` now; undefined if it waits.
   */
  recv(recv: R): S | undefined {
    const inHand = this.#returned?.shift() ?? this.#buffered?.shift();
    const send = inHand ?? this.#waiting?.shift();
    if (!send) {
      recv.waiting = true;
      (this.#recvs ??= new List()).push(recv);
      return undefined;
    }
    if (!inHand) this.#numSend++;
    this.#match(send);
    return send;
  }

  /** The next waiting send that the buffer has room for now, which is `buffered` from here on. */
  promote(): S | undefined {
    if (!this.#waiting || !this.#hasRoom()) return undefined;
    const send = this.#waiting.shift();
    if (send) this.#buffer(send);
    return send;
  }

  /** A send without a receiver leaves: its sender cancelled it or went away. */
  cancelSend(send: S): void {
    if (send.state === "waiting") {
      this.#waiting?.remove(send);
    } else if (send.state === "buffered" || send.state === "returned") {
      if (send.state === "buffered") this.#buffered?.remove(send);
      else this.#returned?.remove(send);
      this.#numSend--;
    }
    send.state = "outside";
  }

  /** A waiting receive leaves. */
  cancelRecv(recv: R): void {
    if (!recv.waiting) return;
    recv.waiting = false;
    this.#recvs?.remove(recv);
  }

  /**
   * The receiver of a `flying` send went away.
   *
   * @returns The receive that it is matched with next; undefined if the send is `returned` now.
   */
  putBack(send: S): R | undefined {
    const recv = this.#nextRecv();
    // Matched again at once: as one receive more and one less.
    if (recv) return recv;
    this.#matched?.remove(send);
    this.#numRecv--;
    send.state = "returned";
    (this.#returned ??= new Heap()).push(send);
    return undefined;
  }

  /** A `flying` send cannot come back any more. */
  commit(send: S): void {
    send.state = "committed";
    this.#committed++;
  }

  /** A matched send is done with: it was acknowledged, or it failed for good. */
  finish(send: S): void {
    if (send.state === "committed") this.#committed--;
    this.#matched?.remove(send);
    send.state = "outside";
  }

  /**
   * No send will be taken any more; what is in hand is let out.
   *
   * @returns The sends that were waiting, which have left the queue.
   */
  close(): S[] {
    this.#closed = true;
    return this.#leave(this.#waiting?.clear());
  }

  /**
   * After {@linkcode ChanQueue.close}: the next waiting receive for which no message can come any
   * more, be it from the buffer or from a receiver that goes away. It has left the queue.
   */
  turnAway(): R | undefined {
    // While receives wait, nothing is in hand; only what is flying could still be for them.
    const mayCome = (this.#matched?.size ?? 0) - this.#committed;
    return this.#closed && mayCome === 0 ? this.#nextRecv() : undefined;
  }

  /**
   * The end of the channel.
   *
   * @returns All sends and all waiting receives, which have left the queue.
   */
  abort(): { sends: S[]; recvs: R[] } {
    this.#aborted = true;
    const lists = [this.#returned, this.#buffered, this.#waiting, this.#matched];
    const sends = this.#leave(lists.flatMap((list) => list?.clear() ?? []));
    const recvs = this.#recvs?.clear() ?? [];
    for (const recv of recvs) recv.waiting = false;
    this.#committed = 0;
    return { sends, recvs };
  }

  #hasRoom(): boolean {
    const inHand = (this.#buffered?.size ?? 0) + (this.#returned?.size ?? 0);
    return inHand < this.capacity;
  }

  #nextRecv(): R | undefined {
    const recv = this.#recvs?.shift();
    if (recv) recv.waiting = false;
    return recv;
  }

  #buffer(send: S): void {
    this.#numSend++;
    send.state = "buffered";
    (this.#buffered ??= new List()).push(send);
  }

  #match(send: S): void {
    this.#numRecv++;
    send.state = "flying";
    (this.#matched ??= new List()).push(send);
  }

  #leave(sends: S[] = []): S[] {
    for (const send of sends) send.state = "outside";
    return sends;
  }
}
