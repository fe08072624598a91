/**
 * A channel as it should be, as simply as it can be said: arrays, searches, no bytes moved. It
 * watches the callers of a real channel, predicts whom they are matched with, and complains when
 * anything is otherwise.
 *
 * @module
 */

import type { ErrorCode } from "../../overlay/errors.ts";
import type { Caller } from "../_testing/call_pair.ts";
import { MESSAGE_BYTES, RETAINED_BYTES, STREAM_WINDOW } from "./message.ts";

/** A message that was sent. */
export interface Sent {
  readonly name: string;
  readonly body: Uint8Array;
  readonly caller: Caller;
  /** Its sender has ended it. */
  ended: boolean;
  /** Everything has run that could run since it was ended. */
  settled: boolean;
  /** It was matched or buffered. */
  answered: boolean;
  /** It had a receiver once. */
  matched: boolean;
  /** Its sender has gone, or was told that it failed. */
  gone: boolean;
  /** It counts as received: it has a receiver, or had one and did not come back. */
  counted: boolean;
  /** It was acknowledged. */
  done: boolean;
  receiver: Received | undefined;
}

/** A receive. */
export interface Received {
  readonly name: string;
  readonly caller: Caller;
  /** What it is reading; undefined while it waits and when it is over. */
  message: Sent | undefined;
  /** What it reads or has read. */
  body: Uint8Array | undefined;
  /** Bytes read so far. */
  at: number;
}

/** The prediction. */
export class Model {
  readonly #capacity: number;
  closed = false;
  aborted = false;
  /** All messages ever, in the order of arrival. */
  readonly sent: Sent[] = [];
  /** All receives ever. */
  readonly received: Received[] = [];
  /** Messages without a receiver, the oldest first. */
  queue: Sent[] = [];
  /** Receives without a message, the oldest first. */
  waiting: Received[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Messages with a receiver. */
  get flying(): Sent[] {
    return this.sent.filter(({ receiver }) => receiver);
  }

  /** What `stat` should tell, until the channel is aborted. */
  get numRecv(): number {
    return this.sent.filter(({ counted }) => counted).length;
  }

  /** What `stat` should tell, until the channel is aborted. */
  get numSend(): number {
    return this.numRecv + this.queue.filter(({ answered }) => answered).length;
  }

  // --- what the driver did ------------------------------------------------------------------------

  send(message: Sent): void {
    this.sent.push(message);
    if (this.#refused(message.caller) || isRefused(message)) {
      message.gone = true;
      return;
    }
    this.#place(message);
  }

  recv(receiver: Received): void {
    this.received.push(receiver);
    if (this.aborted) return fails(receiver, "ABORTED");
    const message = this.queue.shift();
    if (message) this.#match(message, receiver);
    else this.waiting.push(receiver);
    this.#promote();
  }

  senderLeft(message: Sent): void {
    message.gone = true;
    const { receiver } = message;
    if (!receiver) {
      this.#remove(message);
    } else if (receiver.caller.error) {
      check(!this.#isWhole(message), "a receiver lost a whole message to its sender");
      fails(receiver, "ABORTED");
      message.receiver = receiver.message = undefined;
    } else {
      check(message.ended, "a receiver was not told that the sender went away half-way");
    }
  }

  receiverLeft(receiver: Received): void {
    const { message } = receiver;
    receiver.message = undefined;
    this.waiting = this.waiting.filter((other) => other !== receiver);
    if (!message) return;
    message.receiver = undefined;
    if (message.caller.error && !message.gone && !isRefused(message)) {
      check(message.caller.sent > RETAINED_BYTES, "a message was lost that should be retained");
      fails(message, "ABORTED");
      message.gone = true;
    } else if (!message.gone) {
      message.counted = false;
      this.#place(message);
    }
  }

  close(): void {
    this.closed = true;
    for (const message of this.queue.filter(({ answered }) => !answered)) {
      fails(message, "CLOSED");
      message.gone = true;
    }
    this.queue = this.queue.filter(({ answered }) => answered);
  }

  abort(): void {
    this.aborted = true;
    for (const message of [...this.queue, ...this.flying]) {
      const { over, error } = message.caller;
      if (!message.gone && (error || !over)) fails(message, "ABORTED");
      message.gone = true;
      if (!message.receiver) continue;
      fails(message.receiver, "ABORTED");
      message.receiver = message.receiver.message = undefined;
    }
    for (const receiver of this.waiting) fails(receiver, "ABORTED");
    this.queue = [];
    this.waiting = [];
  }

  // --- what can be seen ---------------------------------------------------------------------------

  /**
   * Compares the account of what the channel holds with what it can hold now: for each message in hand
   * what is known of it, at least, and at most as much more as one piece takes.
   *
   * @param used What is in the account, now that nothing is under way.
   */
  recount(used: number): void {
    let [least, most] = [0, 0];
    for (const { caller, answered, receiver } of [...this.queue, ...this.flying]) {
      const retained = caller.sent <= RETAINED_BYTES;
      least += MESSAGE_BYTES + (answered && retained ? caller.sent : 0);
      most += MESSAGE_BYTES + RETAINED_BYTES + (receiver && !retained ? caller.sent : 0);
    }
    check(least <= used && used <= most, `${used} bytes are counted, not ${least} to ${most}`);
  }

  /** Compares what was predicted with what is. */
  observe(): void {
    for (const message of this.sent) this.#seeRefused(message);
    this.#seeFinished();
    for (const message of [...this.queue]) this.#seeOverrun(message);
    this.#seeTurnedAway();
    for (const message of this.sent) this.#seeSender(message);
    for (const { name, caller, message } of this.received) {
      check(caller.answered || !message, `${name} was not answered`);
      check(!message || !caller.error, `${name} failed: ${caller.error}`);
    }
    for (const { name, caller } of this.waiting) {
      check(!caller.answered && !caller.over, `${name} should wait`);
    }
  }

  /** A receiver's next bytes. */
  read(receiver: Received, bytes: Uint8Array): void {
    const { body, at, name } = receiver;
    check(body, `${name} got bytes of no message`);
    check(at + bytes.length <= body.length, `${name} got more bytes than the message has`);
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== body[at + i]) check(false, `${name} got a wrong byte at ${at + i}`);
    }
    receiver.at += bytes.length;
    if (receiver.caller.ended) this.check(receiver);
  }

  /** A receiver has come to its end. */
  check({ name, at, body }: Received): void {
    check(at === body?.length, `${name} saw the end after ${at} bytes of ${body?.length}`);
  }

  /** After everyone had the time and the means: nothing hangs, and nothing is lost in silence. */
  finish(): void {
    for (const { name, caller } of [...this.sent, ...this.received]) {
      check(caller.over, `${name} hangs`);
    }
    for (const { name, caller, done } of this.sent) {
      check(caller.error || done || this.aborted, `${name} is lost, and its sender not told`);
    }
    for (const receiver of this.received) if (!receiver.caller.error) this.check(receiver);
  }

  #seeFinished(): void {
    for (const receiver of this.received) {
      const { message, caller } = receiver;
      if (!message || !caller.over || caller.error) continue;
      check(message.ended && !message.done, `${message.name} was finished too early or twice`);
      message.done = true;
      message.receiver = receiver.message = undefined;
      const { over, error } = message.caller;
      check(message.gone || over && !error, `the sender of ${message.name} was not told`);
    }
  }

  /** There was no room for more of a message. */
  #seeRefused(message: Sent): void {
    if (message.gone || !isRefused(message)) return;
    message.answered = message.caller.answered;
    message.gone = true;
    const { receiver } = message;
    if (!receiver) return this.#remove(message);
    fails(receiver, "ABORTED");
    message.receiver = receiver.message = undefined;
  }

  #seeOverrun(message: Sent): void {
    if (!message.caller.error || message.gone) return;
    check(message.matched && message.caller.sent > RETAINED_BYTES, `${message.name} was dropped`);
    fails(message, "ABORTED");
    message.gone = true;
    this.#remove(message);
  }

  #seeTurnedAway(): void {
    if (!this.closed) return;
    const mayReturn = this.flying.filter(({ gone }) => !gone);
    const over = this.waiting.filter(({ caller }) => caller.over);
    if (over.length === 0 && mayReturn.length > 0) return;
    check(over.length === this.waiting.length, "some receives wait at a closed channel");
    for (const receiver of over) fails(receiver, "CLOSED");
    for (const { caller, name } of over.length > 0 ? mayReturn : []) {
      check(caller.sent > RETAINED_BYTES, `nobody waits for ${name}, which may come back`);
    }
    this.waiting = [];
  }

  #seeSender(message: Sent): void {
    const { caller, name } = message;
    check(caller.answered === message.answered, `${name} answered: ${caller.answered}`);
    const most = message.matched
      ? Math.max(caller.sent + STREAM_WINDOW, RETAINED_BYTES)
      : RETAINED_BYTES;
    check(caller.allowed <= most, `${name} was granted ${caller.allowed} bytes`);
    if (message.gone) return;
    check(!caller.error, `${name} failed: ${caller.error}`);
    if (caller.finished && !message.done) {
      check(this.#isSafe(message), `${name} was confirmed before it was safe`);
    }
    if (this.#isWhole(message) && this.#isSafe(message)) {
      check(caller.finished, `${name} was not confirmed, though it is safe`);
    }
  }

  // --- the queue ----------------------------------------------------------------------------------

  /** True if the channel must have all of it in hand. */
  #isWhole({ settled, answered, body }: Sent): boolean {
    return settled && answered && body.length <= RETAINED_BYTES;
  }

  /** True if the channel may answer for it. */
  #isSafe({ ended, answered, body }: Sent): boolean {
    return this.#capacity > 0 && ended && answered && body.length <= RETAINED_BYTES;
  }

  #refused(caller: Caller): boolean {
    if (this.aborted) fails({ name: "a send", caller }, "ABORTED");
    else if (this.closed) fails({ name: "a send", caller }, "CLOSED");
    return this.aborted || this.closed;
  }

  #place(message: Sent): void {
    const receiver = this.waiting.shift();
    if (receiver) return this.#match(message, receiver);
    this.queue.push(message);
    this.queue.sort((a, b) => this.sent.indexOf(a) - this.sent.indexOf(b));
    this.#promote();
  }

  #match(message: Sent, receiver: Received): void {
    message.answered = message.matched = message.counted = true;
    message.receiver = receiver;
    receiver.message = message;
    receiver.body = message.body;
  }

  #promote(): void {
    for (const message of this.queue) {
      if (message.answered) continue;
      if (this.queue.filter(({ answered }) => answered).length >= this.#capacity) return;
      message.answered = true;
    }
  }

  #remove(message: Sent): void {
    this.queue = this.queue.filter((other) => other !== message);
    this.#promote();
  }
}

/** True if the channel had no room for a message. */
function isRefused({ caller }: Sent): boolean {
  return caller.error?.code === "BUSY";
}

function fails({ name, caller }: { name: string; caller: Caller }, code: ErrorCode): void {
  check(caller.over, `${name} should have failed with ${code}, but goes on`);
  check(caller.error?.code === code, `${name} should have failed with ${code}: ${caller.error}`);
}

/** Throws unless `condition` holds. */
export function check(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}
