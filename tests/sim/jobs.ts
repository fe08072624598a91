/**
 * What is measured, cut into jobs: each builds a circuit and puts it through some scenarios. Jobs
 * share nothing, so they can run side by side.
 *
 * @module
 */

import { build } from "./circuit.ts";
import {
  brokenLinks,
  type Failure,
  hardship,
  massFailure,
  massFailureRow,
  restarts,
  split,
} from "./faults.ts";
import { degrees, type Graph, overlayOf } from "./graph.ts";
import type { Network } from "./network.ts";
import type { Series } from "./plot.ts";
import { events, idle, shape } from "./quiet.ts";
import type { Row } from "./row.ts";

/** Above this size scenarios share circuits: to build one of 10,000 is what takes longest. */
const LARGE = 2000;
/** Most restarts in the storm: each is told to all, so the cost grows with restarts × servers. */
const MAX_RESTARTS = 10_000;

/** The scenarios, by the names that `--only` takes. */
export const PARTS = [
  "quiet",
  "half",
  "most",
  "split",
  "hardship",
  "loss",
  "restarts",
  "recovery",
] as const;
/** One of {@linkcode PARTS}. */
export type Part = typeof PARTS[number];

/** A step of a job. */
export interface Step {
  readonly part: Part;
  /** How servers fail, for `half`, `most` and `recovery`. */
  readonly how?: Failure;
  /** How many of them, for `recovery`. */
  readonly share?: number;
}

/** Scenarios that share a circuit, in this order. */
export interface Job {
  /** Servers. */
  readonly n: number;
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** What a circuit at rest looks like. */
export interface Portrait {
  /** Share of servers by number of links. */
  readonly degree: Series;
  /** Share of servers that know a newcomer, over time. */
  readonly spread: Series;
  /** Bytes a second that a server sends. */
  readonly idle: number;
  readonly graph: Graph;
}

/** How a circuit came back after a failure. */
export interface Comeback {
  readonly share: number;
  readonly connectedMs: number;
  readonly exactMs: number;
}

/** What a job found. */
export interface Findings {
  readonly rows: Row[];
  portrait?: Portrait;
  readonly comebacks: Comeback[];
}

/** The jobs for one size. */
export function plan(n: number, seed: number, parts: ReadonlySet<Part>): Job[] {
  const job = (...steps: Step[]): Job => ({ n, seed, steps });
  const jobs = n > LARGE
    ? [
      job({ part: "most", how: "crash" }),
      job({ part: "half", how: "crash" }),
      job({ part: "restarts" }, { part: "most", how: "silence" }),
      job(
        { part: "quiet" },
        { part: "loss" },
        { part: "hardship" },
        { part: "split" },
        { part: "half", how: "silence" },
      ),
    ]
    : [
      job({ part: "quiet" }),
      job({ part: "half", how: "crash" }),
      job({ part: "half", how: "silence" }),
      job({ part: "most", how: "crash" }),
      job({ part: "most", how: "silence" }),
      job({ part: "split" }),
      job({ part: "hardship" }),
      job({ part: "loss" }),
      job({ part: "restarts" }),
    ];
  return jobs
    .map((each) => ({ ...each, steps: each.steps.filter(({ part }) => parts.has(part)) }))
    .filter(({ steps }) => steps.length > 0);
}

/** The jobs for the plot of recovery: one for each share of servers that fail. */
export function recoveryJobs(n: number, seed: number, shares: readonly number[]): Job[] {
  return shares.map((share) => ({
    n,
    seed,
    steps: [{ part: "recovery", how: "silence", share }],
  }));
}

/** Carries out a job. `told` hears what each step found when it is done. */
export function carryOut(job: Job, told: (findings: Findings) => void): void {
  const network = build(job.n, job);
  for (const step of job.steps) {
    const findings: Findings = { rows: [], comebacks: [] };
    findings.rows.push(...carryOutStep(network, step, findings));
    told(findings);
  }
}

/** A step in words. */
export function stepName({ part, how, share }: Step): string {
  return [part, how, share === undefined ? undefined : `${share * 100} %`]
    .filter((each) => each !== undefined).join(" ");
}

function carryOutStep(network: Network, step: Step, findings: Findings): Row[] {
  const { part, how = "silence", share = 0 } = step;
  switch (part) {
    case "quiet":
      return quiet(network, findings);
    case "half":
      return [massFailureRow(network, 0.5, how).row];
    case "most":
      return [massFailureRow(network, 0.8, how).row];
    case "split":
      return [split(network).row];
    case "hardship":
      return [hardship(network)];
    case "loss":
      return [brokenLinks(network)];
    case "restarts":
      return [restarts(network, Math.min(MAX_RESTARTS, 10 * network.live().length))];
    case "recovery": {
      const { connectedMs, exactMs } = massFailure(network, share, how);
      findings.comebacks.push({ share, connectedMs, exactMs });
      return [];
    }
  }
}

function quiet(network: Network, findings: Findings): Row[] {
  const rows = shape(network);
  const n = network.live().length;
  const { graph } = overlayOf(network);
  const { row, bytes } = idle(network);
  const { rows: eventRows, join } = events(network);
  const name = `N = ${n}`;
  findings.portrait = {
    degree: { name, points: [...degrees(graph)].map(([degree, count]) => [degree, count / n]) },
    spread: { name, points: join.times.map((time, i) => [time, (i + 1) / join.times.length]) },
    idle: bytes,
    graph,
  };
  return [...rows, row, ...eventRows];
}
