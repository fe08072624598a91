/**
 * What can be said of the overlay as a graph: degrees, distances, components, spectral gap.
 *
 * @module
 */

import type { Network, Node } from "./network.ts";

/** Neighbours of each vertex, by position. */
export type Graph = readonly (readonly number[])[];

/**
 * The links on which both ends agree, between servers that live; `asymmetric` holds the ends of those
 * on which only one does.
 */
export function overlayOf(
  network: Network,
  nodes: readonly Node[] = network.live(),
): { graph: Graph; asymmetric: Set<number> } {
  const positions = new Map(nodes.map((node, i) => [node, i]));
  const ends = new Map(nodes.map((node) => [node, new Set(node.membership.linkIds())]));
  const asymmetric = new Set<number>();
  const graph = nodes.map((node) => {
    const neighbours: number[] = [];
    for (const end of ends.get(node) ?? []) {
      const peer = network.peerOf(end);
      const position = peer && positions.get(peer);
      if (position === undefined) continue;
      if (ends.get(peer as Node)?.has(end ^ 1)) neighbours.push(position);
      else asymmetric.add(end);
    }
    return neighbours;
  });
  return { graph, asymmetric };
}

/** The graph that is left of some of its vertices. */
export function without(graph: Graph, gone: ReadonlySet<number>): Graph {
  const positions = new Map<number, number>();
  graph.forEach((_, i) => {
    if (!gone.has(i)) positions.set(i, positions.size);
  });
  const left: number[][] = [];
  for (const old of positions.keys()) {
    const neighbours: number[] = [];
    for (const n of graph[old] ?? []) {
      const position = positions.get(n);
      if (position !== undefined) neighbours.push(position);
    }
    left.push(neighbours);
  }
  return left;
}

/** How many vertices have each degree. */
export function degrees(graph: Graph): Map<number, number> {
  const histogram = new Map<number, number>();
  for (const neighbours of graph) {
    const degree = neighbours.length;
    histogram.set(degree, (histogram.get(degree) ?? 0) + 1);
  }
  return new Map([...histogram].sort((a, b) => a[0] - b[0]));
}

/** Sizes of the connected components, the largest first. */
export function components(graph: Graph): number[] {
  const seen = new Uint8Array(graph.length);
  const sizes: number[] = [];
  for (let start = 0; start < graph.length; start++) {
    if (seen[start]) continue;
    seen[start] = 1;
    const stack = [start];
    let size = 0;
    for (let v = stack.pop(); v !== undefined; v = stack.pop()) {
      size++;
      for (const n of graph[v] ?? []) {
        if (seen[n]) continue;
        seen[n] = 1;
        stack.push(n);
      }
    }
    sizes.push(size);
  }
  return sizes.sort((a, b) => b - a);
}

/** The longest of all shortest paths; Infinity where the graph is not connected. */
export function diameter(graph: Graph): number {
  const queue = new Int32Array(graph.length);
  const distance = new Int16Array(graph.length);
  let longest = 0;
  for (let start = 0; start < graph.length; start++) {
    distance.fill(-1);
    distance[start] = 0;
    queue[0] = start;
    let tail = 1;
    for (let head = 0; head < tail; head++) {
      const v = queue[head] as number;
      const next = (distance[v] as number) + 1;
      const neighbours = graph[v] as readonly number[];
      for (let i = 0; i < neighbours.length; i++) {
        const n = neighbours[i] as number;
        if (distance[n] !== -1) continue;
        distance[n] = next;
        queue[tail++] = n;
      }
    }
    if (tail < graph.length) return Infinity;
    longest = Math.max(longest, distance[queue[tail - 1] as number] as number);
  }
  return longest;
}

const POWER_ROUNDS = 400;

/**
 * One minus the second largest eigenvalue of the normalised adjacency D^(−1/2)·A·D^(−1/2), by power
 * iteration on its half-shifted form, with the first eigenvector taken out.
 */
export function spectralGap(graph: Graph, random: () => number): number {
  const n = graph.length;
  const root = graph.map((neighbours) => Math.sqrt(Math.max(1, neighbours.length)));
  const norm = Math.sqrt(root.reduce((sum, r) => sum + r * r, 0));
  const first = root.map((r) => r / norm);
  let x = Float64Array.from({ length: n }, () => random() - 0.5);
  let y = new Float64Array(n);
  let value = 0;
  for (let round = 0; round < POWER_ROUNDS; round++) {
    let along = 0;
    for (let i = 0; i < n; i++) along += (x[i] as number) * (first[i] as number);
    for (let i = 0; i < n; i++) x[i] = (x[i] as number) - along * (first[i] as number);
    let length = 0;
    for (let i = 0; i < n; i++) length += (x[i] as number) ** 2;
    length = Math.sqrt(length) || 1;
    value = 0;
    for (let i = 0; i < n; i++) {
      const xi = (x[i] as number) / length;
      let sum = 0;
      for (const j of graph[i] as readonly number[]) {
        sum += (x[j] as number) / length / (root[j] as number);
      }
      sum /= root[i] as number;
      value += xi * sum;
      // (I + A) / 2 has no negative eigenvalues, so the iteration finds the greatest.
      y[i] = (xi + sum) / 2;
    }
    [x, y] = [y, x];
  }
  return 1 - value;
}
