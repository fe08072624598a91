/**
 * Name servers, as the client sees them.
 *
 * @module
 */

import { nameserverDescription } from "../elements/dns/description.ts";
import { call, type Target } from "./call.ts";
import { scrub } from "./scrub.ts";
import type { CallOptions, Nameserver, NameserverStat } from "./types.ts";

/** A handle of a name server. */
export class NameserverHandle implements Nameserver {
  readonly kind = "dns";
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  set(record: string, options?: CallOptions): Promise<void> {
    return call(this.#target, nameserverDescription, "set", record, options);
  }

  unset(name: string, options?: CallOptions): Promise<void> {
    return call(this.#target, nameserverDescription, "unset", name, options);
  }

  peek(options?: CallOptions): Promise<NameserverStat> {
    return call(this.#target, nameserverDescription, "peek", undefined, options);
  }

  scrub(options?: CallOptions): Promise<void> {
    return scrub(this.#target, options);
  }
}
