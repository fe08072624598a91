/**
 * Discovery for clients: asks a multicast group for servers.
 *
 * @module
 */

import { cancelled, CircuitError, type ErrorCode } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import { encodeDatagram, newNonce } from "./datagram.ts";
import { GroupChannel, type Health } from "./group.ts";
import { describeRefused, Inbox, MAX_SKEW_MS } from "./inbox.ts";
import type { Datagram, DatagramNetwork } from "./network.ts";
import { formatGroup, type Group, parseGroup } from "./parse_group.ts";
import { queryDelayMs } from "./schedule.ts";
import { type DiscoveryKey, Seal } from "./seal.ts";
import type { FoundServer } from "./types.ts";
import { udpNetwork } from "./udp.ts";

/** Milliseconds until {@linkcode discoverServers} gives up, unless told otherwise: 5 s. */
export const DISCOVER_TIMEOUT_MS = 5_000;

/** Servers that one search finds at most; more answers are ignored. */
export const MAX_FOUND = 1_024;

/** What doesn't get better while waiting. */
const HOPELESS: readonly ErrorCode[] = ["BAD_REQUEST", "DENIED", "UNSUPPORTED"];

/** How to search. */
export interface DiscoverOptions {
  /** Default: none; then only servers without a key are found. */
  readonly key?: DiscoveryKey | undefined;
  /** Ends the search. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that the search takes at most; default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Name or IPv4 address of the only interface to use; default all. */
  readonly interface?: string | undefined;
  /** Default: UDP. */
  readonly network?: DatagramNetwork;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Finds servers: yields each that answers, once, as its answer comes. The search goes on until the
 * caller leaves the loop or the time is over, so a caller takes the first server, and the next where
 * that cannot be dialled. Leaving the loop closes all sockets.
 *
 * @param group `GROUP:PORT`, as `228.8.8.8:7711`.
 * @throws {CircuitError} `BAD_REQUEST` for a group, a key or a time that makes no sense;
 * `UNSUPPORTED` for an IPv6 group. While iterating: `TIMEOUT` if no server answered in time (if one
 * did, the loop just ends); `ABORTED` by the signal; `BAD_REQUEST` if there is no such interface;
 * `DENIED` if the program may not use the network; `UNSUPPORTED` where Deno has no UDP.
 *
 * @example Dial the first server that can be dialled
 * ```ts ignore
 * for await (const { address } of discoverServers("228.8.8.8:7711")) {
 *   const client = await dial(address).catch(() => undefined);
 *   if (client) return client;
 * }
 * ```
 */
export function discoverServers(
  group: string,
  options: DiscoverOptions = {},
): AsyncGenerator<FoundServer, void, undefined> {
  const { timeoutMs = DISCOVER_TIMEOUT_MS } = options;
  if (!(timeoutMs > 0)) {
    throw new CircuitError(
      "BAD_REQUEST",
      `cannot discover a server on ${group}: the time-out is ${timeoutMs} ms, must be above 0`,
    );
  }
  return new Search(parseGroup(group), timeoutMs, options).servers();
}

class Search {
  readonly #group: Group;
  readonly #timeoutMs: number;
  readonly #options: DiscoverOptions;
  readonly #clock: Clock;
  readonly #seal: Seal;
  readonly #inbox: Inbox;
  readonly #channel: GroupChannel;
  readonly #nonce = newNonce();
  readonly #found = new Set<string>();
  readonly #waiting: FoundServer[] = [];
  #sent = 0;
  #timedOut = false;
  #over = false;
  #trouble: CircuitError | undefined;
  #hopeless: CircuitError | undefined;
  #asking: Promise<void> | undefined;
  #wake = () => {};
  #cancelNext = () => {};

  constructor(group: Group, timeoutMs: number, options: DiscoverOptions) {
    this.#group = group;
    this.#timeoutMs = timeoutMs;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#seal = new Seal(options.key);
    this.#inbox = new Inbox(this.#seal, () => this.#clock.wall());
    this.#channel = new GroupChannel({
      network: options.network ?? udpNetwork,
      group,
      interface: options.interface,
      onDatagram: (datagram) => this.#onDatagram(datagram),
      onFailure: (error) => this.#trouble = error,
    });
  }

  async *servers(): AsyncGenerator<FoundServer, void, undefined> {
    const { signal } = this.#options;
    const action = `discover a server on ${formatGroup(this.#group)}`;
    if (signal?.aborted) throw cancelled(action, signal);
    const onAbort = () => this.#wake();
    signal?.addEventListener("abort", onAbort);
    const cancelTimeout = this.#clock.after(this.#timeoutMs, () => {
      this.#timedOut = true;
      this.#wake();
    });
    this.#ask();
    try {
      for (;;) {
        if (signal?.aborted) throw cancelled(action, signal);
        const server = this.#waiting.shift();
        if (server) {
          yield server;
          continue;
        }
        if (this.#hopeless) throw this.#hopeless;
        if (this.#timedOut && this.#found.size > 0) return;
        if (this.#timedOut) throw this.#timeout();
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      this.#over = true;
      signal?.removeEventListener("abort", onAbort);
      cancelTimeout();
      this.#cancelNext();
      await this.#channel.close();
      await this.#asking;
    }
  }

  #ask(): void {
    const sentAt = this.#clock.wall();
    const query = encodeDatagram({ type: "query", sentAt, nonce: this.#nonce });
    this.#asking = this.#channel.broadcast([this.#seal.close(query)]).then((health) => {
      if (this.#over) return;
      this.#judge(health);
      this.#sent++;
      this.#cancelNext = this.#clock.after(queryDelayMs(this.#sent), () => this.#ask());
    });
  }

  #judge({ through, troubles }: Health): void {
    this.#trouble = troubles[0];
    if (through.length > 0 || !this.#trouble || !HOPELESS.includes(this.#trouble.code)) return;
    this.#hopeless = this.#trouble;
    this.#wake();
  }

  #onDatagram({ bytes }: Datagram): void {
    const message = this.#inbox.accept(bytes)?.message;
    if (message?.type !== "answer" || message.nonce !== this.#nonce) return;
    const { id, address } = message;
    if (this.#found.has(id) || this.#found.size >= MAX_FOUND) return;
    this.#found.add(id);
    this.#waiting.push({ id, address });
    this.#wake();
  }

  #timeout(): CircuitError {
    const group = formatGroup(this.#group);
    const hints = [
      describeRefused(this.#inbox.refused),
      this.#trouble ? `trouble: ${this.#trouble.message}` : "",
    ].filter((hint) => hint !== "");
    // A server does not answer whom it does not believe, and only its log says so.
    const alike = this.#seal.keyed
      ? `the same key and a clock at most ${MAX_SKEW_MS / 1000} s off`
      : "no key, as here";
    return new CircuitError(
      "TIMEOUT",
      `no server answered on multicast group ${group} within ${this.#timeoutMs / 1000} s: check ` +
        `that a server runs with -discover ${group} on this network, with ${alike}, and that no ` +
        "firewall stops UDP between it and this host" +
        hints.map((hint) => `; ${hint}`).join(""),
    );
  }
}
