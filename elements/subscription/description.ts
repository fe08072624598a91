/**
 * What a subscription element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { streaming, unary } from "../describe.ts";
import { nothing } from "../parse.ts";

/** What `peek` tells of a subscription. */
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
