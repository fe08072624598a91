/**
 * What the server element needs of the server that it stands for.
 *
 * @module
 */

import type { ServerStat } from "./description.ts";

/** A connection with a client or another server. */
export interface ConnectionFacts {
  readonly role: "client" | "server";
  /** ID of the server at the other end; undefined for a client. */
  readonly id: string | undefined;
  /** Address of the other end. */
  readonly address: string;
  /** Calls that are open on it, in either direction. */
  readonly streams: number;
  /** Bytes received so far. */
  readonly in: number;
  /** Bytes sent so far. */
  readonly out: number;
  /** Bytes of memory that reading and writing hold now. */
  readonly buffers: number;
}

/** A call that is under way. */
export interface CallFacts {
  readonly method: string;
  readonly path: string;
}

/** A server's budget of memory for its clients, and what it is used for, in bytes. */
export type MemoryFacts = ServerStat["memory"];

/** A server, as its element sees it. What changes is asked for when it is needed. */
export interface ServerFacts {
  /** The path of the server's own anchor, for messages. */
  readonly path: string;
  /** Its address. */
  readonly address: string;
  /** Its version of the circuit. */
  readonly version: string;
  /** When it started. */
  readonly started: Date;
  /** Seconds since then, by a clock that is never set. */
  readonly uptime: () => number;
  /** How many elements of each kind it holds. */
  readonly countElements: () => Readonly<Record<string, number>>;
  /** Elements that are being made. */
  readonly countMaking: () => number;
  /** Anchors in its tree. */
  readonly countAnchors: () => number;
  /** Elements that have a queue: their paths, and how much waits in each. */
  readonly backlogs: () => Iterable<readonly [path: string, waiting: number]>;
  /** What it may hold for its clients and what it does, in bytes. */
  readonly memory: () => MemoryFacts;
  /** Its connections. */
  readonly connections: () => Iterable<ConnectionFacts>;
  /** Calls on all its connections; undefined for a connection's part in one that is passed on. */
  readonly calls: () => Iterable<CallFacts | undefined>;
  /** The live servers as it knows them, itself included. */
  readonly members: () => Iterable<{ readonly id: string; readonly address: string }>;
  /** Merges its circuit with the one that the server at this address is in. */
  readonly rejoin: (address: string) => Promise<void>;
  /** Stops it. Is called after the answer to who asked for it. */
  readonly suicide: () => void;
}
