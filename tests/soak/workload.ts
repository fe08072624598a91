/**
 * What clients do meanwhile: channels and processes on each server, one after the other.
 *
 * @module
 */

import { within } from "../until.ts";
import { type Circuit, type Member, PATIENCE_MS, type Slot } from "./circuit.ts";
import { Job } from "./job.ts";
import { Lane } from "./lane.ts";

/** Channels and processes at a time on each server. */
const AT_A_TIME = { channels: 2, processes: 1 };

/** Milliseconds after which to look again whether a server is back. */
const RETRY_MS = 100;

/** The workload of a circuit. */
export class Workload {
  readonly #circuit: Circuit;
  #number = 0;
  #stopping = false;

  /** @param circuit Where it is done. */
  constructor(circuit: Circuit) {
    this.#circuit = circuit;
  }

  /** So many channels and processes on each server, and no more. */
  async some(count: number): Promise<void> {
    await Promise.all(this.#workers((work) => async (slot) => {
      for (let i = 0; i < count; i++) if (slot.member) await work(slot.member);
    }));
  }

  /**
   * Goes on until it is stopped.
   *
   * @returns what stops it, and resolves when all that was under way is over.
   */
  start(): () => Promise<void> {
    const workers = this.#workers((work) => async (slot) => {
      while (!this.#stopping) {
        if (slot.member) await work(slot.member);
        else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    });
    const all = this.#circuit.journal.guard(Promise.all(workers));
    all.catch(() => {});
    return async () => {
      this.#stopping = true;
      await within(2 * PATIENCE_MS, "the workload to end", all);
    };
  }

  #workers(
    worker: (work: (member: Member) => Promise<void>) => (slot: Slot) => Promise<void>,
  ): Promise<void>[] {
    const lane = worker((member) => new Lane(this.#circuit, member, this.#number++).run());
    const job = worker((member) => new Job(this.#circuit, member, this.#number++).run());
    const { channels, processes } = AT_A_TIME;
    return this.#circuit.slots.flatMap((slot) => [
      ...Array.from({ length: channels }, () => lane(slot)),
      ...Array.from({ length: processes }, () => job(slot)),
    ]);
  }
}
