/**
 * Carries out jobs of the simulator on a core of its own.
 *
 * @module
 */

import { carryOut, type Findings, type Job } from "./jobs.ts";
import type { Row } from "./row.ts";

/** What a worker says: a row as soon as it is there, and all that it found at the end of a job. */
export type News =
  | { readonly type: "row"; readonly row: Row }
  | { readonly type: "done"; readonly findings: Findings }
  | { readonly type: "failed"; readonly reason: string };

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Job>) => void) | null;
  postMessage(news: News): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data: job }) => {
  try {
    const findings = carryOut(job, (row) => scope.postMessage({ type: "row", row }));
    scope.postMessage({ type: "done", findings });
  } catch (error) {
    scope.postMessage({ type: "failed", reason: String(error) });
  }
};
