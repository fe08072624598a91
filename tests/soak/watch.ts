/**
 * The `@join` and `@leave` subscriptions of one server, held against the servers that there are.
 *
 * @module
 */

import { until } from "../until.ts";
import { type Circuit, type Member, PATIENCE_MS, type Slot } from "./circuit.ts";
import { Violation } from "./journal.ts";
import { Reach } from "./reach.ts";

/** Milliseconds after a failure before the next attempt. */
const RETRY_MS = 100;

/** What was heard of one server. */
interface Heard {
  joins: number;
  leaves: number;
  /** Events that may have come twice, since who received them was cut off. */
  unsure: number;
}

/** The events of one server's subscriptions, from a time on at which all was well. */
export class Watch implements AsyncDisposable {
  readonly #circuit: Circuit;
  readonly #member: Member;
  readonly #reach: Reach;
  readonly #heard = new Map<string, Heard>();
  readonly #disturbedBefore: ReadonlyMap<string, number>;
  readonly #stop = new AbortController();
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(circuit: Circuit, slot: Slot, member: Member) {
    this.#circuit = circuit;
    this.#member = member;
    this.#reach = new Reach(circuit, slot);
    this.#disturbedBefore = new Map(circuit.members.map(({ server, disturbed }) => {
      return [server.path, disturbed];
    }));
  }

  /** Begins to watch a server, while nothing happens. */
  static async begin(circuit: Circuit, slot: Slot, member: Member): Promise<Watch> {
    const watch = new Watch(circuit, slot, member);
    const client = await watch.#reach.client(watch.#signal);
    const anchor = client.anchor(`${member.server.path}/soak`);
    await anchor.walk("leaves").makeOnLeave();
    await anchor.walk("joins").makeOnJoin();
    watch.#reading = Promise.all([watch.#read("leaves"), watch.#read("joins")]);
    void circuit.journal.guard(watch.#reading).catch(() => {});
    return watch;
  }

  /**
   * Checks the events while all is well: each server that is there has come once more than it has
   * gone, each other one as often; and one that nothing has befallen has come once.
   *
   * @throws {Violation} if that does not become so.
   */
  async check(): Promise<void> {
    const live = new Map(this.#circuit.members.map((member) => [member.server.path, member]));
    const wrong = () =>
      [...new Set([...live.keys(), ...this.#heard.keys()])].flatMap((path) => {
        const { joins, leaves, unsure } = this.#of(path);
        const off = Math.abs(joins - leaves - (live.has(path) ? 1 : 0));
        return off <= unsure ? [] : [`${path}: ${joins} times joined, ${leaves} times left`];
      });
    const { id } = this.#member.server;
    await until(`the events that ${id} tells to be right`, wrong, (seen) => seen.length === 0, {
      within: PATIENCE_MS,
    });
    for (const [path, member] of live) {
      const { joins, unsure } = this.#of(path);
      const calm = this.#calm(member) && this.#calm(this.#member) && unsure === 0;
      if (calm && joins !== 1) {
        throw new Violation(`${id} tells that ${path} joined ${joins} times`);
      }
    }
    this.#circuit.journal.count("checks of subscriptions");
  }

  /** Removes the subscriptions. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reach[Symbol.asyncDispose]();
    await this.#reading.catch(() => {});
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#member.ending.signal, this.#stop.signal]);
  }

  #calm({ server, disturbed }: Member): boolean {
    return disturbed === (this.#disturbedBefore.get(server.path) ?? 0);
  }

  #of(path: string): Heard {
    const heard = this.#heard.get(path) ?? { joins: 0, leaves: 0, unsure: 0 };
    this.#heard.set(path, heard);
    return heard;
  }

  async #read(which: "joins" | "leaves"): Promise<void> {
    const signal = this.#signal;
    let last: string | undefined;
    while (!signal.aborted) {
      try {
        const client = await this.#reach.client(signal);
        const element = await client.anchor(`${this.#member.server.path}/soak/${which}`).get();
        if (element?.kind !== "@join" && element?.kind !== "@leave") {
          throw new Violation(`${this.#member.server.id}: a subscription is gone`);
        }
        for (;;) {
          last = await element.consume();
          if (last === undefined) return;
          this.#of(last)[which]++;
          this.#circuit.journal.count("events of subscriptions");
        }
      } catch (error) {
        this.#circuit.excuse(error);
        if (last !== undefined) this.#of(last).unsure++;
        last = undefined;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
