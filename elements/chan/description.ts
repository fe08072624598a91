/**
 * What a channel element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { streaming, unary } from "../describe.ts";
import { integer, nothing } from "../parse.ts";

/** Largest capacity of a channel, in messages. */
export const MAX_CAPACITY = 1_000_000;

/**
 * What `stat` tells of a channel.
 *
 * @example Count what waits to be received
 * ```ts
 * import { type ChanStat, dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const chan = await client.anchor(`/${server.serverId}/jobs`).makeChan(3);
 * await chan.sendBytes(new Uint8Array([1, 2, 3]));
 *
 * const stat: ChanStat = await chan.stat();
 * console.assert(stat.cap === 3 && stat.numSend - stat.numRecv === 1);
 * ```
 */
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
