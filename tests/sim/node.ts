/**
 * Virtual servers and connections, and what sending costs.
 *
 * @module
 */

import type { Member, Membership, Output, Tuning } from "../../overlay/membership/mod.ts";

/** Bytes that a frame costs on top of its payload: 10 header, 20 IPv4, 32 TCP with timestamps. */
export const FRAME_OVERHEAD_BYTES = 62;
/** Bytes of the TCP acknowledgement that the receiver sends for a frame. */
export const ACK_BYTES = 52;
/** Bytes that each end sends to open and close a connection: SYN, hello, acknowledgements, FIN. */
export const DIAL_BYTES = 400;
/** A dial to a silent host fails after this time, in ms. */
export const DIAL_TIMEOUT_MS = 2000;
/** What a lost packet costs a TCP stream: the least retransmission time, in ms. */
export const RETRANSMIT_MS = 200;

/** The properties of a network. */
export interface NetworkOptions {
  /** Reproduces a run. */
  readonly seed: number;
  /** Bounds of the one-way latency in ms; default 0.5 to 5. */
  readonly latency?: readonly [number, number];
  /** Share of packets that are lost at first; default 0. */
  readonly loss?: number;
  /** Constants of the protocol. */
  readonly tuning?: Partial<Tuning>;
}

/** One virtual server. */
export interface Node {
  readonly index: number;
  readonly member: Member;
  readonly membership: Membership;
  /** The process runs. */
  up: boolean;
  /** The host answers; a dead process on it refuses connections. */
  hostUp: boolean;
  /** Servers reach each other within a group only. */
  group: number;
  /** It does nothing until then, in ms. */
  pausedUntil: number;
  /** Bytes sent. */
  bytes: number;
  /** The tick in the queue; Infinity for none. */
  tickAt: number;
  /** The numbers of its ends of connections. */
  readonly ends: Set<number>;
}

/** Told of each server listed or no longer listed, and of the sender whose frame led to it. */
export type Watcher = (
  node: Node,
  output: Output & { type: "joined" | "left" },
  from: number,
) => void;

/** `HOST:PORT` of an address. */
export function placeOf(address: string): string {
  return address.replace(/^circuit:\/\//, "").replace(/\/.*$/, "");
}
