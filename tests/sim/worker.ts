/**
 * Carries out jobs of the simulator on a core of its own.
 *
 * @module
 */

import { carryOut, type Findings, type Job } from "./jobs.ts";

/** What a worker says: what each step found, and that there are no more. */
export type News =
  | { readonly type: "step"; readonly findings: Findings }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly reason: string };

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Job>) => void) | null;
  postMessage(news: News): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data: job }) => {
  try {
    carryOut(job, (findings) => scope.postMessage({ type: "step", findings }));
    scope.postMessage({ type: "done" });
  } catch (error) {
    scope.postMessage({ type: "failed", reason: String(error) });
  }
};
