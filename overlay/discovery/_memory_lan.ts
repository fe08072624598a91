/**
 * A local network in memory: hosts with loopback and one more interface, on one segment.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import type {
  Datagram,
  DatagramNetwork,
  DatagramSocket,
  GroupSocket,
  NetworkInterface,
  UdpAddress,
} from "./network.ts";
import type { Group } from "./parse_group.ts";

const LOOPBACK = "127.0.0.1";
const ANY = "0.0.0.0";

/** The segment that all hosts are on. */
export class MemoryLan {
  /** The sockets that are open. */
  readonly sockets = new Set<MemorySocket>();
  /** Every datagram that was sent, copies through several interfaces included. */
  readonly sent: { bytes: Uint8Array; from: UdpAddress; to: UdpAddress }[] = [];
  #nextPort = 50_000;

  /** A new host; without an address it has loopback alone. */
  host(address?: string): MemoryHost {
    return new MemoryHost(this, address);
  }

  /** A port that no socket has. */
  newPort(): number {
    return this.#nextPort++;
  }
}

/** One host. */
export class MemoryHost implements DatagramNetwork {
  readonly lan: MemoryLan;
  /** Its interfaces; a test may change them. */
  list: NetworkInterface[];
  /** Set: sending by an interface other than loopback fails with it. */
  trouble: CircuitError | undefined;
  /** Set: what it sends is lost, and it does not learn of that. */
  lossy = false;
  /** Set: no socket can be opened. */
  openTrouble: CircuitError | undefined;

  constructor(lan: MemoryLan, address?: string) {
    this.lan = lan;
    this.list = [{ name: "lo", address: LOOPBACK }];
    if (address !== undefined) this.list.push({ name: "eth0", address });
  }

  interfaces(): readonly NetworkInterface[] {
    return this.list;
  }

  open(address: string): DatagramSocket {
    return this.#opened(address, this.lan.newPort());
  }

  openGroup(group: Group): GroupSocket {
    return this.#opened(group.host, group.port);
  }

  #opened(address: string, port: number): MemorySocket {
    if (this.openTrouble) throw this.openTrouble;
    return new MemorySocket(this, { host: address, port });
  }

  /** The sockets that are open on this host. */
  get sockets(): MemorySocket[] {
    return [...this.lan.sockets].filter((socket) => socket.host === this);
  }

  /** The address that a datagram to `to` would come from. */
  sourceFor(to: string): string {
    if (to.startsWith("127.")) return LOOPBACK;
    return this.list.find(({ address }) => address !== LOOPBACK)?.address ?? LOOPBACK;
  }
}

/** One socket of a host. */
export class MemorySocket implements GroupSocket {
  readonly host: MemoryHost;
  readonly bound: UdpAddress;
  readonly #joined = new Set<string>();
  readonly #queue: Datagram[] = [];
  #error: CircuitError | undefined;
  #closed = false;
  #wake = () => {};

  constructor(host: MemoryHost, bound: UdpAddress) {
    this.host = host;
    this.bound = bound;
    host.lan.sockets.add(this);
  }

  join(address: string): Promise<void> {
    this.#joined.add(address);
    return Promise.resolve();
  }

  async send(bytes: Uint8Array, to: UdpAddress): Promise<void> {
    await Promise.resolve();
    if (this.#closed) throw new CircuitError("CLOSED", "the socket is closed");
    const { host, port } = this.bound;
    const source = host === ANY ? this.host.sourceFor(to.host) : host;
    if (this.host.trouble && source !== LOOPBACK) throw this.host.trouble;
    const from = { host: source, port };
    this.host.lan.sent.push({ bytes: bytes.slice(), from, to });
    if (this.host.lossy) return;
    for (const socket of this.host.lan.sockets) {
      if (socket.#takes(from, to, this.host)) socket.deliver({ bytes: bytes.slice(), from });
    }
  }

  #takes(from: UdpAddress, to: UdpAddress, sender: MemoryHost): boolean {
    if (this.bound.port !== to.port || this.bound.host !== to.host) return false;
    const local = from.host === LOOPBACK;
    if (local && sender !== this.host) return false;
    if (this.#joined.size === 0) return true;
    return [...this.#joined].some((address) => (address === LOOPBACK) === local);
  }

  /** Puts a datagram in the queue, as if it had arrived. */
  deliver(datagram: Datagram): void {
    this.#queue.push(datagram);
    this.#wake();
  }

  async receive(): Promise<Datagram | undefined> {
    for (;;) {
      if (this.#error) throw this.#error;
      if (this.#closed) return undefined;
      const datagram = this.#queue.shift();
      if (datagram) return datagram;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Makes the next receive, or the pending one, fail. */
  fail(error: CircuitError): void {
    this.#error = error;
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.host.lan.sockets.delete(this);
    this.#wake();
  }
}
