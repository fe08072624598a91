/**
 * How long a suspicion has to last before it is a death.
 *
 * @module
 */

import type { Tuning } from "./tuning.ts";

/** What the time to death depends on. Times are awake times in ms. */
export interface Evidence {
  /** When the suspicion became known here. */
  readonly since: number;
  /** Whether this server reported it itself. */
  readonly mine: boolean;
  /** Whether two servers reported it. */
  readonly second: boolean;
  /** Until when a veto holds; 0 for none. */
  readonly heldUntil: number;
}

/** When the suspect is to be declared dead. */
export function confirmAt(
  tuning: Pick<Tuning, "confirmTwoMs" | "confirmOneMs" | "confirmOtherMs">,
  evidence: Evidence,
): number {
  const { since, mine, second, heldUntil } = evidence;
  const wait = !mine ? tuning.confirmOtherMs : second ? tuning.confirmTwoMs : tuning.confirmOneMs;
  return Math.max(since + wait, heldUntil);
}
