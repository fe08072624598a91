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
import { type Dial, first, type Seeds } from "./first.ts";
import type { Redialler } from "./redial.ts";

/** Milliseconds that a call waits for a direct connection before it goes through the dial-in server. */
const DIRECT_GRACE_MS = 250;

/** The same for a client that redials, whose calls had better not depend on the dial-in server: 2 s. */
const REDIAL_GRACE_MS = 2_000;

/** Milliseconds after a failed direct dial in which no other is tried. */
const DIRECT_RETRY_MS = 30_000;

/** Milliseconds that a call waits for another dial-in server: 10 s. */
const REDIAL_WAIT_MS = 10_000;

/** A server that the dial-in server is not. */
interface Route {
  session?: Session;
  /** Under way; never rejects. */
  dialling?: Promise<void>;
  /** Before this time, in ms of `performance.now()`, no direct dial is tried. */
  notBefore: number;
}

/** How to get into a circuit. */
export interface RouterOptions {
  readonly endpoint: Endpoint;
  /** Finds servers that may be dialled into; called again when the dial-in server is lost. */
  readonly seeds: Seeds;
  /** Milliseconds that those which were found have to answer; default: as many as dialling takes. */
  readonly answerMs?: number | undefined;
  /** Whether another server takes the place of a dial-in server that is lost. */
  readonly redial: boolean;
}

/** Finds the way to each server. */
export class Router {
  readonly #endpoint: Endpoint;
  readonly #routes = new Map<string, Route>();
  readonly #abort = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  #redialler: Redialler | undefined;
  #dialIn!: Session; // set by connect(), which alone makes a router
  /** On its way to another dial-in server. */
  #next: Promise<Session> | undefined;

  private constructor(endpoint: Endpoint) {
    this.#endpoint = {
      ...endpoint,
      onMember: (session, payload) => this.#onGone(session, new TextDecoder().decode(payload)),
    };
  }

  /**
   * Connects to the first server that answers.
   *
   * @throws {CircuitError} why none of them does.
   */
  static async connect(
    { endpoint, seeds, answerMs, redial }: RouterOptions,
    signal: AbortSignal | undefined,
  ): Promise<Router> {
    const router = new Router(endpoint);
    const session = await first(seeds, router.#dialTo, { signal, answerMs });
    if (redial) {
      // Who does not redial starts faster without this.
      const { Redialler } = await import("./redial.ts");
      router.#redialler = new Redialler({ dial: router.#dialTo, seeds });
    }
    router.#enter(session);
    if (!router.#redialler) return router;
    await router.#learn(router.#redialler, session);
    if (!session.error || router.#redialler.known.length > 0) return router;
    // It was lost before it had said who else there is: none would take its place.
    await router.close(session.error);
    throw session.error;
  }

  /** The server that was dialled last: its ID and address. */
  get dialIn(): Session["peer"] {
    return this.#dialIn.peer;
  }

  /** True once the client is being closed. */
  get closing(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Resolves when everything is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * The connection for requests to this server; undefined is the root, which the dial-in server
   * answers.
   *
   * @throws {CircuitError} `CLOSED` if the client was closed; `UNREACHABLE` if no server takes the
   * place of the dial-in server in time.
   */
  session(server: string | undefined): Session | Promise<Session> {
    if (this.closing) throw new CircuitError("CLOSED", "the client was closed");
    if (server === undefined || server === this.#dialIn.peer.id) return this.#root();
    let route = this.#routes.get(server);
    if (route?.session?.usable) return route.session;
    if (!route) this.#routes.set(server, route = { notBefore: 0 });
    if (!route.dialling && performance.now() < route.notBefore) return this.#root();
    return this.#direct(server, route);
  }

  /** Closes every connection; calls under way fail with `reason`, later ones with CLOSED. */
  async close(reason: CircuitError): Promise<void> {
    if (this.closing) return await this.closed;
    this.#abort.abort(reason);
    const routes = [...this.#routes.values()];
    await Promise.all(routes.map((route) => route.dialling));
    const sessions = routes.flatMap(({ session }) => session ? [session] : []);
    await Promise.all([this.#dialIn, ...sessions].map((session) => session.close(reason)));
    this.#closed.resolve();
  }

  readonly #dialTo: Dial = (address, signal) => dialSession(this.#endpoint, address, signal);

  // --- the dial-in server -----------------------------------------------------------------------

  #root(): Session | Promise<Session> {
    const session = this.#dialIn;
    if (session.usable || !this.#redialler) return session;
    const next = this.#replace(this.#redialler);
    return next instanceof Promise ? this.#inTime(next) : next;
  }

  /** This is the dial-in server from now on. */
  #enter(session: Session): Session {
    this.#dialIn = session;
    session.closed.then((error) => {
      if (session !== this.#dialIn || this.closing) return;
      if (this.#redialler) void this.#replace(this.#redialler);
      // What goes straight to others has no use either: the circuit is known through this one.
      else void this.close(error);
    });
    return session;
  }

  /** Puts another server in the place of the dial-in server. The promise fails when that is closed. */
  #replace(redialler: Redialler): Session | Promise<Session> {
    if (this.#next) return this.#next;
    // A server that there is a connection to needs not be looked for.
    for (const { session } of this.#routes.values()) {
      if (session?.usable) return this.#enter(session);
    }
    const { signal } = this.#abort;
    const next = redialler.next(this.#dialIn.peer.address, signal).then(async (session) => {
      this.#next = undefined;
      if (!signal.aborted) return this.#enter(session);
      await session.close();
      throw signal.reason;
    });
    next.catch(() => {});
    return this.#next = next;
  }

  async #inTime(next: Promise<Session>): Promise<Session> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const seconds = REDIAL_WAIT_MS / 1000;
      const why = `lost server ${this.#dialIn.peer.address}, and no other server of the circuit ` +
        `could be reached within ${seconds} s; the search goes on`;
      late.reject(new CircuitError("UNREACHABLE", why));
    }, REDIAL_WAIT_MS);
    try {
      return await Promise.race([next, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Learns who is in the circuit, and goes on doing so. */
  async #learn(redialler: Redialler, session: Session): Promise<void> {
    const wait = await redialler.refresh(session);
    const root = () => this.#dialIn.usable ? this.#dialIn : this.#replace(redialler);
    void redialler.keepFresh(wait, root, this.#abort.signal);
  }

  // --- the others -------------------------------------------------------------------------------

  async #direct(server: string, route: Route): Promise<Session> {
    route.dialling ??= this.#dial(server, route).finally(() => delete route.dialling);
    const graceMs = this.#redialler ? REDIAL_GRACE_MS : DIRECT_GRACE_MS;
    let timer;
    const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
    await Promise.race([route.dialling, grace]);
    clearTimeout(timer);
    return route.session?.usable ? route.session : await this.#root();
  }

  async #dial(server: string, route: Route): Promise<void> {
    const { signal } = this.#abort;
    try {
      const method = `${rootDescription.name}.find`;
      const root = await this.#root();
      const address = await root.open(method, "/", { args: server, end: true }).reply();
      // The dial-in server knows no such server; what it says to the request tells the caller why.
      if (typeof address !== "string") return;
      const session = await this.#dialTo({ ...parseAddress(address), id: server }, signal);
      if (signal.aborted) return void await session.close();
      route.session = session;
      session.closed.then(() => {
        delete route.session;
        this.#forget(server);
      });
    } catch {
      // Not reachable from here, which is no fault: the dial-in server passes requests on.
      route.notBefore = performance.now() + DIRECT_RETRY_MS;
    }
  }

  /** A server may fall silent where its connections do not break; the circuit knows sooner. */
  #onGone(teller: Session, server: string): void {
    if (teller !== this.#dialIn) return;
    const why = `server ${server} has left the circuit`;
    void this.#routes.get(server)?.session?.close(new CircuitError("SERVER_GONE", why));
    this.#forget(server);
  }

  #forget(server: string): void {
    const route = this.#routes.get(server);
    if (!route?.session && !route?.dialling) this.#routes.delete(server);
  }
}
