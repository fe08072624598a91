/**
 * What a subscription element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { streaming, unary } from "../describe.ts";
import { nothing } from "../parse.ts";

/**
 * What `peek` tells of a subscription.
 *
 * @example
 * ```ts
 * import { dial, type SubscriptionStat } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const joins = await client.anchor(`/${server.serverId}/joins`).makeOnJoin();
 *
 * const stat: SubscriptionStat = await joins.peek();
 * console.assert(stat.source === "join" && stat.pending === 1);
 * ```
 */
export interface SubscriptionStat {
  /** Which events it collects. */
  readonly source: "join" | "leave";
  /** Events that wait to be received. */
  readonly pending: number;
  /** True after it was scrubbed. */
  readonly closed: boolean;
}

/** The subscription's methods. */
export const subscriptionDescription = {
  name: "subscription",
  methods: {
    /**
     * The bytes that come down are the path of a server in UTF-8; the caller ends its own stream when
     * it has it, and only then is the event gone from the subscription.
     */
    consume: streaming("both", nothing),
    peek: unary<void, SubscriptionStat>(nothing),
  },
} as const;
