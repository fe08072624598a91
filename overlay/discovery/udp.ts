/**
 * UDP, as Deno has it. What its API leaves open, and the two kernels do:
 *
 * - A group's socket is bound to the group's own address, so that it gets nothing else: bound to
 *   0.0.0.0 it would also get what is sent to other groups on this port, joined by other programs.
 * - `reuseAddress` lets any number of sockets share the port, and each gets each datagram of the
 *   group. A unicast datagram would reach only one of them, so answers go to other sockets.
 * - `loopback` is off unless asked for; then other programs on the same host hear nothing of what
 *   leaves by an interface other than `lo`.
 * - A datagram to a group leaves by the interface whose address its socket is bound to (Linux).
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { MAX_DATAGRAM_BYTES } from "./datagram.ts";
import type {
  Datagram,
  DatagramNetwork,
  DatagramSocket,
  GroupSocket,
  NetworkInterface,
  UdpAddress,
} from "./network.ts";
import { formatGroup, type Group } from "./parse_group.ts";

/** What to use where the program may not look at the interfaces (no `--allow-sys`). */
const UNKNOWN_INTERFACES: readonly NetworkInterface[] = [
  { name: "loopback", address: "127.0.0.1" },
  { name: "default", address: "0.0.0.0" },
];

/** The network of this machine. It needs Deno's `--unstable-net`. */
export const udpNetwork: DatagramNetwork = {
  interfaces(): readonly NetworkInterface[] {
    try {
      return Deno.networkInterfaces()
        .filter(({ family }) => family === "IPv4")
        .map(({ name, address }) => ({ name, address }));
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return UNKNOWN_INTERFACES;
      throw failed("list the network interfaces", error);
    }
  },

  open(address: string): DatagramSocket {
    return new UdpSocket(listen({ hostname: address, port: 0, loopback: true }));
  },

  openGroup(group: Group): GroupSocket {
    const { host, port } = group;
    return new UdpGroupSocket(
      listen({ hostname: host, port, reuseAddress: true, loopback: true }),
      group,
    );
  },
};

function listen(options: Omit<Deno.UdpListenOptions, "transport">): Deno.DatagramConn {
  const where = `${options.hostname}:${options.port}`;
  if (typeof Deno.listenDatagram !== "function") {
    throw new CircuitError(
      "UNSUPPORTED",
      `cannot open UDP socket ${where}: Deno has no UDP here; run it with --unstable-net`,
    );
  }
  try {
    return Deno.listenDatagram({ transport: "udp", ...options });
  } catch (error) {
    throw failed(`open UDP socket ${where}`, error);
  }
}

class UdpSocket implements DatagramSocket {
  protected readonly conn: Deno.DatagramConn;
  // One byte more than is allowed shows which datagrams are too long.
  readonly #buffer = new Uint8Array(MAX_DATAGRAM_BYTES + 1);
  #closed = false;

  constructor(conn: Deno.DatagramConn) {
    this.conn = conn;
  }

  async send(bytes: Uint8Array, to: UdpAddress): Promise<void> {
    const { host: hostname, port } = to;
    try {
      await this.conn.send(bytes, { transport: "udp", hostname, port });
    } catch (error) {
      if (this.#closed) throw new CircuitError("CLOSED", "cannot send: the UDP socket is closed");
      throw failed(`send to ${hostname}:${port}`, error);
    }
  }

  async receive(): Promise<Datagram | undefined> {
    if (this.#closed) return undefined;
    try {
      const [bytes, from] = await this.conn.receive(this.#buffer);
      return { bytes, from: udpAddress(from) };
    } catch (error) {
      // A close ends a pending receive with Interrupted, and a later one with BadResource.
      if (this.#closed) return undefined;
      throw failed("receive datagrams", error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.conn.close();
  }
}

class UdpGroupSocket extends UdpSocket implements GroupSocket {
  readonly #group: Group;

  constructor(conn: Deno.DatagramConn, group: Group) {
    super(conn);
    this.#group = group;
  }

  async join(address: string): Promise<void> {
    try {
      await this.conn.joinMulticastV4(this.#group.host, address);
    } catch (error) {
      // The kernel says so where the socket has joined the group on this interface already.
      if (error instanceof Deno.errors.AddrInUse) return;
      throw failed(`join the multicast group ${formatGroup(this.#group)}`, error);
    }
  }
}

function udpAddress(address: Deno.Addr): UdpAddress {
  return address.transport === "udp"
    ? { host: address.hostname, port: address.port }
    : { host: "", port: 0 };
}

function failed(action: string, cause: unknown): CircuitError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Deno.errors.NotCapable || cause instanceof Deno.errors.PermissionDenied) {
    return new CircuitError("DENIED", `cannot ${action}: ${reason}`, { cause });
  }
  if (cause instanceof Deno.errors.AddrInUse) {
    const message = `cannot ${action}: the port is in use by a program that does not share it`;
    return new CircuitError("BUSY", message, { cause });
  }
  return new CircuitError("UNREACHABLE", `cannot ${action}: ${reason}`, { cause });
}
