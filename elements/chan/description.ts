/**
 * What a channel element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { streaming, unary } from "../describe.ts";
import { integer, nothing } from "../parse.ts";

/** Largest capacity of a channel, in messages. */
export const MAX_CAPACITY = 1_000_000;

/** What `stat` tells of a channel. */
export interface ChanStat {
  /** Messages that the channel takes without a receiver. */
  readonly cap: number;
  /** True after `close`. */
  readonly closed: boolean;
  /** True after the element was scrubbed. */
  readonly aborted: boolean;
  /**
   * Messages that were matched with a receiver or taken into the buffer so far, less those whose
   * sender went away before they could be received. So `numSend - numRecv` are in the buffer now.
   */
  readonly numSend: number;
  /** Messages that were matched with a receiver so far, less those put back. */
  readonly numRecv: number;
}

/** What makes a channel: its capacity in messages. */
export const parseCapacity = integer(0, MAX_CAPACITY);

/** The channel's methods. */
export const chanDescription = {
  name: "chan",
  methods: {
    /** The bytes that go up are the message; answered when matched or buffered. */
    send: streaming("up", nothing),
    /**
     * The bytes that come down are the message; the caller ends its own stream when it has read all
     * of it, and only then is the message gone from the channel.
     */
    recv: streaming("both", nothing),
    close: unary<void, void>(nothing),
    stat: unary<void, ChanStat>(nothing),
  },
} as const;
