/**
 * What is still reached after a share of all servers failed at once, before and after repair, for
 * comparison with HyParView (10,000 nodes, active view 5, passive view 30).
 *
 * @module
 */

import { components, type Graph, without } from "./graph.ts";
import { sample } from "../random.ts";

/** Shares of failures that are looked at. */
export const FAILURE_SHARES: readonly number[] = [
  0.1,
  0.2,
  0.3,
  0.4,
  0.5,
  0.6,
  0.7,
  0.8,
  0.9,
  0.95,
];

/** How far a message gets after a failure. */
export interface Reach {
  /** Share of servers that failed. */
  readonly share: number;
  /** Mean share of the living that a message from a living server at random reaches, unrepaired. */
  readonly atOnce: number;
  /** Share of the living in the largest component. */
  readonly largest: number;
}

/** Reach in a graph after random failures, the mean of several draws. */
export function reach(graph: Graph, share: number, random: () => number, draws = 5): Reach {
  let atOnce = 0;
  let largest = 0;
  const vertices = graph.map((_, i) => i);
  for (let draw = 0; draw < draws; draw++) {
    const gone = new Set(sample(vertices, Math.round(graph.length * share), random));
    const left = without(graph, gone);
    const sizes = components(left);
    const n = Math.max(1, left.length);
    // A random origin is in a component with a chance of its size.
    for (const size of sizes) atOnce += (size / n) ** 2 / draws;
    largest += (sizes[0] ?? 0) / n / draws;
  }
  return { share, atOnce, largest };
}
