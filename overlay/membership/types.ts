/**
 * The vocabulary between the membership protocol and whoever drives it.
 *
 * @module
 */

import type { Tuning } from "./tuning.ts";
import type { Directory } from "./directory.ts";

/** A server as everybody knows it. */
export interface Member {
  /** Server ID: `X` and 16 lower-case hex digits. */
  readonly id: string;
  /** `circuit://HOST:PORT/PID/Q<the same digits>`. */
  readonly address: string;
}

/** A number that the driver gives to each connection with a server; never used twice. */
export type LinkId = number;

/**
 * Why a dial came to nothing.
 *
 * - `refused`: the host answered that nobody listens there.
 * - `unreachable`: no answer in time, or no route.
 * - `superseded`: a server with another ID answered.
 */
export type DialFailure = "refused" | "unreachable" | "superseded";

/** What happened, as the driver reports it. */
export type Input =
  /** Dial this seed (`-j`, multicast, `circuit join`): an address or a bare `HOST:PORT`. */
  | { readonly type: "join"; readonly address: string }
  /**
   * A connection with a server is up and the server's ID has been checked. Where it was dialled,
   * `address` is the one from the dial output.
   */
  | {
    readonly type: "link-up";
    readonly link: LinkId;
    readonly peer: Member;
    readonly dialled: boolean;
    readonly address?: string;
  }
  /** The connection has closed: by the peer, by a reset, or after a close output. */
  | { readonly type: "link-down"; readonly link: LinkId }
  /** A dial output came to nothing; `address` is the one from that output. */
  | {
    readonly type: "dial-failed";
    readonly address: string;
    readonly reason: DialFailure;
  }
  /** One membership frame from the peer of a link. The bytes may be reused afterwards. */
  | {
    readonly type: "message";
    readonly link: LinkId;
    readonly bytes: Uint8Array;
  }
  /** Time has passed; due at {@linkcode Membership.wakeAt}. */
  | { readonly type: "tick" }
  /** This server leaves in order. Nothing is done after it. */
  | { readonly type: "leave" };

/** Why a server is no longer listed. */
export type LeaveCause = "left" | "dead" | "superseded";

/** What the driver has to do, in this order. */
export type Output =
  /** Connect; answer with `link-up` or `dial-failed`. With an ID, only that server will do. */
  | { readonly type: "dial"; readonly address: string; readonly id?: string }
  /** Send one frame; the bytes belong to the driver. The same bytes may go to several links. */
  | {
    readonly type: "send";
    readonly link: LinkId;
    readonly bytes: Uint8Array;
  }
  /** The link is no longer wanted. Frames sent before it must still go out. */
  | { readonly type: "close"; readonly link: LinkId }
  /** A server is listed from now on. */
  | { readonly type: "joined"; readonly member: Member }
  /** A server is no longer listed. */
  | {
    readonly type: "left";
    readonly member: Member;
    readonly cause: LeaveCause;
  };

/** What a {@linkcode Membership} needs from outside. */
export interface MembershipOptions {
  /** Monotonic time in ms at the start. */
  readonly now: number;
  /** A source of numbers in [0, 1). */
  readonly random: () => number;
  /**
   * Monotonic time in ms of a moment at which heartbeats go out: others do so whole intervals from it.
   * Default: at random.
   */
  readonly beatAt?: number;
  /** Constants that differ from {@linkcode DEFAULT_TUNING}. */
  readonly tuning?: Partial<Tuning>;
  /**
   * Where member records are kept. Servers simulated in one process share one; default: an own one.
   */
  readonly directory?: Directory;
}

/** One link, for diagnostics. */
export interface LinkStatus {
  /** The driver's number. */
  readonly link: LinkId;
  /** Who is at the other end. */
  readonly peer: Member;
  /** True where both ends agreed that it counts; else it is a passing contact. */
  readonly agreed: boolean;
  /** Time since something was heard on it, in ms. */
  readonly silentMs: number;
}

/** How often things were done since the start. */
export interface Counters {
  /** Records sent in floods. */
  recordsSent: number;
  /** Records sent in snapshots and diffs. */
  syncRecordsSent: number;
  /** Snapshots that this server gave to newcomers. */
  snapshotsSent: number;
  /** Snapshots that this server took. */
  snapshotsTaken: number;
  /** Anti-entropy rounds begun. */
  diffs: number;
  /** Suspicions that this server raised itself. */
  suspicions: number;
  /** Times that this server raised its incarnation because it was doubted. */
  refutations: number;
  /** Times that a wave asked this server to raise its incarnation. */
  raises: number;
  /** Edges given to others. */
  handovers: number;
  /** Frames that could not be understood. */
  badFrames: number;
  /** Dials asked for. */
  dials: number;
}

/** The state of a {@linkcode Membership} at one moment, for diagnostics. */
export interface MembershipStatus {
  /** This server. */
  readonly self: Member;
  /** This server's incarnation. */
  readonly incarnation: number;
  /** Listed servers, this one included. */
  readonly alive: number;
  /** Listed servers that are under suspicion. */
  readonly suspects: number;
  /** Records of servers that died or left. */
  readonly tombstones: number;
  /** Agreed links. */
  readonly degree: number;
  /** Every connection. */
  readonly links: readonly LinkStatus[];
  /** The hash of the list, 16 hex digits: equal lists have equal hashes. */
  readonly hash: string;
  /** Event-loop lag in ms that was forgiven since the start. */
  readonly lagMs: number;
  /** How often things were done. */
  readonly counters: Readonly<Counters>;
}
