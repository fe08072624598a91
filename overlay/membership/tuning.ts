/**
 * Every constant of the protocol, with its unit, meaning and cost. Times are in ms.
 *
 * @module
 */

/** The constants of a membership; all servers of a circuit should use the same. */
export interface Tuning {
  /** Links below which a server looks for more at once. */
  readonly lowDegree: number;
  /** Links that a server wants. Each costs a heartbeat a second in each direction. */
  readonly targetDegree: number;
  /** Links above which nothing more is accepted. */
  readonly capDegree: number;
  /** Up to so many servers everybody links to everybody. */
  readonly fullMeshServers: number;

  /** Heartbeat interval on each link. */
  readonly heartbeatMs: number;
  /** Silence on a link that makes its peer a suspect; must exceed heartbeat + the longest pause. */
  readonly silenceMs: number;
  /**
   * A neighbour that heard a suspect within this time vetoes. Less than silence − heartbeat, so
   * that nobody vetoes a real death.
   */
  readonly vetoFreshMs: number;
  /** How long a veto puts a death off; enough for the vetoer itself to notice silence. */
  readonly vetoHoldMs: number;
  /** Suspicion to death where two servers reported. */
  readonly confirmTwoMs: number;
  /** Suspicion to death where one server reported. */
  readonly confirmOneMs: number;
  /** Suspicion to death for those who only heard of it; covers reporters that died. */
  readonly confirmOtherMs: number;
  /** A tick that is late by more than this is counted as lag of the event loop. */
  readonly lagSlackMs: number;

  /** Records wait this long for others before they are sent on. */
  readonly batchMs: number;
  /**
   * The same while news is dense: costs latency, a few hops of it, and saves most of the frames of a
   * storm, of which each has a fixed cost on both ends.
   */
  readonly batchDenseMs: number;
  /** News is dense where so many records or more came in {@linkcode Tuning.batchMs}. */
  readonly denseRecords: number;
  /** Hashes of neighbours that differ for this long start a diff. */
  readonly differMs: number;
  /** A diff waits until the own list was unchanged for this long … */
  readonly quietMs: number;
  /** … but no longer than this. */
  readonly differMaxMs: number;
  /** Least time between two diffs that one server begins. */
  readonly diffGapMs: number;

  /** Time between background probes of a random member. */
  readonly probeMs: number;
  /** The same for {@linkcode Tuning.alarmMs} after many members were lost. */
  readonly probeAlarmMs: number;
  /** How long probes stay frequent after a mass loss. */
  readonly alarmMs: number;
  /** Share of members, lost within {@linkcode Tuning.alarmMs}, that is a mass loss. */
  readonly alarmShare: number;

  /** Time between the chances to dial a dead server or a seed. */
  readonly healMs: number;
  /** The chance is this / live servers. */
  readonly healDials: number;
  /** The same interval for a server that is alone and has a seed. */
  readonly aloneMs: number;
  /** Doubts in a diff above which all raise their incarnations instead of being suspected. */
  readonly raiseDoubts: number;
  /** Least time between two raises of one server. */
  readonly raiseGapMs: number;
  /** Edge swaps of each server after a merge. */
  readonly mergeSwaps: number;
  /** The time over which these are spread. */
  readonly mergeSwapMs: number;
  /** Share of members, gained within {@linkcode Tuning.mergeWindowMs}, that is a merge. */
  readonly mergeShare: number;
  /** See {@linkcode Tuning.mergeShare}. */
  readonly mergeWindowMs: number;
  /** Mean time between edge swaps of a quiet server. */
  readonly idleSwapMs: number;
  /** At most so many servers are not worth a swap. */
  readonly swapMinServers: number;

  /** Newcomers that are served a snapshot at the same time; others are sent on. */
  readonly joinersAtOnce: number;
  /** A newcomer that takes longer loses its place. */
  readonly joinerMs: number;
  /** Addresses to which a newcomer is sent on. */
  readonly redirects: number;
  /** Link dials under way at the same time. */
  readonly seekAtOnce: number;
  /** The same for a server all of whose links fell silent. */
  readonly seekCutOff: number;
  /** First pause after a failed try for a link, doubled up to {@linkcode Tuning.seekMaxMs}. */
  readonly seekMinMs: number;
  /** See {@linkcode Tuning.seekMinMs}. */
  readonly seekMaxMs: number;
  /** Mean pause between tries for the last link, the one between low and target. */
  readonly seekSlowMs: number;
  /** An unanswered request is given up after this time. */
  readonly requestMs: number;
  /** A connection that did not become a link is closed after this time. */
  readonly contactMs: number;
  /** An edge that is being handed over is left alone for this time. */
  readonly lockMs: number;
  /** Age of a link before it may be dropped as surplus … */
  readonly surplusAgeMs: number;
  /** … and of one that may hold two sides together until swaps have mixed them. */
  readonly vitalAgeMs: number;
  /** Mean time between looks for surplus links. */
  readonly surplusMs: number;
  /** A server that could not be reached is not asked for a link again for this time. */
  readonly shunMs: number;

  /** How long the dead are remembered. */
  readonly tombstoneMs: number;
}

/** What servers use. */
export const DEFAULT_TUNING: Tuning = {
  lowDegree: 7,
  targetDegree: 8,
  capDegree: 11,
  fullMeshServers: 9,

  heartbeatMs: 1000,
  silenceMs: 2500,
  vetoFreshMs: 1250,
  vetoHoldMs: 2500,
  confirmTwoMs: 1000,
  confirmOneMs: 1750,
  confirmOtherMs: 3500,
  lagSlackMs: 100,

  batchMs: 25,
  batchDenseMs: 100,
  denseRecords: 4,
  differMs: 2000,
  quietMs: 500,
  differMaxMs: 10_000,
  diffGapMs: 1000,

  probeMs: 10_000,
  probeAlarmMs: 2000,
  alarmMs: 30_000,
  alarmShare: 0.1,

  healMs: 5000,
  healDials: 3,
  aloneMs: 1000,
  raiseDoubts: 8,
  raiseGapMs: 10_000,
  mergeSwaps: 4,
  mergeSwapMs: 30_000,
  mergeShare: 0.1,
  mergeWindowMs: 5000,
  idleSwapMs: 60_000,
  swapMinServers: 16,

  joinersAtOnce: 4,
  joinerMs: 5000,
  redirects: 4,
  seekAtOnce: 4,
  seekCutOff: 16,
  seekMinMs: 50,
  seekMaxMs: 2000,
  seekSlowMs: 4000,
  requestMs: 3000,
  contactMs: 10_000,
  lockMs: 3000,
  surplusAgeMs: 10_000,
  vitalAgeMs: 60_000,
  surplusMs: 5000,
  shunMs: 30_000,

  tombstoneMs: 24 * 3600 * 1000,
};
