/**
 * One random history of a channel: what senders and receivers may do, in any order, with any
 * progress in between, watched by a model.
 *
 * @module
 */

import { INITIAL_WINDOW } from "../call.ts";
import { Random } from "../../tests/random.ts";
import { settle } from "../_testing/settle.ts";
import { TestChan } from "./_harness.ts";
import { check, Model, type Received, type Sent } from "./_model.ts";

/** Most bytes of a message: 100 KiB. */
const MOST_BYTES = 100 * 1024;

/** Every message is a stretch of these, so that none has to be made. */
const SOURCE = ((random) => {
  return Uint8Array.from({ length: 2 * MOST_BYTES }, () => random.integer(0, 255));
})(new Random(1));

/** Bytes that the channel may hold: mostly enough for a few messages. */
const LIMITS = [Infinity, Infinity, 4 * 1024, 50 * 1024, 150 * 1024, 400 * 1024];

const WINDOWS = [0, 1, 500, INITIAL_WINDOW, INITIAL_WINDOW, 256 * 1024];

/** Runs the history of a seed; throws what was wrong, with all that had happened before. */
export async function runHistory(seed: number): Promise<void> {
  const history = new History(seed);
  try {
    await history.run();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed}: ${why}\n${history.log.join("\n")}`, { cause: error });
  }
}

class History {
  readonly log: string[] = [];
  readonly #random: Random;
  readonly #chan: TestChan;
  readonly #model: Model;
  readonly #limit: number;

  constructor(seed: number) {
    this.#random = new Random(seed);
    const capacity = this.#random.pick([0, 0, 1, 2, 5]) ?? 0;
    this.#limit = this.#random.pick(LIMITS) ?? Infinity;
    this.#chan = new TestChan(capacity, this.#limit);
    this.#model = new Model(capacity);
    this.log.push(`capacity ${capacity}, budget ${this.#limit}`);
  }

  async run(): Promise<void> {
    const random = this.#random;
    const steps = random.integer(5, 60);
    for (let i = 0; i < steps; i++) {
      if (!this.#model.aborted && random.chance(0.004)) await this.#scrub();
      this.#step();
      this.#model.observe();
      // Events fall between any two turns of the channel's own work.
      if (random.chance(0.4)) await this.#settle();
      else for (let turns = random.integer(0, 3); turns > 0; turns--) await null;
      this.#model.observe();
    }
    await this.#finish();
  }

  // --- what can happen ----------------------------------------------------------------------------

  #step(): void {
    const random = this.#random;
    const model = this.#model;
    const sender = random.pick(model.sent.filter(({ caller }) => !caller.over));
    const receiver = random.pick(model.received.filter(({ caller }) => !caller.over));
    const roll = random.next();
    if (roll < 0.2) this.#send();
    else if (roll < 0.4) this.#recv();
    else if (roll < 0.58) sender && this.#more(sender);
    else if (roll < 0.85) receiver && this.#read(receiver);
    else if (roll < 0.91) sender && this.#leaveSender(sender);
    else if (roll < 0.98) receiver && this.#leaveReceiver(receiver);
    else this.#close();
  }

  #send(): void {
    const random = this.#random;
    const size = random.chance(0.5)
      ? random.integer(0, 100)
      : random.chance(0.3)
      ? INITIAL_WINDOW + random.integer(-1, 1)
      : random.integer(0, MOST_BYTES);
    const at = random.integer(0, MOST_BYTES);
    const body = SOURCE.subarray(at, at + size);
    const most = Math.min(size, INITIAL_WINDOW);
    const first = random.chance(0.5) ? most : random.integer(0, most);
    const ended = first === size && random.chance(0.7);
    const name = `send ${this.#model.sent.length}`;
    this.log.push(`${name}: ${size} bytes, ${first} at once${ended ? ", ended" : ""}`);
    this.#model.send({
      name,
      body,
      caller: this.#chan.send({ body: body.subarray(0, first), end: ended }),
      ended,
      settled: false,
      answered: false,
      matched: false,
      gone: false,
      counted: false,
      done: false,
      receiver: undefined,
    });
  }

  #recv(): void {
    const window = this.#random.pick(WINDOWS) ?? 0;
    // A caller may say from the start that it acknowledges whatever will come.
    const end = this.#random.chance(0.1);
    const name = `recv ${this.#model.received.length}`;
    this.log.push(`${name}: window ${window}${end ? ", ended" : ""}`);
    const caller = this.#chan.recv({ window, end });
    this.#model.recv({ name, caller, message: undefined, body: undefined, at: 0 });
    this.#model.observe();
  }

  #more(message: Sent, all = false): void {
    const { caller, body } = message;
    if (message.ended) return;
    const most = Math.min(caller.credit, body.length - caller.sent);
    const bytes = all || this.#random.chance(0.5) ? most : this.#random.integer(0, most);
    caller.push(body.subarray(caller.sent, caller.sent + bytes));
    message.ended = caller.sent === body.length && (all || this.#random.chance(0.7));
    this.log.push(`${message.name}: ${bytes} bytes${message.ended ? ", ended" : ""}`);
    if (message.ended) caller.end();
  }

  #read(receiver: Received, all = false): void {
    const { caller } = receiver;
    let bytes = 0;
    for (let part = caller.poll(); part; part = all ? caller.poll() : undefined) {
      bytes += part.length;
      this.#model.read(receiver, part);
    }
    const granted = all ? MOST_BYTES : this.#random.integer(0, 2 * bytes + 1);
    caller.grant(granted);
    const ended = caller.ended && receiver.message !== undefined &&
      (all || this.#random.chance(0.7));
    this.log.push(`${receiver.name}: read ${bytes}, granted ${granted}${ended ? ", ended" : ""}`);
    if (!ended) return;
    this.#model.check(receiver);
    caller.end();
  }

  #leaveSender(message: Sent): void {
    const how = this.#random.chance(0.5) ? "cancel" : "goAway";
    this.log.push(`${message.name}: ${how}`);
    message.caller[how]();
    this.#model.senderLeft(message);
  }

  #leaveReceiver(receiver: Received): void {
    const how = this.#random.chance(0.5) ? "cancel" : "goAway";
    this.log.push(`${receiver.name}: ${how}`);
    receiver.caller[how]();
    this.#model.receiverLeft(receiver);
  }

  #close(): void {
    if (this.#random.chance(0.5)) return;
    this.log.push("close");
    const error = this.#chan.close();
    const want = this.#model.aborted ? "ABORTED" : this.#model.closed ? "CLOSED" : undefined;
    check(error?.code === want, `close should have been told ${want}, not ${error}`);
    if (!error) this.#model.close();
  }

  async #scrub(): Promise<void> {
    this.log.push("scrub");
    await this.#chan.scrub();
    this.#model.abort();
    this.#model.observe();
  }

  async #settle(): Promise<void> {
    this.log.push("settle");
    await settle();
    const model = this.#model;
    for (const message of model.sent) message.settled = message.ended;
    model.observe();
    this.#recount();
    const { numSend, numRecv, closed, aborted } = await this.#chan.stat();
    check(closed === model.closed && aborted === model.aborted, "stat tells the wrong state");
    if (aborted) return;
    check(numSend === model.numSend, `numSend is ${numSend}, not ${model.numSend}`);
    check(numRecv === model.numRecv, `numRecv is ${numRecv}, not ${model.numRecv}`);
  }

  /** What is counted is what is held, and within the limit. */
  #recount(): void {
    const { used } = this.#chan.budget;
    check(used === this.#chan.budget.channels.used, "something else was counted");
    check(used <= this.#limit, `${used} bytes are held, where ${this.#limit} are allowed`);
    this.#model.recount(used);
  }

  // --- the end ------------------------------------------------------------------------------------

  /** Lets everyone do what they can, until nobody waits any more or can be waited for. */
  async #finish(): Promise<void> {
    const model = this.#model;
    this.log.push("the end");
    if (!model.aborted && !model.closed) { for (const _ of model.queue) this.#recv(); }
    // Every round moves at least a window of every message that moves at all.
    for (let round = 0; round < 30; round++) {
      for (const message of model.sent) if (!message.caller.over) this.#more(message, true);
      for (const receiver of model.received) if (!receiver.caller.error) this.#read(receiver, true);
      model.observe();
      await this.#settle();
      // What is left in a closed channel, or came back, needs somebody to receive it.
      if (model.queue.length > 0) this.#recv();
    }
    if (!model.closed && !model.aborted) {
      this.#chan.close();
      model.close();
      model.observe();
    }
    await this.#settle();
    model.finish();
    check(this.#chan.budget.used === 0, `${this.#chan.budget.used} bytes stay in the account`);
  }
}
