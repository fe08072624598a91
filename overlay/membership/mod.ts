/**
 * Who is in the circuit: a pure state machine, the same for servers and for the simulator.
 *
 * @module
 */

export { Membership } from "./membership.ts";
export type {
  Counters,
  DialFailure,
  Input,
  LeaveCause,
  LinkId,
  LinkStatus,
  Member,
  MembershipOptions,
  MembershipStatus,
  Output,
} from "./types.ts";
export { DEFAULT_TUNING, type Tuning } from "./tuning.ts";
export { Directory } from "./directory.ts";
export { MAX_FRAME_BYTES } from "./wire.ts";
