/**
 * A server's place in the circuit: its listener, its connections to other servers, and the
 * membership protocol, which is a state machine that this file drives.
 *
 * @module
 */

import { parseAddress } from "./address.ts";
import type { Budget } from "./budget.ts";
import { CircuitError, toCircuitError } from "./errors.ts";
import type { DialFailure, Input, LinkId, Member, Output } from "./membership/types.ts";
import type { Clock } from "./transport/clock.ts";
import { answerSession, dialSession, type Endpoint, WRONG_SERVER } from "./transport/connect.ts";
import { Handshakes } from "./transport/handshakes.ts";
import { MAX_CONNECTIONS, SERVER_RESERVE } from "./transport/limits.ts";
import { type Conn, isRefusal, type Listener, type Network } from "./transport/network.ts";
import type { Incoming, Peer, Session } from "./transport/session.ts";

export type { Member };

/** The membership protocol, as the node drives it: no I/O and no clock of its own. */
export interface MembershipProtocol {
  /** Takes what happened and returns what to do. */
  handle(input: Input, now: number): Output[];
  /** When it wants its next tick, in ms of the same clock as `now`. */
  readonly wakeAt: number;
  /** The live servers, this one included, by ID. */
  members(): Member[];
}

/** A server that has come or gone. */
export interface MemberEvent {
  readonly type: "joined" | "left";
  readonly member: Member;
}

/** What a node is made of. */
export interface NodeOptions {
  readonly network: Network;
  /** Accepting already; the node closes it. */
  readonly listener: Listener;
  readonly self: Member;
  /** Makes the membership protocol. */
  readonly membership: (self: Member) => MembershipProtocol;
  /** Takes the requests of clients and of other servers. */
  readonly onRequest: (incoming: Incoming) => void;
  /** Called for each connection that was accepted. */
  readonly onConnection?: () => void;
  /** The circuit's keys as they are now: the first is used to dial, all are accepted. Default: none. */
  readonly keys?: () => readonly Uint8Array[];
  /** Connections at a time; default {@linkcode MAX_CONNECTIONS}. */
  readonly maxConnections?: number;
  /** Connections at a time that are no sessions yet; default {@linkcode MAX_HANDSHAKES}. */
  readonly maxHandshakes?: number;
  /** What the sessions share of memory for their peers; default: without a limit. */
  readonly budget?: Budget;
  /** For the sessions; default: the machine's. */
  readonly clock?: Clock;
  /** Writes a line to the server's log. */
  readonly log: (level: "debug" | "info" | "warn" | "error", message: string) => void;
}

/** Milliseconds that a join waits for the other circuit's members, once it is connected. */
const JOIN_NEWS_MS = 2_000;

/** Milliseconds after which the membership's dial of a server that it knows is given up. */
const LINK_DIAL_MS = 2_000;

/**
 * Milliseconds after which a server that cut such a dial off is dialled once more. The system of a
 * process that was killed closes what it had open one by one: for a moment its port still takes
 * connections, and only a refusal says that it is dead.
 */
const SECOND_DIAL_MS = 50;

/** Servers that have gone which a node remembers, to tell them from those that never were. */
const MAX_GONE = 10_000;

/** Handshakes that are given up at a time where there are no open files left. */
const DROP_AT_ONCE = 16;

/** Milliseconds before the next connection is accepted then: for what was given up to close, else 100. */
const DROPPED_MS = 10;
const EXHAUSTED_MS = 100;

/** Milliseconds between two warnings that there are no open files left: a minute. */
const WARN_EVERY_MS = 60_000;

/** One server in the circuit. */
export class Node {
  readonly self: Member;
  readonly #options: NodeOptions;
  readonly #endpoint: Endpoint & { readonly self: Member };
  readonly #membership: MembershipProtocol;
  readonly #sessions = new Set<Session>();
  readonly #links = new Map<LinkId, Session>();
  readonly #linkOf = new Map<Session, LinkId>();
  readonly #dials = new Map<string, Promise<Session>>();
  /** Dials that the membership has asked for, by address. */
  readonly #linkDials = new Map<string, Promise<Session>>();
  readonly #listeners = new Set<(event: MemberEvent) => void>();
  readonly #gone = new Set<string>();
  #nextLink = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it goes off, in ms of `performance.now()`; NaN if it is not set. */
  #timerAt = NaN;
  #stopped = false;
  readonly #handshakes: Handshakes;
  readonly #accepting: Promise<void>;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.self = options.self;
    this.#membership = options.membership(options.self);
    this.#handshakes = new Handshakes(options.maxHandshakes);
    this.#endpoint = {
      get keys() {
        return options.keys?.() ?? [];
      },
      network: options.network,
      self: options.self,
      onRequest: options.onRequest,
      admit: (role) => this.#checkRoom(role, this.#sessions.size),
      onMember: (session, payload) => this.#onMember(session, payload),
      ...(options.clock && { clock: options.clock }),
      ...(options.budget && { budget: options.budget }),
    };
    this.#accepting = this.#acceptLoop();
    this.#rearm();
  }

  /** The live servers, this one included, by ID. */
  members(): Member[] {
    return this.#membership.members();
  }

  /** The live server with this ID. */
  member(id: string): Member | undefined {
    return this.members().find((member) => member.id === id);
  }

  /** Connections of all kinds that are open now. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** Calls back for each server that comes or goes, in order; returns what ends that. */
  onEvent(listener: (event: MemberEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Merges this server's circuit with the one that the server at `address` is in. Resolves once the
   * two are connected and the members of the other are listed.
   *
   * @throws {CircuitError} `BAD_REQUEST`, or why the address cannot be dialled.
   */
  async join(address: string): Promise<void> {
    const { id } = parseAddress(address);
    if (id !== undefined && (id === this.self.id || this.member(id))) return;
    this.#feed({ type: "join", address });
    const session = await (this.#linkDials.get(address) ?? this.#dial(address, id));
    const peer = session.peer.id;
    if (peer === this.self.id) return session.close();
    // A busy server sends newcomers on to others, so it may take a while until it is listed itself.
    await this.#listed((listed) => peer === undefined || listed.has(peer) || listed.size > 1);
    // The membership wants no link with a server that it has one with already.
    if (!this.#linkOf.has(session) && session.streamCount === 0) session.close();
  }

  /** Resolves when the list of live servers is as wanted, or after {@linkcode JOIN_NEWS_MS}. */
  #listed(wanted: (ids: ReadonlySet<string>) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!wanted(new Set(this.members().map(({ id }) => id)))) return;
        clearTimeout(timer);
        stop();
        resolve();
      };
      const stop = this.onEvent(look);
      const timer = setTimeout(() => {
        stop();
        resolve();
      }, JOIN_NEWS_MS);
      look();
    });
  }

  /**
   * A connection to a live server: the one there is, or a new one.
   *
   * @throws {CircuitError} `NOT_FOUND` if no such server is in the circuit, `SERVER_GONE` if it was
   * and has gone, or cannot be reached.
   */
  session(id: string): Session | Promise<Session> {
    for (const session of this.#sessions) {
      if (session.peer.id === id && session.usable) return session;
    }
    const member = this.member(id);
    if (!member) {
      throw this.#gone.has(id)
        ? new CircuitError("SERVER_GONE", `server ${id} has left the circuit`)
        : new CircuitError("NOT_FOUND", `there is no server ${id} in the circuit`);
    }
    return this.#dial(member.address, id).catch((cause) => {
      const error = toCircuitError(cause);
      throw new CircuitError("SERVER_GONE", `cannot reach server ${id}: ${error.message}`, {
        cause,
      });
    });
  }

  /** Leaves in order: tells everybody, finishes what is queued, closes all connections. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#do(this.#membership.handle({ type: "leave" }, performance.now()));
    this.#stopped = true;
    this.#handshakes.stop();
    clearTimeout(this.#timer);
    this.#options.listener.close();
    const reason = new CircuitError("SERVER_GONE", `server ${this.self.id} has left the circuit`);
    await Promise.all([...this.#sessions].map((session) => session.close(reason)));
    await this.#accepting;
  }

  // --- connections ----------------------------------------------------------------------------

  async #acceptLoop(): Promise<void> {
    let warnedAt = -Infinity;
    for (;;) {
      let conn: Conn | undefined;
      try {
        conn = await this.#options.listener.accept();
      } catch (error) {
        // Those that have proved nothing yet make room for the next, which may have the key.
        let dropped = 0;
        while (dropped < DROP_AT_ONCE && this.#handshakes.drop()) dropped++;
        const pause = dropped > 0 ? DROPPED_MS : EXHAUSTED_MS;
        await new Promise((resolve) => setTimeout(resolve, pause));
        if (performance.now() - warnedAt >= WARN_EVERY_MS) {
          warnedAt = performance.now();
          const { message } = toCircuitError(error);
          this.#options.log("warn", `cannot accept connections: ${message} (see ulimit -n)`);
        }
        continue;
      }
      if (!conn) return;
      this.#options.onConnection?.();
      this.#answer(conn);
    }
  }

  async #answer(conn: Conn): Promise<void> {
    try {
      const session = await this.#handshakes.run(
        conn.remote,
        (signal) => answerSession(this.#endpoint, conn, signal),
      );
      this.#adopt(session);
      this.#checkRoom(session.peer.role, this.#sessions.size - 1, session);
    } catch (error) {
      this.#options.log("debug", `turned away a connection: ${toCircuitError(error).message}`);
    }
  }

  /**
   * Makes sure that there is room for one more connection.
   *
   * @param others Connections that there are.
   * @param session The one that there is no room for any more, since others were faster.
   * @throws {CircuitError} `BUSY` if there is not.
   */
  #checkRoom(role: Peer["role"], others: number, session?: Session): void {
    const { maxConnections = MAX_CONNECTIONS } = this.#options;
    if (others < maxConnections + (role === "server" ? SERVER_RESERVE : 0)) return;
    const why = `server ${this.self.id} has ${others} connections, which is all it takes`;
    const error = new CircuitError("BUSY", why);
    session?.close(error);
    throw error;
  }

  #dial(address: string, id: string | undefined, signal?: AbortSignal): Promise<Session> {
    const key = `${address} ${id ?? ""}`;
    let dial = this.#dials.get(key);
    if (!dial) {
      const expected = id === undefined ? {} : { id };
      dial = dialSession(this.#endpoint, { ...parseAddress(address), ...expected }, signal)
        .then((session) => this.#adopt(session));
      const done = () => void this.#dials.delete(key);
      dial.then(done, done);
      this.#dials.set(key, dial);
    }
    return dial;
  }

  #adopt(session: Session): Session {
    this.#sessions.add(session);
    session.closed.then((error) => {
      this.#sessions.delete(session);
      const link = this.#linkOf.get(session);
      if (link === undefined) return;
      this.#links.delete(link);
      this.#linkOf.delete(session);
      this.#options.log("debug", `link to ${session.peer.id} is down: ${error.message}`);
      this.#feed({ type: "link-down", link });
    });
    if (this.#stopped) session.close();
    return session;
  }

  // --- membership -----------------------------------------------------------------------------

  #feed(input: Input): void {
    if (this.#stopped) return;
    this.#do(this.#membership.handle(input, performance.now()));
    this.#rearm();
  }

  #rearm(): void {
    const { wakeAt } = this.#membership;
    // Most messages change nothing about it, and setting a timer anew is not cheap.
    if (wakeAt === this.#timerAt || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timerAt = wakeAt;
    if (wakeAt === Infinity) return;
    // Timers go by whole milliseconds, and a tick that comes too early has to come once more.
    const wait = Math.ceil(Math.max(0, wakeAt - performance.now()));
    this.#timer = setTimeout(() => {
      this.#timerAt = NaN;
      this.#feed({ type: "tick" });
    }, wait);
  }

  #do(outputs: readonly Output[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case "dial":
          this.#dialLink(output.address, output.id);
          break;
        case "send":
          this.#links.get(output.link)?.sendMember(output.bytes);
          break;
        case "close":
          this.#closeLink(output.link);
          break;
        case "joined":
          this.#announce({ type: "joined", member: output.member });
          break;
        case "left":
          this.#remember(output.member.id);
          this.#announce({ type: "left", member: output.member });
          this.#dropSessions(output.member.id, output.cause);
          this.#tellClients(output.member.id);
      }
    }
  }

  async #dialLink(address: string, id: string | undefined): Promise<void> {
    // A seed gets the time of any dial: somebody waits for it, and wants to know why it failed.
    const limit = id === undefined ? undefined : AbortSignal.timeout(LINK_DIAL_MS);
    const dial = this.#dial(address, id, limit).catch(async (error) => {
      if (!limit || limit.aborted || failure(error) !== "unreachable") throw error;
      await new Promise((resolve) => setTimeout(resolve, SECOND_DIAL_MS));
      if (this.#stopped) throw error;
      return await this.#dial(address, id, limit);
    });
    this.#linkDials.set(address, dial);
    try {
      const session = await dial;
      if (session.peer.id !== this.self.id) return this.#linkUp(session, true, address);
      session.close();
      this.#feed({ type: "dial-failed", address, reason: "superseded" });
    } catch (error) {
      this.#options.log("debug", `cannot dial ${address}: ${toCircuitError(error).message}`);
      this.#feed({ type: "dial-failed", address, reason: failure(error) });
    } finally {
      this.#linkDials.delete(address);
    }
  }

  #linkUp(session: Session, dialled: boolean, address: string): void {
    const { id } = session.peer;
    if (id === undefined || session.error || this.#linkOf.has(session)) return;
    const link = this.#nextLink++;
    this.#links.set(link, session);
    this.#linkOf.set(session, link);
    const peer = { id, address: session.peer.address };
    this.#feed({ type: "link-up", link, peer, dialled, ...(dialled ? { address } : {}) });
  }

  #onMember(session: Session, payload: Uint8Array): void {
    if (session.peer.role !== "server") return;
    // A connection becomes a link of the membership when its dialler begins to speak of it.
    if (!this.#linkOf.has(session)) this.#linkUp(session, false, "");
    const link = this.#linkOf.get(session);
    if (link !== undefined) this.#feed({ type: "message", link, bytes: payload });
  }

  #closeLink(link: LinkId): void {
    const session = this.#links.get(link);
    if (!session) return;
    this.#links.delete(link);
    this.#linkOf.delete(session);
    if (session.streamCount === 0) session.close();
  }

  #announce(event: MemberEvent): void {
    const { id, address } = event.member;
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // The others are told all the same, and what follows is done.
        const { message } = toCircuitError(error);
        this.#options.log("error", `cannot report that ${id} has ${event.type}: ${message}`);
      }
    }
    this.#options.log("info", `server ${id} at ${address} ${event.type}`);
  }

  #remember(gone: string): void {
    this.#gone.add(gone);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= MAX_GONE) break;
      this.#gone.delete(oldest);
    }
  }

  /** A client may have a connection of its own to the server that is gone. */
  #tellClients(gone: string): void {
    const payload = new TextEncoder().encode(gone);
    for (const session of this.#sessions) {
      if (session.peer.role === "client") session.sendMember(payload);
    }
  }

  /** What is under way with a server that is gone fails now, not when its connection times out. */
  #dropSessions(id: string, cause: string): void {
    for (const session of this.#sessions) {
      if (session.peer.id !== id) continue;
      session.close(
        new CircuitError("SERVER_GONE", `server ${id} has left the circuit (${cause})`),
      );
    }
  }
}

function failure(error: unknown): DialFailure {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && cause.name === WRONG_SERVER) return "superseded";
  return isRefusal(error) ? "refused" : "unreachable";
}
