/**
 * Subscriptions, as the client sees them.
 *
 * @module
 */

import { subscriptionDescription } from "../elements/subscription/description.ts";
import { CircuitError } from "../overlay/errors.ts";
import { call, open, type Target } from "./call.ts";
import { scrub } from "./scrub.ts";
import { readAll } from "./streams.ts";
import type { CallOptions, Subscription, SubscriptionStat } from "./types.ts";

/** A handle of a subscription. */
export class SubscriptionHandle implements Subscription {
  readonly kind: "@join" | "@leave";
  readonly #target: Target;

  constructor(kind: "@join" | "@leave", target: Target) {
    this.kind = kind;
    this.#target = target;
  }

  async consume(options?: CallOptions): Promise<string | undefined> {
    const method = `${subscriptionDescription.name}.consume`;
    const stream = await open(this.#target, method, {}, options);
    try {
      await stream.reply();
      return new TextDecoder().decode(await readAll(stream));
    } catch (error) {
      const ours = options?.signal?.aborted || this.#target.router.closing;
      const scrubbed = error instanceof CircuitError && !ours &&
        (error.code === "ABORTED" || error.code === "NOT_FOUND");
      if (scrubbed) return undefined;
      throw error;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    for (;;) {
      const path = await this.consume();
      if (path === undefined) return;
      yield path;
    }
  }

  peek(options?: CallOptions): Promise<SubscriptionStat> {
    return call(this.#target, subscriptionDescription, "peek", undefined, options);
  }

  scrub(options?: CallOptions): Promise<void> {
    return scrub(this.#target, options);
  }
}
