/**
 * A process whose output is known beforehand, and its readers: what one that is cut off leaves, the
 * next one gets.
 *
 * @module
 */

import type { Client, Proc } from "../../mod.ts";
import { concat } from "../line_reader.ts";
import { Random } from "../random.ts";
import { Attempts } from "./attempts.ts";
import type { Circuit, Member } from "./circuit.ts";
import { printed, printer, same } from "./content.ts";
import { Violation } from "./journal.ts";
import { Reach } from "./reach.ts";

/** Most lines that a process prints, of 16 bytes each. */
const MAX_LINES = 100_000;

/** Most milliseconds that a slow reader pauses after each piece. */
const PAUSE_MS = 100;

/** Bytes of an output, from anywhere, by which it is known where they are: they hold a whole line. */
const PLACED_BYTES = 32;

/** How far a reader is. */
interface Got {
  /** Bytes from the output's beginning. */
  bytes: number;
  /** Bytes that were read further on, too few to know which they were. */
  unplaced: number;
}

/** One process on one server. */
export class Job {
  readonly #circuit: Circuit;
  readonly #member: Member;
  readonly #random: Random;
  readonly #path: string;
  readonly #attempts: Attempts;
  readonly #expected: Uint8Array;
  readonly #args: string[];
  /** Has the server keep all that the process prints, for any number of readers. */
  readonly #keep: boolean;
  /** Bytes after which the process is killed by a call. */
  readonly #killAfter: number;
  #signalled = false;

  /**
   * @param member Where it runs.
   * @param number Counts the processes, and decides with the seed what is done.
   */
  constructor(circuit: Circuit, member: Member, number: number) {
    this.#circuit = circuit;
    this.#member = member;
    this.#random = new Random(Math.imul(circuit.journal.seed ^ number, 0x85ebca6b));
    this.#path = `${member.server.path}/soak/job${number}`;
    const [seed, lines] = [this.#random.integer(1, 1e6), this.#random.below(MAX_LINES)];
    this.#args = printer(seed, lines);
    this.#expected = printed(seed, lines);
    this.#keep = this.#random.chance(0.3);
    this.#killAfter = this.#random.chance(0.2) ? this.#expected.length / 2 : Infinity;
    this.#attempts = new Attempts(`process ${this.#path}`, circuit, member);
  }

  /**
   * Starts the process, reads what it prints, and hears how it ends.
   *
   * @throws {Violation} if that is not what it printed or how it ended.
   */
  async run(): Promise<void> {
    await using stack = new AsyncDisposableStack();
    stack.use(this.#attempts);
    const reach = () => {
      const slot = this.#random.pick(this.#circuit.slots);
      if (!slot) throw new Error("there are no places");
      return stack.use(new Reach(this.#circuit, slot, this.#random.chance(0.3)));
    };
    const readers = Array.from({ length: this.#keep ? 2 : 1 }, reach);
    const control = reach();
    await Promise.race([this.#live(control, readers), this.#attempts.stopped]);
    this.#circuit.journal.count("processes");
  }

  async #live(control: Reach, readers: readonly Reach[]): Promise<void> {
    const keep = this.#keep ? { keep: this.#expected.length + 1 } : {};
    await this.#attempts.make(control, async (client) => {
      await client.anchor(this.#path).makeProc({ path: "awk", args: this.#args, ...keep });
    });
    await Promise.all(readers.map((reach) => this.#read(reach)));
    await this.#attempts.call(control, async (client) => {
      const { phase, exitCode } = await (await this.#proc(client)).wait();
      const right = phase === "exited" && exitCode === 0 ||
        this.#mayEndEarly() && phase === "signaled";
      if (!right) throw new Violation(`${this.#path} ${phase} with ${exitCode}`);
    });
    await this.#attempts.call(control, (client) => client.anchor(this.#path).scrub());
  }

  /** Reads to the end, with as many calls as that takes. */
  async #read(reach: Reach): Promise<void> {
    const slow = this.#random.chance(0.5);
    const got: Got = { bytes: 0, unplaced: 0 };
    for (;;) {
      const proc = await this.#attempts.call(reach, (client) => this.#proc(client));
      if (!proc) return;
      try {
        await this.#readOn(proc, got, slow);
        if (got.bytes === this.#expected.length || this.#mayEndEarly()) return;
        throw new Violation(
          `${this.#path}: end after ${got.bytes} of ${this.#expected.length} bytes`,
        );
      } catch (error) {
        await this.#attempts.failed("read", error);
      }
    }
  }

  /** Reads as far as one call gets. Bytes may come again, but none may be left out. */
  async #readOn(proc: Proc, got: Got, slow: boolean): Promise<void> {
    const { bytes: had } = got;
    let at = this.#keep ? 0 : undefined;
    let first: Uint8Array = new Uint8Array(0);
    const take = (bytes: Uint8Array, from: number) => {
      const end = from + bytes.length;
      const follows = at !== undefined || from <= had + got.unplaced;
      if (!follows || !same(bytes, this.#expected.subarray(from, end))) {
        throw new Violation(`${this.#path}: bytes ${from} to ${end} are wrong; it had ${had}`);
      }
      at = end;
      got.bytes = Math.max(got.bytes, end);
    };
    for await (const piece of proc.stdout()) {
      this.#attempts.moved();
      this.#circuit.journal.count("output bytes", piece.length);
      if (at === undefined) {
        first = concat([first, piece]);
        got.unplaced += piece.length;
        if (first.length >= PLACED_BYTES) take(first, this.#place(first, had + got.unplaced));
      } else {
        take(piece, at);
      }
      if (got.bytes >= this.#killAfter) this.#kill(proc);
      if (slow) await new Promise((resolve) => setTimeout(resolve, this.#random.below(PAUSE_MS)));
    }
    if (at === undefined && first.length > 0) take(first, this.#expected.length - first.length);
    got.unplaced = 0;
  }

  /** Where in the output these bytes are, which hold a whole line: each line has another number. */
  #place(bytes: Uint8Array, before: number): number {
    for (let at = Math.min(before, this.#expected.length - bytes.length); at >= 0; at--) {
      if (same(bytes, this.#expected.subarray(at, at + bytes.length))) return at;
    }
    const text = new TextDecoder().decode(bytes.slice(0, 64));
    throw new Violation(`${this.#path}: after ${before} bytes at most, there came ${text}`);
  }

  async #proc(client: Client): Promise<Proc> {
    const found = await client.anchor(this.#path).get();
    if (found?.kind !== "proc") throw new Violation(`${this.#path} holds ${found?.kind}`);
    return found;
  }

  #kill(proc: Proc): void {
    if (this.#signalled) return;
    this.#signalled = true;
    void this.#circuit.journal.guard(
      proc.signal("KILL").catch((error) => this.#circuit.excuse(error)),
    ).catch(() => {});
  }

  /** Whether something ends the process, or has ended it: a signal, or the stop of its server. */
  #mayEndEarly(): boolean {
    const { aborted, reason } = this.#attempts.ending;
    return this.#signalled || aborted && reason === "SIGTERM";
  }
}
