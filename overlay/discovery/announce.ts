/**
 * Discovery for servers: makes a server known, answers those who ask, and reports other servers.
 *
 * @module
 */

import { parseAddress } from "../address.ts";
import { type CircuitError, toCircuitError } from "../errors.ts";
import { Answers } from "./answers.ts";
import { type Clock, systemClock } from "./clock.ts";
import { encodeDatagram, newNonce, type Query } from "./datagram.ts";
import { chooseInterfaces, GroupChannel, type Health, isHealthy, isLoopbackHost } from "./group.ts";
import { Doubt } from "./doubt.ts";
import { Heard } from "./heard.ts";
import { explainRefusal, Inbox, type Refusal } from "./inbox.ts";
import type { Datagram, DatagramNetwork, NetworkInterface, UdpAddress } from "./network.ts";
import { formatGroup, type Group, parseGroup } from "./parse_group.ts";
import { RateLimit } from "./rate_limit.ts";
import { announceDelayMs, BURST_QUERIES, retryDelayMs } from "./schedule.ts";
import { type DiscoveryKey, Seal } from "./seal.ts";
import type { FoundServer, Log } from "./types.ts";
import { udpNetwork } from "./udp.ts";

/** Servers that are reported a second; the rest are reported when they are heard again. */
export const REPORTS_PER_SECOND = 20;

/** Answers are put off by chance, by up to a millisecond a server that is there, but not longer. */
export const MAX_ANSWER_DELAY_MS = 200;

/** Milliseconds for which datagrams that are ignored for one reason are not warned of again: 1 h. */
export const COMPLAIN_AGAIN_MS = 3_600_000;

/** What follows from a warning. */
const CONSEQUENCE = "the server runs on and tries again; -j joins a circuit without it";

/** What an {@linkcode Announcer} is made of. */
export interface AnnouncerOptions {
  /** `GROUP:PORT`, as `228.8.8.8:7711`. */
  readonly group: string;
  /** The server to make known. */
  readonly self: FoundServer;
  /**
   * Name or IPv4 address of the only interface to use. Default: all that have an IPv4 address, but
   * for a server that listens on loopback, which nobody else can reach, only that.
   */
  readonly interface?: string | undefined;
  /** Default: none; then datagrams of servers and clients that have one are ignored. */
  readonly key?: DiscoveryKey | undefined;
  /** Writes a line to the server's log. */
  readonly log: Log;
  /** Default: UDP. */
  readonly network?: DatagramNetwork;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Makes a server known on a multicast group and reports the others there.
 *
 * A network without multicast, and one that fails later, is not an error: it is logged once as a
 * warning and tried again, and logged once more when it works. Where datagrams can be sent and none
 * comes back, or nobody else is heard while the first ten are sent, that is a warning, too.
 *
 * @example Join each server that is heard of
 * ```ts ignore
 * const announcer = new Announcer({ group: "228.8.8.8:7711", self: node.self, log });
 * announcer.onServer(({ id, address }) => {
 *   if (!node.member(id)) node.join(address).catch(() => {});
 * });
 * announcer.start();
 * ```
 */
export class Announcer {
  readonly #group: Group;
  readonly #options: AnnouncerOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #seal: Seal;
  readonly #inbox: Inbox;
  readonly #channel: GroupChannel;
  readonly #localOnly: boolean;
  readonly #heard = new Heard();
  readonly #doubt = new Doubt();
  readonly #reports = new RateLimit(REPORTS_PER_SECOND);
  readonly #answers = new Answers();
  readonly #listeners = new Set<(server: FoundServer) => void>();
  readonly #pendingAnswers = new Set<() => void>();
  /** When a reason to ignore datagrams was last told. */
  readonly #complained = new Map<Refusal, number>();
  #nonces: readonly bigint[] = [];
  #sent = 0;
  #failures = 0;
  #healthy: boolean | undefined;
  #through = "";
  #cancelNext = () => {};
  #failure: CircuitError | undefined;
  #announcing = false;
  #turn: Promise<void> | undefined;
  #stopped = false;

  /**
   * Prepares it; nothing is sent before {@linkcode Announcer.start}.
   *
   * @throws {CircuitError} `BAD_REQUEST` if the group, the key or the own address makes no sense, or
   * there is no such interface; `UNSUPPORTED` for an IPv6 group.
   */
  constructor(options: AnnouncerOptions) {
    const { group, self, network = udpNetwork, interface: wanted } = options;
    this.#options = options;
    this.#group = parseGroup(group);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#seal = new Seal(options.key);
    encodeDatagram({ type: "announce", sentAt: 0, ...pick(self) });
    this.#localOnly = isLoopbackHost(parseAddress(self.address).host);
    if (wanted !== undefined) chooseInterfaces(network.interfaces(), wanted);
    this.#inbox = new Inbox(this.#seal, () => this.#clock.wall(), this.#onRefusal.bind(this));
    this.#channel = new GroupChannel({
      network,
      group: this.#group,
      interface: wanted,
      localOnly: this.#localOnly,
      listen: true,
      onDatagram: (datagram, toGroup) => this.#onDatagram(datagram, toGroup),
      onFailure: (error) => this.#onFailure(error),
    });
  }

  /** How many datagrams were ignored, by reason. */
  get refused(): ReadonlyMap<Refusal, number> {
    return this.#inbox.refused;
  }

  /**
   * Calls back for each other server that is heard of; for one that is still heard of, again after
   * some 10 s or more, so that a join that failed is tried again.
   *
   * @returns What ends that.
   */
  onServer(listener: (server: FoundServer) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Begins. Calling it again is harmless; what was stopped stays stopped. */
  start(): void {
    if (this.#turn === undefined && !this.#stopped) this.#run();
  }

  /** Ends it: afterwards no callback comes and no socket is open. Calling it again is harmless. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelNext();
    for (const cancel of this.#pendingAnswers) cancel();
    this.#pendingAnswers.clear();
    await this.#channel.close();
    await this.#turn;
  }

  // --- sending --------------------------------------------------------------------------------

  #run(): void {
    this.#announcing = true;
    this.#turn = this.#announce().then((health) => {
      this.#announcing = false;
      this.#follow(health);
    });
  }

  #announce(): Promise<Health> {
    const { id, address } = this.#options.self;
    const sentAt = this.#clock.wall();
    const datagrams = [encodeDatagram({ type: "announce", sentAt, id, address })];
    if (this.#sent < BURST_QUERIES) {
      const nonce = newNonce();
      this.#nonces = [...this.#nonces, nonce].slice(-BURST_QUERIES);
      datagrams.push(encodeDatagram({ type: "query", sentAt, nonce, id }));
    }
    return this.#channel.broadcast(datagrams.map((bytes) => this.#seal.close(bytes)));
  }

  /** Says how it went, where that is news, and sets the time of the next announcement. */
  #follow({ through, troubles }: Health): void {
    if (this.#stopped) return;
    for (const { message } of troubles) this.#log("debug", message);
    const trouble = this.#failure ?? troubles[0];
    const healthy = !this.#failure && isHealthy({ through, troubles });
    this.#failure = undefined;
    if (healthy) this.#succeeded(through);
    else this.#failed(trouble);
    this.#cancelNext();
    const delay = healthy
      ? announceDelayMs(this.#sent, this.#random())
      : retryDelayMs(this.#failures, this.#random());
    this.#cancelNext = this.#clock.after(delay, () => this.#run());
  }

  #succeeded(interfaces: readonly NetworkInterface[]): void {
    const through = interfaces.map(({ name }) => name).join(", ");
    this.#sent++;
    // What works once and fails again is not to be tried every second.
    if (this.#healthy) this.#failures = 0;
    if (through !== this.#through) {
      // Whoever can be reached now, and could not before, has not heard this server yet.
      if (this.#healthy !== undefined) this.#sent = 1;
      this.#onTheAir(interfaces, through);
    }
    this.#healthy = true;
    this.#through = through;
    // On loopback there is no network to doubt, and being alone there is nothing odd.
    if (interfaces.every(({ address }) => isLoopbackHost(address))) return;
    const doubt = this.#doubt.warning(this.#sent);
    if (doubt) this.#log("warn", `${doubt}; ${CONSEQUENCE}`);
  }

  #onTheAir(interfaces: readonly NetworkInterface[], through: string): void {
    const alone = !this.#localOnly && this.#options.interface === undefined &&
      interfaces.every(({ address }) => isLoopbackHost(address));
    if (!alone) return this.#log("info", `on the air through ${through}`);
    const why = "this machine has no other IPv4 address, so only programs on it hear of the server";
    this.#log("warn", `on the air through ${through} alone: ${why}; ${CONSEQUENCE}`);
  }

  #failed(trouble: CircuitError | undefined): void {
    if (this.#healthy !== false) {
      const reason = trouble?.message ?? "nothing could be sent";
      this.#log("warn", `does not work: ${reason}; ${CONSEQUENCE}`);
    }
    this.#failures++;
    this.#healthy = false;
    this.#through = "";
    this.#sent = 0;
  }

  /** A socket has failed while nothing was sent, or while an announcement is under way. */
  #onFailure(error: CircuitError): void {
    this.#failure = error;
    if (!this.#announcing) this.#follow({ through: [], troubles: [] });
  }

  // --- receiving ------------------------------------------------------------------------------

  #onDatagram({ bytes, from }: Datagram, toGroup: boolean): void {
    // A datagram may come from an interface that another program on this host has joined.
    if (this.#localOnly && !isLoopbackHost(from.host)) return;
    const accepted = this.#inbox.accept(bytes, from);
    const own = accepted?.message.id === this.#options.self.id;
    if (!isLoopbackHost(from.host)) this.#doubt.heard(own);
    if (!accepted || own || this.#stopped) return;
    const { message, key } = accepted;
    if (toGroup && message.type === "query") this.#onQuery(message, key, from);
    if (toGroup && message.type === "announce") this.#report(message);
    if (!toGroup && message.type === "answer" && this.#nonces.includes(message.nonce)) {
      this.#report(message);
    }
  }

  #onQuery({ nonce }: Query, key: number, to: UdpAddress): void {
    if (!this.#answers.take(nonce, this.#clock.now())) return;
    const delay = this.#random() * Math.min(MAX_ANSWER_DELAY_MS, this.#heard.size);
    const cancel = this.#clock.after(delay, () => {
      this.#pendingAnswers.delete(cancel);
      const { id, address } = this.#options.self;
      const sentAt = this.#clock.wall();
      const answer = encodeDatagram({ type: "answer", sentAt, nonce, id, address });
      this.#channel.reply(this.#seal.close(answer, key), to).catch((error) =>
        this.#log("debug", toCircuitError(error).message)
      );
    });
    this.#pendingAnswers.add(cancel);
  }

  #report({ id, address }: FoundServer): void {
    const server = { id, address };
    const now = this.#clock.now();
    if (!this.#heard.isNews(server, now) || !this.#reports.take(now)) return;
    this.#heard.reported(server, now);
    for (const listener of [...this.#listeners]) {
      try {
        listener(server);
      } catch (error) {
        this.#log("error", `cannot report ${address}: ${toCircuitError(error).message}`);
      }
    }
  }

  #onRefusal(refusal: Refusal, from: UdpAddress | undefined): void {
    const now = this.#clock.now();
    if (now - (this.#complained.get(refusal) ?? -Infinity) < COMPLAIN_AGAIN_MS) return;
    this.#complained.set(refusal, now);
    // Other programs may use the group: their datagrams are nobody's mistake.
    const level = refusal === "malformed" ? "debug" : "warn";
    const what = from === undefined ? "a datagram" : `a datagram from ${from.host}`;
    this.#log(level, `ignored ${what} that is ${explainRefusal(refusal)} (said once an hour)`);
  }

  #log(level: Parameters<Log>[0], message: string): void {
    if (this.#stopped) return;
    this.#options.log(level, `multicast discovery on ${formatGroup(this.#group)}: ${message}`);
  }
}

function pick({ id, address }: FoundServer): FoundServer {
  return { id, address };
}
