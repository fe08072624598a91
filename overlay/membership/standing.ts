/**
 * What is said about a server, as one number that only grows: its incarnation and, within one
 * incarnation, how bad things look. Of two statements the greater holds, wherever and in whatever
 * order they arrive; so all lists end up the same.
 *
 * @module
 */

/** Listed. */
export const ALIVE = 0;
/** Listed, but silent; refuted by a higher incarnation. */
export const SUSPECT = 1;
/** Silent for too long, or nobody listens at its address. */
export const DEAD = 2;
/** Another ID answers at its address. */
export const SUPERSEDED = 3;
/** Left in order; only the server itself says so. */
export const LEFT = 4;

/** One of the five constants above. */
export type Status = 0 | 1 | 2 | 3 | 4;

/**
 * The highest incarnation. A server raises its own by one at a time, so it never gets here; a
 * record beyond it is malformed.
 */
export const MAX_INCARNATION = 2 ** 27 - 1;

/** An incarnation and a status in one number; 0 stands for a server never heard of. */
export type Standing = number;

/** No standing: never heard of. */
export const UNKNOWN: Standing = 0;

/** The number for this incarnation (1 or more) and status. */
export function standing(incarnation: number, status: Status): Standing {
  return incarnation * 8 + status;
}

/** The incarnation in a standing; 0 for {@linkcode UNKNOWN}. */
export function incarnationOf(s: Standing): number {
  return s >> 3;
}

/** The status in a standing. */
export function statusOf(s: Standing): Status {
  return (s & 7) as Status;
}

/** True for a server that belongs in the list: alive, or merely suspected. */
export function isListed(s: Standing): boolean {
  return s !== UNKNOWN && (s & 7) <= SUSPECT;
}

/** True for a number off the wire that is a possible standing of a known server. */
export function isStanding(incarnation: number, status: number): boolean {
  return incarnation >= 1 && incarnation <= MAX_INCARNATION && status <= LEFT;
}

/** The standing with which its owner answers one that is not true: alive, one incarnation on. */
export function refutation(said: Standing): Standing {
  return standing(
    Math.min(incarnationOf(said) + 1, MAX_INCARNATION),
    ALIVE,
  );
}
