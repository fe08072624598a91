/**
 * What the frames of the membership protocol say.
 *
 * @module
 */

import type { RecordReader } from "./records.ts";

/** A server ID in two halves, as it is on the wire. */
export interface WireId {
  /** Upper 32 bits. */
  readonly hi: number;
  /** Lower 32 bits. */
  readonly lo: number;
}

/** The first frame in each direction. */
export interface Hello {
  readonly type: "hello";
  /** The sender lists nobody but itself and wants a snapshot. */
  readonly alone: boolean;
  /** The sender dialled and waits for a hello in return. */
  readonly ask: boolean;
  /** The sender's incarnation. */
  readonly incarnation: number;
  /** Standing of the receiver in the sender's list; 0 if unknown. */
  readonly held: number;
  /** Servers in the sender's list. */
  readonly alive: number;
  /** Hash of the sender's list. */
  readonly hashA: number;
  /** Hash of the sender's list. */
  readonly hashB: number;
}

/** Asks for the connection to become a link. */
export interface Request {
  readonly type: "request";
  /** Links that the sender still wants: 1, or 2 for more. */
  readonly want: number;
  /** The link repairs a closed one or joins two sides; accepted beyond the target. */
  readonly vital: boolean;
  /** The receiver shall drop its link with this server in exchange. */
  readonly replaces: WireId | undefined;
  /** The sender offers an edge with this server for one of the receiver's edges. */
  readonly swap: WireId | undefined;
  /** Servers that the sender is linked to. */
  readonly avoid: readonly WireId[];
}

/** Answers a request; `records` holds the server to dial in exchange, if any. */
export interface Answer {
  readonly type: "accept" | "refuse";
  /** One of {@linkcode REASON}; 0 with accept. */
  readonly reason: number;
  /** At most one full record. */
  readonly records: RecordReader;
}

/** Asks a neighbour to link with the server in `records` in the place of the sender. */
export interface Handover {
  readonly type: "handover";
  /** That server shall drop its link with this one. */
  readonly replaces: WireId;
  /** The receiver drops its link with the sender when done. */
  readonly move: boolean;
  /** One full record. */
  readonly records: RecordReader;
}

/** Ends a link in agreement. */
export interface Drop {
  readonly type: "drop";
  /** One of {@linkcode REASON}. */
  readonly reason: number;
}

/** The heartbeat of a link. */
export interface Beat {
  readonly type: "beat";
  /** Hash of the sender's list. */
  readonly hashA: number;
  /** Hash of the sender's list. */
  readonly hashB: number;
  /** The sender's links. */
  readonly degree: number;
}

/** A run of records: flooded, in reply to a diff, part of a snapshot, or places to go to. */
export interface Records {
  readonly type: "records" | "sync" | "snapshot" | "redirect";
  /** The last part of a snapshot. */
  readonly last: boolean;
  readonly records: RecordReader;
}

/** The hash of each bucket of the sender's list; asks for a diff. */
export interface Digest {
  readonly type: "digest";
  readonly heal: boolean;
  /** There are 2 to this power buckets. */
  readonly bits: number;
  /** Hash of bucket `i`. */
  hash(i: number): number;
}

/** All records of some buckets that differ. */
export interface Diff {
  readonly type: "diff";
  readonly heal: boolean;
  /** There are 2 to this power buckets. */
  readonly bits: number;
  /** Buckets that `records` holds in full. */
  readonly buckets: Uint16Array;
  readonly records: RecordReader;
}

/** All raise their incarnations; or a newcomer has its snapshot. */
export interface Bare {
  readonly type: "raise" | "ready";
}

/** Any frame. */
export type Message =
  | Hello
  | Request
  | Answer
  | Handover
  | Drop
  | Beat
  | Records
  | Digest
  | Diff
  | Bare;
