/**
 * Which connection a request goes over: straight to the server that it is for where that can be
 * dialled, else through the dial-in server.
 *
 * @module
 */

import { rootDescription } from "../elements/anchor/description.ts";
import { parseAddress } from "../overlay/address.ts";
import { CircuitError } from "../overlay/errors.ts";
import { dialSession, type Endpoint } from "../overlay/transport/connect.ts";
import type { Session } from "../overlay/transport/session.ts";

/** Milliseconds that a call waits for a direct connection before it goes through the dial-in server. */
const DIRECT_GRACE_MS = 250;

/** Milliseconds after a failed direct dial in which no other is tried. */
const DIRECT_RETRY_MS = 30_000;

/** A server that the dial-in server is not. */
interface Route {
  session?: Session;
  /** Under way; never rejects. */
  dialling?: Promise<void>;
  /** Before this time, in ms of `performance.now()`, no direct dial is tried. */
  notBefore: number;
}

/** Finds the way to each server. */
export class Router {
  readonly #endpoint: Endpoint;
  readonly #dialIn: Session;
  readonly #routes = new Map<string, Route>();
  readonly #abort = new AbortController();

  /** @param dialIn The connection that the client was made with. */
  constructor(endpoint: Endpoint, dialIn: Session) {
    this.#endpoint = endpoint;
    this.#dialIn = dialIn;
  }

  /**
   * The connection for requests to this server; undefined is the root, which the dial-in server
   * answers.
   *
   * @throws {CircuitError} `CLOSED` if the client was closed.
   */
  session(server: string | undefined): Session | Promise<Session> {
    if (this.#abort.signal.aborted) {
      throw new CircuitError("CLOSED", "the client was closed");
    }
    if (server === undefined || server === this.#dialIn.peer.id) return this.#dialIn;
    let route = this.#routes.get(server);
    if (route?.session?.usable) return route.session;
    if (!route) this.#routes.set(server, route = { notBefore: 0 });
    if (!route.dialling && performance.now() < route.notBefore) return this.#dialIn;
    return this.#direct(server, route);
  }

  /**
   * The dial-in server says that a server has left the circuit: what is under way with it on a direct
   * connection fails now, not when that connection is found to be silent.
   */
  left(server: string): void {
    const route = this.#routes.get(server);
    if (!route) return;
    this.#routes.delete(server);
    route.session?.close(new CircuitError("SERVER_GONE", `server ${server} has left the circuit`));
  }

  /** Closes every connection; calls under way fail with `reason`, later ones with CLOSED. */
  async close(reason: CircuitError): Promise<void> {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(reason);
    const routes = [...this.#routes.values()];
    await Promise.all(routes.map((route) => route.dialling));
    const sessions = routes.flatMap(({ session }) => session ? [session] : []);
    await Promise.all([this.#dialIn, ...sessions].map((session) => session.close(reason)));
  }

  async #direct(server: string, route: Route): Promise<Session> {
    route.dialling ??= this.#dial(server, route).finally(() => delete route.dialling);
    let timer;
    const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, DIRECT_GRACE_MS));
    await Promise.race([route.dialling, grace]);
    clearTimeout(timer);
    return route.session?.usable ? route.session : this.#dialIn;
  }

  async #dial(server: string, route: Route): Promise<void> {
    const { signal } = this.#abort;
    try {
      const method = `${rootDescription.name}.find`;
      const address = await this.#dialIn.open(method, "/", { args: server, end: true }).reply();
      // The dial-in server knows no such server; what it says to the request tells the caller why.
      if (typeof address !== "string") return;
      const wanted = { ...parseAddress(address), id: server };
      const session = await dialSession(this.#endpoint, wanted, signal);
      if (signal.aborted) await session.close();
      else route.session = session;
    } catch {
      // Not reachable from here, which is no fault: the dial-in server passes requests on.
      route.notBefore = performance.now() + DIRECT_RETRY_MS;
    }
  }
}
