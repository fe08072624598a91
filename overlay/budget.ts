/**
 * One account of all memory that clients can make a server hold, and its limit.
 *
 * @module
 */

import { CircuitError } from "./errors.ts";

/**
 * What holds memory for clients:
 *
 * - `channels`: messages without a receiver, and those that may have to be given to another one;
 * - `outputs`: what processes have printed, kept or not yet read;
 * - `inflow`: bytes that have come and that nobody has read or passed on yet;
 * - `replies`: bytes that wait for a peer which does not read them;
 * - `calls`: the calls that are open.
 */
export type Holder = "channels" | "outputs" | "inflow" | "replies" | "calls";

/** What a budget is used for, in bytes. */
export type BudgetUse = Readonly<Record<Holder, number>>;

/**
 * The part of a budget that is free for what passes through: an eighth. Channels and outputs can
 * hold bytes for as long as nobody wants them, and leave it alone, so that a server whose channels
 * are full can still be asked for what is in them.
 */
const PASSING_SHARE = 1 / 8;

/**
 * The budget of one server. What holds memory for clients takes it from its {@linkcode Share} before
 * it does, and gives it back after; where that would exceed the limit the client gets BUSY.
 *
 * What has to be held all the same is added without being asked for, so the use can be beyond the
 * limit by what each such place says.
 */
export class Budget {
  /** Bytes that may be used; infinite if there is no limit. */
  readonly limit: number;
  readonly channels: Share;
  readonly outputs: Share;
  readonly inflow: Share;
  readonly replies: Share;
  readonly calls: Share;

  /** @param limit Bytes that may be used; default: any number. */
  constructor(limit = Infinity) {
    this.limit = limit;
    const total = { used: 0 };
    const staying = limit === Infinity ? limit : Math.floor(limit * (1 - PASSING_SHARE));
    this.channels = new Share(total, limit, staying);
    this.outputs = new Share(total, limit, staying);
    this.inflow = new Share(total, limit, limit);
    this.replies = new Share(total, limit, limit);
    this.calls = new Share(total, limit, limit);
  }

  /** Bytes that are used, by what. */
  get use(): BudgetUse {
    const { channels, outputs, inflow, replies, calls } = this;
    return {
      channels: channels.used,
      outputs: outputs.used,
      inflow: inflow.used,
      replies: replies.used,
      calls: calls.used,
    };
  }

  /** Bytes that are used in all. */
  get used(): number {
    return Object.values(this.use).reduce((sum, bytes) => sum + bytes, 0);
  }
}

/** What one kind of holder uses of a budget. */
export class Share {
  readonly #total: { used: number };
  readonly #limit: number;
  readonly #most: number;
  #used = 0;

  /**
   * @param total What all shares of the budget use.
   * @param limit Of the budget, for messages.
   * @param most Bytes that all shares may use together for this one to get more.
   */
  constructor(total: { used: number }, limit: number, most: number) {
    this.#total = total;
    this.#limit = limit;
    this.#most = most;
  }

  /** Bytes that are used. */
  get used(): number {
    return this.#used;
  }

  /**
   * True if there is room for so many bytes more.
   *
   * @param passing They pass through, whatever else this share holds.
   */
  fits(bytes: number, passing = false): boolean {
    return this.#total.used + bytes <= (passing ? this.#limit : this.#most);
  }

  /** Uses so many bytes more, or fewer, whether there is room or not. */
  add(bytes: number): void {
    this.#used += bytes;
    this.#total.used += bytes;
  }

  /**
   * Uses so many bytes more.
   *
   * @param passing As in {@linkcode fits}.
   * @throws {CircuitError} `BUSY` if there is no room for them; nothing is used then.
   */
  take(bytes: number, passing = false): void {
    if (!this.fits(bytes, passing)) throw this.full(bytes);
    this.add(bytes);
  }

  /** The error for so many bytes that there is no room for. */
  full(bytes: number): CircuitError {
    const free = this.#most < this.#limit ? `, ${this.#limit - this.#most} of which stay free` : "";
    return new CircuitError(
      "BUSY",
      `no memory for ${bytes} bytes more: the server holds ${this.#total.used} for its clients, ` +
        `at most ${this.#limit} are allowed${free} (circuit start -memory)`,
    );
  }
}
