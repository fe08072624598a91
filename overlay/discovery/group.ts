/**
 * A multicast group through all interfaces that matter: one socket that receives, and one an
 * interface that sends. Interfaces come and go, so the sockets are looked after before each sending.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../errors.ts";
import type {
  Datagram,
  DatagramNetwork,
  DatagramSocket,
  GroupSocket,
  NetworkInterface,
  UdpAddress,
} from "./network.ts";
import { formatGroup, type Group } from "./parse_group.ts";

/** Interfaces that are used at most: a Linux socket can be in 20 groups unless told otherwise. */
export const MAX_INTERFACES = 20;

/** What a {@linkcode GroupChannel} is made of. */
export interface ChannelOptions {
  readonly network: DatagramNetwork;
  readonly group: Group;
  /** Name or IPv4 address of the only interface to use; default all. */
  readonly interface?: string | undefined;
  /** Use loopback interfaces alone, where no interface is given; default false. */
  readonly localOnly?: boolean;
  /** Receive what is sent to the group, too, and not only what is sent back; default false. */
  readonly listen?: boolean;
  /**
   * Called with each datagram that arrives.
   *
   * @param toGroup True if it was sent to the group, false if to a sender of this channel alone.
   */
  readonly onDatagram: (datagram: Datagram, toGroup: boolean) => void;
  /** Called when a socket has failed and was closed; the next broadcast opens another. */
  readonly onFailure?: (error: CircuitError) => void;
}

/** How a broadcast went. */
export interface Health {
  /** The interfaces that it left by. */
  readonly through: readonly NetworkInterface[];
  /** What failed, an error an interface. */
  readonly troubles: readonly CircuitError[];
}

/** The sockets of one group. */
export class GroupChannel {
  readonly #options: ChannelOptions;
  readonly #senders = new Map<string, DatagramSocket>();
  readonly #loops = new Set<Promise<void>>();
  #receiver: GroupSocket | undefined;
  #replier: DatagramSocket | undefined;
  #closed = false;

  /** Opens nothing yet. */
  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /**
   * Opens the sockets that are missing, closes those whose interface has gone, and sends the
   * datagrams to the group through each interface. Doesn't throw: what fails is in the result.
   */
  async broadcast(datagrams: readonly Uint8Array[]): Promise<Health> {
    const through: NetworkInterface[] = [];
    const troubles: CircuitError[] = [];
    const { group } = this.#options;
    try {
      const interfaces = this.#interfaces();
      this.#closeAllBut(interfaces);
      const receiver = this.#openReceiver();
      for (const each of interfaces) {
        try {
          await receiver?.join(each.address);
          const sender = this.#openSender(each);
          for (const bytes of datagrams) await sender.send(bytes, group);
          through.push(each);
        } catch (cause) {
          if (this.#closed) break;
          this.#senders.get(each.address)?.close();
          this.#senders.delete(each.address);
          const { code, message } = toCircuitError(cause);
          const where = `${each.name} (${each.address})`;
          troubles.push(new CircuitError(code, `${where}: ${message}`, { cause }));
        }
      }
    } catch (error) {
      troubles.push(toCircuitError(error));
    }
    return { through, troubles };
  }

  /** Sends a datagram to one peer; nobody learns whether it arrives. */
  async reply(bytes: Uint8Array, to: UdpAddress): Promise<void> {
    if (this.#closed) return;
    // Bound to no interface, so that the system finds the way back to wherever the peer is.
    this.#replier ??= this.#options.network.open("0.0.0.0");
    await this.#replier.send(bytes, to);
  }

  /** Closes all sockets. Afterwards nothing arrives any more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const sender of this.#senders.values()) sender.close();
    this.#senders.clear();
    this.#receiver?.close();
    this.#replier?.close();
    await Promise.all(this.#loops);
  }

  #interfaces(): readonly NetworkInterface[] {
    const { network, interface: wanted, localOnly = false } = this.#options;
    return chooseInterfaces(network.interfaces(), wanted, localOnly);
  }

  #closeAllBut(interfaces: readonly NetworkInterface[]): void {
    for (const [address, sender] of this.#senders) {
      if (interfaces.some((each) => each.address === address)) continue;
      this.#senders.delete(address);
      sender.close();
    }
  }

  #openReceiver(): GroupSocket | undefined {
    if (!this.#options.listen || this.#closed) return undefined;
    if (!this.#receiver) {
      const socket = this.#options.network.openGroup(this.#options.group);
      this.#receiver = socket;
      this.#receive(socket, true, () => {
        if (this.#receiver === socket) this.#receiver = undefined;
      });
    }
    return this.#receiver;
  }

  #openSender({ address }: NetworkInterface): DatagramSocket {
    if (this.#closed) throw new CircuitError("CLOSED", "the discovery sockets are closed");
    let sender = this.#senders.get(address);
    if (!sender) {
      const socket = sender = this.#options.network.open(address);
      this.#senders.set(address, socket);
      this.#receive(socket, false, () => {
        if (this.#senders.get(address) === socket) this.#senders.delete(address);
      });
    }
    return sender;
  }

  #receive(socket: DatagramSocket, toGroup: boolean, forget: () => void): void {
    const loop = this.#receiveAll(socket, toGroup).catch((cause) => {
      forget();
      socket.close();
      const { code, message } = toCircuitError(cause);
      const text = `lost a socket of ${formatGroup(this.#options.group)}: ${message}`;
      if (!this.#closed) this.#options.onFailure?.(new CircuitError(code, text, { cause }));
    }).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  async #receiveAll(socket: DatagramSocket, toGroup: boolean): Promise<void> {
    for (;;) {
      const datagram = await socket.receive();
      if (!datagram || this.#closed) return;
      this.#options.onDatagram(datagram, toGroup);
    }
  }
}

/**
 * The interfaces to use: the one that is wanted, else all, each with its first address.
 *
 * @param wanted A name or an IPv4 address.
 * @param localOnly Where none is wanted: only those that reach nothing but this host.
 * @throws {CircuitError} `BAD_REQUEST` if the one that is wanted is not there; `UNREACHABLE` if
 * there is none at all.
 */
export function chooseInterfaces(
  all: readonly NetworkInterface[],
  wanted?: string,
  localOnly = false,
): readonly NetworkInterface[] {
  if (wanted !== undefined) {
    const found = all.find(({ name, address }) => name === wanted || address === wanted);
    if (found) return [found];
    const names = all.map(({ name, address }) => `${name} (${address})`).join(", ");
    throw new CircuitError(
      "BAD_REQUEST",
      `there is no interface ${wanted} with an IPv4 address: this machine has ${names || "none"}`,
    );
  }
  const first = all.filter((each, i) =>
    all.findIndex(({ name }) => name === each.name) === i &&
    (!localOnly || isLoopbackHost(each.address))
  );
  if (first.length > 0) return first.slice(0, MAX_INTERFACES);
  throw new CircuitError("UNREACHABLE", "this machine has no interface with an IPv4 address");
}

/** True for an address that only this host can reach. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/**
 * True if the broadcast went where other hosts are. On a machine that has nothing but loopback, or
 * where only that is wanted, it is enough that nothing failed.
 */
export function isHealthy({ through, troubles }: Health): boolean {
  return through.some(({ address }) => !isLoopbackHost(address)) ||
    (through.length > 0 && troubles.length === 0);
}
