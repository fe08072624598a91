/**
 * What discovery needs of a network: datagrams to an address or to a multicast group. UDP is one
 * such network; tests use another, in memory.
 *
 * @module
 */

import type { Group } from "./parse_group.ts";

/** Where a datagram comes from or goes to. */
export interface UdpAddress {
  /** An IPv4 address. */
  readonly host: string;
  /** UDP port. */
  readonly port: number;
}

/** A datagram that arrived. */
export interface Datagram {
  /** Valid until the next one is received from the same socket. Too long ones are cut. */
  readonly bytes: Uint8Array;
  /** The sender, as the network says; not to be trusted. */
  readonly from: UdpAddress;
}

/** Sends and receives datagrams. */
export interface DatagramSocket {
  /**
   * Sends one datagram. That it was sent doesn't mean that it arrives.
   *
   * @throws {CircuitError} `UNREACHABLE` if the network refuses it, `CLOSED` after a close.
   */
  send(bytes: Uint8Array, to: UdpAddress): Promise<void>;
  /**
   * The next datagram; undefined once the socket is closed. One call at a time.
   *
   * @throws {CircuitError} `UNREACHABLE` if the socket has failed.
   */
  receive(): Promise<Datagram | undefined>;
  /** Closes the socket; a pending receive ends. Closing twice is harmless. */
  close(): void;
}

/** Receives what is sent to a group. */
export interface GroupSocket extends DatagramSocket {
  /**
   * Begins to receive what arrives for the group on one interface. Joining twice is harmless.
   *
   * @param address The interface's IPv4 address; `0.0.0.0` lets the system choose.
   * @throws {CircuitError} `UNREACHABLE` if there is no such interface or it has no multicast.
   */
  join(address: string): Promise<void>;
}

/** A network interface that has an IPv4 address. */
export interface NetworkInterface {
  /** As `eth0`. */
  readonly name: string;
  /** Its IPv4 address. */
  readonly address: string;
}

/** A way to send and receive datagrams. */
export interface DatagramNetwork {
  /** The interfaces that there are now; an interface appears once for each of its addresses. */
  interfaces(): readonly NetworkInterface[];
  /**
   * A socket on a port that is picked. What it sends to a group leaves by the interface that has
   * `address`, and also reaches members of the group on this host.
   *
   * @throws {CircuitError} `UNREACHABLE` if no interface has the address, `DENIED` if it may not be
   * used, `UNSUPPORTED` where there are no datagrams.
   */
  open(address: string): DatagramSocket;
  /**
   * A socket for what is sent to the group. Several of them on one host share the port, and each
   * receives each datagram.
   *
   * @throws {CircuitError} `BUSY` if somebody has the port who doesn't share it; else as
   * {@linkcode DatagramNetwork.open}.
   */
  openGroup(group: Group): GroupSocket;
}
