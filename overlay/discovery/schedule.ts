/**
 * When discovery sends: arithmetic without timers.
 *
 * @module
 */

/** Announcements that follow each other at growing intervals, when a server starts. */
export const BURST_ANNOUNCEMENTS = 10;

/** Milliseconds between the first announcement and the second. */
export const FIRST_INTERVAL_MS = 1_000;

/** By how much each interval of the burst exceeds the one before it. */
export const INTERVAL_GROWTH = 1.4;

/** Milliseconds between announcements after the burst. */
export const QUIET_INTERVAL_MS = 60_000;

/**
 * Announcements of the burst, from the first on, that a query goes along with: enough for the news
 * of all servers to reach a newcomer where a datagram is lost now and then.
 */
export const BURST_QUERIES = 3;

/** The share of an interval by which chance may shorten it, so that servers don't keep step. */
export const JITTER = 0.1;

/** Milliseconds between a client's queries; the last is for all that follow. */
export const QUERY_INTERVALS_MS: readonly number[] = [0, 100, 300, 1_000];

/** Milliseconds to the first try after a failure; it doubles with each … */
export const FIRST_RETRY_MS = 1_000;

/** … up to this. */
export const MAX_RETRY_MS = 60_000;

/**
 * Milliseconds to wait before the next announcement.
 *
 * @param sent How many were sent since the server started.
 * @param chance A number in [0, 1); default 0: no jitter.
 */
export function announceDelayMs(sent: number, chance = 0): number {
  if (sent === 0) return 0;
  const interval = sent < BURST_ANNOUNCEMENTS
    ? FIRST_INTERVAL_MS * INTERVAL_GROWTH ** (sent - 1)
    : QUIET_INTERVAL_MS;
  return interval * (1 - JITTER * chance);
}

/**
 * Milliseconds to wait before a client's next query.
 *
 * @param sent How many it has sent.
 */
export function queryDelayMs(sent: number): number {
  const last = QUERY_INTERVALS_MS.length - 1;
  return QUERY_INTERVALS_MS[Math.min(sent, last)] ?? FIRST_INTERVAL_MS;
}

/**
 * Milliseconds to wait before trying again what has failed.
 *
 * @param failures How often in a row it has failed, at least 1.
 * @param chance A number in [0, 1); default 0: no jitter.
 */
export function retryDelayMs(failures: number, chance = 0): number {
  const delay = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  return delay * (1 - JITTER * chance);
}
