/**
 * The sequence of faults: which befalls which server, and for how long, follows from the seed. After
 * each round all has to be well again.
 *
 * @module
 */

import { Random, sample } from "../random.ts";
import type { Circuit, Member, Slot } from "./circuit.ts";
import { befalls, type Fault, inflict, possible, type Undo } from "./faults.ts";
import { untilCallsWork, untilWrites } from "./probe.ts";
import { Watch } from "./watch.ts";

/** Milliseconds that faults last: most are short, some outlast every time limit of a server. */
const LASTS = { short: [200, 6_000], long: [11_000, 16_000], longShare: 0.15 } as const;

/** Milliseconds of quiet after a round. */
const QUIET = [200, 2_000] as const;

/** Milliseconds by which a timer has to be late for the machine to count as having stood still. */
const STOOD_STILL_MS = 1_000;

/** A fault that befalls one server. */
interface Blow {
  readonly fault: Fault;
  readonly slot: Slot;
}

/** Round after round. */
export class Rounds implements AsyncDisposable {
  readonly #circuit: Circuit;
  readonly #random: Random;
  readonly #faults: readonly Fault[];
  readonly #watches = new Map<Member, Watch>();
  readonly #lag: ReturnType<typeof setInterval>;
  #deck: Fault[] = [];

  /** @param circuit All is well in it. */
  constructor(circuit: Circuit) {
    this.#circuit = circuit;
    this.#random = new Random(circuit.journal.seed);
    this.#faults = possible(circuit).faults;
    let last = performance.now();
    this.#lag = setInterval(() => {
      const now = performance.now();
      // Servers that have to wait as long may take each other for dead.
      if (now - last > STOOD_STILL_MS) circuit.members.forEach((member) => member.disturbed++);
      last = now;
    }, 100);
  }

  /** One round: one or two faults at a time, their end, and the recovery. */
  async play(): Promise<void> {
    const { journal } = this.#circuit;
    await this.#watchAll();
    const blows = this.#plan();
    this.#circuit.trouble++;
    const undos: { name: string; undo: Undo }[] = [];
    for (const { fault, slot } of blows) {
      const name = `${fault} of server ${slot.index}`;
      journal.say(name);
      journal.count(`fault ${fault}`);
      undos.push({ name, undo: await inflict(fault, slot, this.#circuit, this.#random) });
      await this.#wait(...LASTS.short);
    }
    if (this.#random.chance(LASTS.longShare)) await this.#wait(...LASTS.long);
    for (const { name, undo } of undos) {
      journal.say(`end of ${name}`);
      await undo();
    }
    await this.#circuit.settled();
    await untilCallsWork(this.#circuit);
    for (const { fault, slot } of blows) {
      if (fault === "disk" && slot.member) await untilWrites(this.#circuit, slot, slot.member);
    }
    journal.say("all is well again");
    this.#circuit.trouble++;
    await this.check();
    await this.#wait(...QUIET);
  }

  /** Checks what subscriptions have told so far, while all is well. */
  async check(): Promise<void> {
    for (const [member, watch] of this.#watches) {
      if (!member.ending.signal.aborted) {
        await watch.check();
        continue;
      }
      this.#watches.delete(member);
      await watch[Symbol.asyncDispose]();
    }
  }

  /** Ends the watches. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#lag);
    await Promise.all([...this.#watches.values()].map((watch) => watch[Symbol.asyncDispose]()));
  }

  async #watchAll(): Promise<void> {
    for (const slot of this.#circuit.slots) {
      if (!slot.member || this.#watches.has(slot.member)) continue;
      const watch = await Watch.begin(this.#circuit, slot, slot.member);
      this.#watches.set(slot.member, watch);
    }
  }

  /** Each fault comes once before any comes again. */
  #plan(): Blow[] {
    const count = this.#random.chance(0.4) ? 2 : 1;
    const free = new Set(this.#circuit.slots);
    const blows: Blow[] = [];
    while (blows.length < count) {
      if (this.#deck.length === 0) {
        this.#deck = sample(this.#faults, this.#faults.length, () => this.#random.next());
      }
      const fault = this.#deck.pop() as Fault;
      if (blows.some((blow) => blow.fault === fault)) break;
      const slot = this.#random.pick([...free].filter((each) => befalls(fault, each)));
      if (!slot) break;
      free.delete(slot);
      blows.push({ fault, slot });
    }
    return blows;
  }

  #wait(least: number, most: number): Promise<void> {
    const ms = this.#random.integer(least, most);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
