/**
 * What a session is made of, and what those who use it give to it and get from it.
 *
 * @module
 */

import type { Budget } from "../budget.ts";
import type { CircuitError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import type { Codec } from "./codec.ts";
import type { FrameType } from "./frame.ts";
import type { Conn } from "./network.ts";
import type { Session } from "./session.ts";

/** Who is at the other end of a session. */
export interface Peer {
  readonly role: "client" | "server";
  /** Its server ID; undefined for a client. */
  readonly id: string | undefined;
  /** The address that it is known by, or for a client where it connected from. */
  readonly address: string;
}

/** What a stream was opened for. */
export interface Purpose {
  readonly method: string;
  readonly path: string;
}

/** Takes the frames of one stream. Payloads alias the read buffer: copy what is kept. */
export interface FrameSink {
  /** What the stream was opened for; undefined for one that is passed on. */
  readonly purpose?: Purpose;
  onFrame(type: FrameType, flags: number, payload: Uint8Array): void;
  /** The connection is lost; no frame will follow. */
  onLost(error: CircuitError): void;
}

/** A request that a peer has sent. Its bytes alias the read buffer. */
export interface Incoming {
  readonly session: Session;
  readonly stream: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly method: string;
  readonly path: string;
  readonly window: number;
  readonly args: Uint8Array;
  readonly body: Uint8Array;
}

/** What a session is made of. */
export interface SessionOptions {
  readonly conn: Conn;
  /** True on the side that dialled: it numbers its streams oddly, the other side evenly. */
  readonly dialled: boolean;
  readonly peer: Peer;
  readonly codec: Codec;
  /**
   * Takes requests; absent on a peer that serves none. It accepts or relays them before it returns,
   * since their frames may follow at once, or throws: the caller gets the error then.
   */
  readonly onRequest?: (incoming: Incoming) => void;
  /** Takes messages of the membership protocol. */
  readonly onMember?: (payload: Uint8Array) => void;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Streams that may be open at a time; default {@linkcode MAX_STREAMS}. */
  readonly maxStreams?: number;
  /** Bytes of the peer's streams that may wait to be read; default {@linkcode MAX_HELD_BYTES}. */
  readonly maxHeldBytes?: number;
  /** What all sessions of a server share of memory for their peers; default: without a limit. */
  readonly budget?: Budget;
  /** Bytes that may wait to be written to the peer; default {@linkcode MAX_UNSENT_BYTES}. */
  readonly maxUnsentBytes?: number;
}

/** A request to send. */
export interface OpenOptions {
  /** A plain value; undefined for none. */
  readonly args?: unknown;
  /** The first bytes of the stream, at most {@linkcode INITIAL_WINDOW}. */
  readonly body?: Uint8Array;
  /** True: no more bytes will follow `body`. */
  readonly end?: boolean;
  /** Bytes that the other side may send before it is granted more; default 32 KiB. */
  readonly window?: number;
}
