/**
 * Servers, as the client sees them.
 *
 * @module
 */

import { serverDescription } from "../elements/server/description.ts";
import { call, open, type Target } from "./call.ts";
import { readable } from "./streams.ts";
import type { CallOptions, Server, ServerStat } from "./types.ts";

/** A handle of a server. */
export class ServerHandle implements Server {
  readonly kind = "server";
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  peek(options?: CallOptions): Promise<ServerStat> {
    return call(this.#target, serverDescription, "peek", undefined, options);
  }

  rejoin(address: string, options?: CallOptions): Promise<void> {
    return call(this.#target, serverDescription, "rejoin", address, options);
  }

  profile(name: string, options?: CallOptions): ReadableStream<Uint8Array> {
    const method = `${serverDescription.name}.profile`;
    const request = { args: name, end: true };
    return readable((unwanted) => open(this.#target, method, request, options, unwanted));
  }

  suicide(options?: CallOptions): Promise<void> {
    return call(this.#target, serverDescription, "suicide", undefined, options);
  }
}
