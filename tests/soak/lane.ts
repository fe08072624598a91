/**
 * The traffic of one channel: its senders and its receivers, and the ledger that is kept of them.
 *
 * @module
 */

import type { Chan, Client } from "../../mod.ts";
import { Random } from "../random.ts";
import { Attempts } from "./attempts.ts";
import type { Circuit, Member } from "./circuit.ts";
import { identify, messageOf, someLength } from "./content.ts";
import { Violation } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { Reach } from "./reach.ts";

/** Channel capacities. */
const CAPACITIES = [0, 0, 1, 8, 64];

/** Bytes of a piece where a message is sent piece by piece. */
const PIECE_BYTES = 20_000;

/** Share of the receives that are given up half-way. */
const GIVEN_UP = 0.005;

/** Share of the sends before which the sender pauses, and for how many milliseconds at most. */
const PAUSE = { share: 0.5, ms: 20 };

/** One channel on one server. */
export class Lane {
  readonly #circuit: Circuit;
  readonly #member: Member;
  readonly #number: number;
  readonly #random: Random;
  readonly #path: string;
  readonly #capacity: number;
  readonly #ledger: Ledger;
  readonly #attempts: Attempts;
  readonly #handles = new WeakMap<Client, Chan>();
  /** All messages were sent. */
  #closing = false;

  /**
   * @param member Where the channel is.
   * @param number Counts the channels, and decides with the seed what is done.
   */
  constructor(circuit: Circuit, member: Member, number: number) {
    this.#circuit = circuit;
    this.#member = member;
    this.#number = number;
    this.#random = new Random(Math.imul(circuit.journal.seed ^ number, 0x9e3779b1));
    this.#path = `${member.server.path}/soak/chan${number}`;
    this.#capacity = this.#random.pick(CAPACITIES) ?? 0;
    this.#ledger = new Ledger(`channel ${this.#path}`, this.#capacity, () => circuit.trouble);
    this.#attempts = new Attempts(`channel ${this.#path}`, circuit, member);
  }

  /**
   * Makes the channel, sends and receives, closes it, adds up.
   *
   * @throws {Violation} for whatever channels rule out.
   */
  async run(): Promise<void> {
    const { journal } = this.#circuit;
    const random = this.#random;
    const [senders, receivers] = [random.integer(1, 3), random.integer(1, 3)];
    const messages = random.integer(20, 200);
    await using stack = new AsyncDisposableStack();
    stack.use(this.#attempts);
    const reach = () => stack.use(this.#someReach());
    const control = reach();
    const work = async () => {
      await this.#attempts.make(control, async (client) => {
        await client.anchor(this.#path).makeChan(this.#capacity);
      });
      const receiving = Array.from({ length: receivers }, (_, i) => this.#receive(i, reach()));
      const sending = Array.from({ length: senders }, (_, i) => this.#send(i, messages, reach()));
      await Promise.all([Promise.all(sending).then(() => this.#close(control)), ...receiving]);
    };
    await Promise.race([work(), this.#attempts.stopped]);
    const lost = this.#attempts.ending.aborted;
    const { sent, received, reportedLost, twice, heldByLostServer } = this.#ledger.settle(lost);
    journal.count("messages sent", sent);
    journal.count("messages received", received);
    journal.count("messages reported lost", reportedLost);
    journal.count("messages received twice", twice);
    journal.count("messages held by a lost server", heldByLostServer);
    journal.count("channels");
    if (!lost) await this.#retry(control, (chan) => chan.scrub());
  }

  /** A way in by the channel's own server, by another one, or one that changes. */
  #someReach(): Reach & { direct?: boolean } {
    const { slots } = this.#circuit;
    const own = slots.find(({ member }) => member === this.#member);
    const direct = own !== undefined && this.#random.chance(0.4);
    const slot = direct ? own : this.#random.pick(slots);
    if (!slot) throw new Error("there are no places");
    const redial = !direct && this.#random.chance(0.3);
    return Object.assign(new Reach(this.#circuit, slot, redial), { direct });
  }

  async #send(sender: number, count: number, reach: Reach): Promise<void> {
    const random = new Random(this.#random.below(2 ** 32));
    for (let seq = 0; seq < count && !this.#attempts.ending.aborted; seq++) {
      const length = someLength(random);
      const id = { sender, seq };
      const message = messageOf(this.#number, id, length);
      const whole = random.chance(0.7);
      if (random.chance(PAUSE.share)) await pause(random.below(PAUSE.ms));
      const chan = await this.#chan(reach);
      if (!chan) return;
      this.#ledger.sending(id, length);
      try {
        await (whole ? chan.sendBytes(message) : sendPieces(chan, message));
        this.#ledger.told(id, length, "confirmed");
        this.#circuit.journal.count("bytes sent", length);
        this.#attempts.moved();
      } catch (error) {
        this.#ledger.told(id, length, "failed");
        await this.#attempts.failed("send", error);
      }
    }
  }

  async #receive(number: number, reach: Reach & { direct?: boolean }): Promise<void> {
    const receiver = { name: `receiver ${number}`, direct: reach.direct ?? false };
    const random = new Random(this.#random.below(2 ** 32));
    while (!this.#attempts.ending.aborted) {
      const chan = await this.#chan(reach);
      if (!chan) return;
      try {
        // Before the first fault, no sender may be told of any loss.
        const giveUp = random.chance(GIVEN_UP) && this.#circuit.trouble > 0;
        const bytes = giveUp ? await giveUpHalfWay(chan) : await chan.recvBytes();
        if (!bytes) {
          this.#ledger.givenBack();
          continue;
        }
        const id = bytes.length === 0 ? "empty" : identify(this.#number, bytes);
        if (!id) {
          throw new Violation(
            `channel ${this.#path}: a message of ${bytes.length} bytes is not what was sent`,
          );
        }
        this.#ledger.received(id, receiver);
        this.#circuit.journal.count("bytes received", bytes.length);
        this.#attempts.moved();
      } catch (error) {
        const code = await this.#attempts.failed("receive", error);
        if (code === "CLOSED" && this.#closing && !await reach.lost()) return;
        this.#ledger.receiverLost(receiver);
      }
    }
  }

  async #close(control: Reach): Promise<void> {
    this.#closing = true;
    await this.#retry(control, async (chan) => {
      if (!(await chan.stat()).closed) await chan.close();
    });
  }

  /** The channel by this way; undefined when its server is gone. */
  async #chan(reach: Reach): Promise<Chan | undefined> {
    return await this.#attempts.call(reach, async (client) => {
      const known = this.#handles.get(client);
      if (known) return known;
      const found = await client.anchor(this.#path).get();
      if (found?.kind !== "chan") throw new Violation(`${this.#path} holds ${found?.kind}`);
      this.#handles.set(client, found);
      return found;
    });
  }

  async #retry(reach: Reach, work: (chan: Chan) => Promise<void>): Promise<void> {
    await this.#attempts.call(reach, async (client) => {
      const found = await client.anchor(this.#path).get();
      if (found?.kind === "chan") await work(found);
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function sendPieces(chan: Chan, message: Uint8Array): Promise<void> {
  const writer = (await chan.send()).getWriter();
  for (let at = 0; at < message.length; at += PIECE_BYTES) {
    await writer.write(message.subarray(at, at + PIECE_BYTES));
  }
  await writer.close();
}

/** Takes a message and gives it up after its first piece; an empty one has none, and is received. */
async function giveUpHalfWay(chan: Chan): Promise<Uint8Array | undefined> {
  const reader = (await chan.recv()).getReader();
  const { done } = await reader.read();
  if (done) return new Uint8Array(0);
  await reader.cancel();
  return undefined;
}
