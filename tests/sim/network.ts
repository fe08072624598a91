/**
 * A network of virtual servers: latency, partitions, loss, crashes and pauses, in virtual time. It
 * drives the very class that servers run.
 *
 * @module
 */

import {
  type Counters,
  Directory,
  type Input,
  Membership,
  type Output,
} from "../../overlay/membership/mod.ts";
import { EventQueue } from "./event_queue.ts";
import {
  ACK_BYTES,
  DIAL_BYTES,
  DIAL_TIMEOUT_MS,
  FRAME_OVERHEAD_BYTES,
  type NetworkOptions,
  type Node,
  placeOf,
  RETRANSMIT_MS,
  type Watcher,
} from "./node.ts";
import { ConnectionTable } from "./connections.ts";
import { seeded } from "../random.ts";

export type { NetworkOptions, Node };

type Event =
  | { readonly type: "tick"; readonly node: Node; readonly at: number }
  | {
    readonly type: "frame";
    /** The end that it goes to. */
    readonly end: number;
    readonly bytes: Uint8Array;
  }
  | {
    readonly type: "input";
    readonly node: Node;
    readonly input: Input;
    readonly from: number;
  }
  | { readonly type: "call"; readonly call: () => void };

/** Virtual servers and what connects them. */
export class Network {
  /** Virtual time in ms. */
  now = 0;
  /** All servers there ever were, but those that were forgotten. */
  readonly nodes: Node[] = [];
  /** For what the scenario does at random. */
  readonly random: () => number;
  /** Told of joins and leaves. */
  watch: Watcher | undefined;
  /** Told of each frame sent. */
  tap: ((bytes: Uint8Array) => void) | undefined;
  /** Share of packets that are lost. */
  loss: number;
  /** Events carried out. */
  events = 0;

  readonly #options: NetworkOptions;
  readonly #latency: readonly [number, number];
  readonly #queue = new EventQueue<Event>();
  readonly #directory = new Directory();
  readonly #byPlace = new Map<string, Node>();
  #started = 0;
  readonly #forgotten = new Map<string, number>();
  readonly #connections = new ConnectionTable();
  /** Pairs `from → to` of indices that carry nothing. */
  readonly #oneWay = new Set<string>();
  /** Some server can't be reached by some other. */
  #faulty = false;

  /** An empty network. */
  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#latency = options.latency ?? [0.5, 5];
    this.random = seeded(options.seed);
    this.loss = options.loss ?? 0;
  }

  /** Servers whose processes run. */
  live(): Node[] {
    return this.nodes.filter((node) => node.up);
  }

  /** Starts a server, at a place of its own or in the place of another. */
  start(seeds: readonly string[], place?: string): Node {
    const index = this.#started++;
    const hex = Array.from(
      { length: 16 },
      () => Math.floor(this.random() * 16).toString(16),
    ).join("");
    const where = place ?? `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:7000`;
    const member = {
      id: `X${hex}`,
      address: `circuit://${where}/${1 + index}/Q${hex}`,
    };
    const membership = new Membership(member, {
      now: this.now,
      random: seeded(Math.floor(this.random() * 2 ** 32)),
      directory: this.#directory,
      ...(this.#options.tuning ? { tuning: this.#options.tuning } : {}),
    });
    const node: Node = {
      index,
      member,
      membership,
      up: true,
      hostUp: true,
      group: 0,
      pausedUntil: 0,
      bytes: 0,
      tickAt: Infinity,
      ends: new Set(),
    };
    this.nodes.push(node);
    this.#byPlace.set(where, node);
    this.#schedule(node);
    for (const address of seeds) this.input(node, { type: "join", address });
    return node;
  }

  /** `HOST:PORT` of a server. */
  place(node: Node): string {
    return placeOf(node.member.address);
  }

  /** Ends a process; its host closes its connections and refuses new ones. */
  crash(node: Node): void {
    node.up = false;
    for (const end of [...node.ends]) this.#close(end);
  }

  /** Forgets a server that has ended, all but its counters: it takes no more memory. */
  forget(node: Node): void {
    const { counters } = node.membership.status();
    for (const [key, value] of Object.entries(counters)) {
      this.#forgotten.set(key, (this.#forgotten.get(key) ?? 0) + value);
    }
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Takes a host away without a word. */
  silence(node: Node): void {
    node.up = false;
    node.hostUp = false;
    this.#faulty = true;
  }

  /** From now on these servers and all others do not reach each other. */
  split(nodes: readonly Node[]): void {
    for (const node of nodes) node.group = 1;
    this.#faulty = true;
  }

  /** From now on nothing that one server sends reaches the other. */
  block(from: Node, to: Node): void {
    this.#oneWay.add(`${from.index}>${to.index}`);
    this.#faulty = true;
  }

  /** Undoes each {@linkcode split} and {@linkcode block}. */
  mend(): void {
    for (const node of this.nodes) node.group = 0;
    this.#oneWay.clear();
    this.#faulty = this.nodes.some((node) => !node.hostUp);
  }

  /** Ends a process in order. */
  leave(node: Node): void {
    this.input(node, { type: "leave" });
    this.crash(node);
  }

  /** Stops a process for a while, as a full garbage collection or SIGSTOP would. */
  pause(node: Node, ms: number): void {
    node.pausedUntil = Math.max(node.pausedUntil, this.now + ms);
  }

  /** Breaks one of a server's connections, as a router that forgets it would. */
  breakOne(node: Node): void {
    const ends = [...node.ends];
    const end = ends[Math.floor(this.random() * ends.length)];
    if (end === undefined) return;
    this.#close(end);
    this.#input(node, { type: "link-down", link: end }, -1);
  }

  /** Does something at a time to come. */
  at(time: number, call: () => void): void {
    this.#queue.push(time, { type: "call", call });
  }

  /** Lets time pass. */
  run(ms: number): void {
    this.runUntil(this.now + ms);
  }

  /** Lets time pass until a moment. */
  runUntil(end: number): void {
    while (this.#queue.nextTime <= end) {
      this.now = this.#queue.nextTime;
      this.events++;
      this.#carryOut(this.#queue.pop());
    }
    this.now = end;
  }

  /** Lets time pass until `done`, looked at each `step` ms; the time it took, Infinity if never. */
  runTo(limit: number, step: number, done: () => boolean): number {
    const from = this.now;
    for (;;) {
      if (done()) return this.now - from;
      if (this.now - from >= limit) return Infinity;
      this.run(step);
    }
  }

  /** The server at the other end of a connection; undefined where this end is closed. */
  peerOf(end: number): Node | undefined {
    return this.#connections.isOpen(end) ? this.#connections.node(end ^ 1) : undefined;
  }

  /** Hands an input to a server at once. */
  input(node: Node, input: Input): void {
    this.#input(node, input, -1);
  }

  /** Sum of a counter over some servers; default: all there ever were. */
  count(key: keyof Counters, nodes?: readonly Node[]): number {
    let sum = nodes ? 0 : this.#forgotten.get(key) ?? 0;
    for (const node of nodes ?? this.nodes) sum += node.membership.status().counters[key];
    return sum;
  }

  #carryOut(event: Event): void {
    switch (event.type) {
      case "call":
        return event.call();
      case "tick": {
        const { node } = event;
        if (!node.up || event.at !== node.tickAt) return;
        if (node.pausedUntil > this.now) {
          node.tickAt = node.pausedUntil;
          const at = node.pausedUntil;
          this.#queue.push(at, { type: "tick", node, at });
          return;
        }
        node.tickAt = Infinity;
        if (node.membership.wakeAt <= this.now) {
          this.#input(node, { type: "tick" }, -1);
        } else this.#schedule(node);
        return;
      }
      case "frame": {
        const { end, bytes } = event;
        if (!this.#connections.isOpen(end)) return;
        const node = this.#connections.node(end);
        if (!node.up) return;
        if (node.pausedUntil > this.now) {
          return this.#queue.push(node.pausedUntil, event);
        }
        node.bytes += ACK_BYTES;
        const from = this.watch ? this.#connections.node(end ^ 1).index : -1;
        return this.#input(node, { type: "message", link: end, bytes }, from);
      }
      case "input": {
        const { node, input } = event;
        if (!node.up) return;
        if (node.pausedUntil > this.now) {
          return this.#queue.push(node.pausedUntil, event);
        }
        if (input.type === "link-down" && !this.#release(input.link)) return;
        return this.#input(node, input, event.from);
      }
    }
  }

  #input(node: Node, input: Input, from: number): void {
    const outputs = node.membership.handle(input, this.now);
    for (const output of outputs) this.#output(node, output, from);
    this.#schedule(node);
  }

  #schedule(node: Node): void {
    const at = Math.max(node.membership.wakeAt, this.now);
    if (at >= node.tickAt || at === Infinity) return;
    node.tickAt = at;
    this.#queue.push(at, { type: "tick", node, at });
  }

  #output(node: Node, output: Output, from: number): void {
    switch (output.type) {
      case "send":
        return this.#send(output.link, output.bytes);
      case "close":
        return this.#close(output.link);
      case "dial":
        return this.#dial(node, output.address, output.id);
      default:
        this.watch?.(node, output, from);
    }
  }

  #send(end: number, bytes: Uint8Array): void {
    const connections = this.#connections;
    if (!connections.isOpen(end)) return;
    const node = connections.node(end);
    this.tap?.(bytes);
    node.bytes += bytes.length + FRAME_OVERHEAD_BYTES;
    // The peer is not looked at where that is not needed: it is one of many, and not in the cache.
    if (this.#faulty && !this.#reaches(node, connections.node(end ^ 1))) connections.stick(end);
    if (connections.isStuck(end)) return;
    if (!connections.isOpen(end ^ 1) && !connections.node(end ^ 1).up) {
      // The host of a process that is gone answers with a reset.
      return this.#closeFrom(end ^ 1);
    }
    let at = this.now + this.#delay();
    while (this.loss > 0 && this.random() < this.loss) at += RETRANSMIT_MS;
    at = connections.after(end, at);
    this.#queue.push(at, { type: "frame", end: end ^ 1, bytes });
  }

  /** One end is closed by its server. */
  #close(end: number): void {
    if (this.#release(end)) this.#closeFrom(end);
  }

  /** A server no longer holds an end; false where it did not. */
  #release(end: number): boolean {
    if (!this.#connections.isOpen(end)) return false;
    this.#connections.node(end).ends.delete(end);
    this.#connections.close(end);
    return true;
  }

  /** One end is closed: the other hears of it, after all that was sent before. */
  #closeFrom(end: number): void {
    if (!this.#connections.isOpen(end ^ 1)) return;
    const node = this.#connections.node(end);
    const peer = this.#connections.node(end ^ 1);
    if (this.#connections.isStuck(end) || !this.#reaches(node, peer)) return;
    if (!node.hostUp) return;
    const at = this.#connections.after(end, this.now + this.#delay());
    this.#queue.push(at, {
      type: "input",
      node: peer,
      input: { type: "link-down", link: end ^ 1 },
      from: node.index,
    });
  }

  #dial(node: Node, address: string, id: string | undefined): void {
    node.bytes += DIAL_BYTES;
    const peer = this.#byPlace.get(placeOf(address));
    const trip = this.#delay() + this.#delay();
    const fail = (
      reason: "refused" | "unreachable" | "superseded",
      ms: number,
    ) =>
      this.#queue.push(this.now + ms, {
        type: "input",
        node,
        input: { type: "dial-failed", address, reason },
        from: -1,
      });
    if (
      !peer?.hostUp || !this.#reaches(node, peer) || !this.#reaches(peer, node)
    ) {
      return fail("unreachable", DIAL_TIMEOUT_MS);
    }
    if (!peer.up) return fail("refused", trip);
    if (peer === node) return fail("superseded", trip);
    peer.bytes += DIAL_BYTES;
    if (id !== undefined && peer.member.id !== id) {
      return fail("superseded", 2 * trip);
    }
    const done = Math.max(this.now, peer.pausedUntil) + 2 * trip;
    this.at(done, () => this.#connect(node, peer, address));
  }

  #connect(node: Node, peer: Node, address: string): void {
    if (!node.up) return;
    if (!peer.up) {
      const input: Input = peer.hostUp
        ? { type: "dial-failed", address, reason: "refused" }
        : { type: "dial-failed", address, reason: "unreachable" };
      return this.#input(node, input, -1);
    }
    const end = this.#connections.open(node, peer, this.now);
    node.ends.add(end);
    peer.ends.add(end ^ 1);
    this.#input(peer, {
      type: "link-up",
      link: end ^ 1,
      peer: node.member,
      dialled: false,
    }, -1);
    this.#input(node, {
      type: "link-up",
      link: end,
      peer: peer.member,
      dialled: true,
      address,
    }, -1);
  }

  #reaches(from: Node, to: Node): boolean {
    if (from.group !== to.group || !to.hostUp) return false;
    return this.#oneWay.size === 0 || !this.#oneWay.has(`${from.index}>${to.index}`);
  }

  #delay(): number {
    const [least, most] = this.#latency;
    return least + this.random() * (most - least);
  }
}
