/**
 * Scenarios with faults: mass failures, splits, pauses and broken ways, restarts. Each also looks at
 * the recovery.
 *
 * @module
 */

import { connected, exact, falseDeaths } from "./circuit.ts";
import { components, overlayOf, spectralGap } from "./graph.ts";
import type { Network, Node } from "./network.ts";
import { LEAST_GAP } from "./quiet.ts";
import { sample } from "../random.ts";
import { type Row, seconds } from "./row.ts";

/** How servers fail: with closed connections, or whole hosts without a word. */
export type Failure = "crash" | "silence";

/** What was left of a circuit, and how it came back. */
export interface Recovery {
  /** Share of the living in the largest component before any repair. */
  readonly largest: number;
  /** Time until the links connect all living servers, in ms. */
  readonly connectedMs: number;
  /** Time until all lists are exact, in ms. */
  readonly exactMs: number;
}

/** Fails a share of all servers at once. */
export function massFailure(network: Network, share: number, how: Failure): Recovery {
  const live = network.live();
  for (const node of sample(live, Math.round(live.length * share), network.random)) {
    network[how](node);
  }
  const { graph } = overlayOf(network);
  const largest = (components(graph)[0] ?? 0) / graph.length;
  const from = network.now;
  const step = 100;
  network.runTo(60_000, step, () => connected(network));
  const connectedMs = connected(network) ? network.now - from : Infinity;
  network.runTo(60_000, step, () => exact(network));
  const exactMs = exact(network) ? network.now - from : Infinity;
  return { largest, connectedMs, exactMs };
}

/** The rows of the table about half and four fifths of all servers. */
export function massFailureRow(
  network: Network,
  share: 0.5 | 0.8,
  how: Failure,
): { row: Row; recovery: Recovery } {
  const n = network.live().length;
  const recovery = massFailure(network, share, how);
  const { largest, connectedMs, exactMs } = recovery;
  const [connectedTarget, exactTarget] = share === 0.5 ? [4000, 15_000] : [12_000, 20_000];
  // Below 1,000 one server whose neighbours all failed is over a hundredth of those left.
  const least = share === 0.5 && n >= 1000 ? 0.99 : 0;
  const what = how === "crash" ? "with closed connections" : "without a word";
  return {
    recovery,
    row: {
      property: `${share * 100} % fail at once, ${what}`,
      n,
      target: `${least ? "component ≥ 0.99, " : ""}connected ≤ ${
        connectedTarget / 1000
      } s, exact ≤ ${exactTarget / 1000} s`,
      measured: `component ${largest.toFixed(4)}, connected ${seconds(connectedMs)}, exact ${
        seconds(exactMs)
      }`,
      pass: largest >= least && connectedMs <= connectedTarget && exactMs <= exactTarget,
    },
  };
}

/** Splits a circuit into halves for 60 s, then heals the network. */
export function split(network: Network): { row: Row; exactMs: number } {
  const live = network.live();
  const n = live.length;
  network.split(sample(live, Math.floor(n / 2), network.random));
  network.run(60_000);
  const sent = () => network.count("recordsSent", live) + network.count("syncRecordsSent", live);
  const before = sent();
  const deaths = falseDeaths(network);
  network.mend();
  const exactMs = network.runTo(60_000, 100, () => exact(network));
  const records = (sent() - before) / n;
  network.run(Math.max(0, 60_000 - exactMs));
  network.watch = undefined;
  const gap = spectralGap(overlayOf(network).graph, network.random);
  return {
    exactMs,
    row: {
      property: "split 50/50 for 60 s, then healed",
      n,
      target: "exact ≤ 15 s; no live server declared dead; ≤ 16·N records a server; gap ≥ 0.30",
      measured: `exact ${seconds(exactMs)}; ${deaths.count} false deaths; ${
        (records / n).toFixed(2)
      }·N records; gap ${gap.toFixed(3)}`,
      pass: exactMs <= 15_000 && deaths.count === 0 && records <= 16 * n && gap >= LEAST_GAP,
    },
  };
}

/** Longest pause, in ms. */
const PAUSE_MS = 1400;

/** For a minute: pauses everywhere, a tenth of all slow, some ways that carry nothing. */
export function hardship(network: Network, ms = 60_000): Row {
  const live = network.live();
  const n = live.length;
  const deaths = falseDeaths(network);
  const end = network.now + ms;
  const pauses = (node: Node, most: number, every: number) => {
    const again = () => {
      if (network.now >= end) return;
      network.pause(node, network.random() * most);
      network.at(network.now + every * (0.5 + network.random()), again);
    };
    network.at(network.now + every * network.random(), again);
  };
  for (const node of live) pauses(node, PAUSE_MS, 20_000);
  // A slow server does nothing for most of the time, in many short pauses.
  for (const node of sample(live, Math.ceil(n / 10), network.random)) pauses(node, 400, 400);
  for (const node of sample(live, Math.ceil(n / 10), network.random)) {
    const ends = [...node.ends];
    const end = ends[Math.floor(network.random() * ends.length)];
    const peer = end === undefined ? undefined : network.peerOf(end);
    if (peer) network.block(node, peer);
  }
  network.runUntil(end);
  network.mend();
  const back = network.runTo(30_000, 100, () => exact(network));
  network.watch = undefined;
  return {
    property: "pauses up to 1.4 s, one-way links, a tenth slow, for a minute",
    n,
    target: "no false DEAD",
    measured: `${deaths.count} false deaths; exact ${seconds(back)} after`,
    pass: deaths.count === 0 && back < Infinity,
  };
}

/** Share of packets that are lost where that is looked at. */
const LOSS = 0.02;

/** For a minute: 2 % of packets lost, and connections that break. */
export function brokenLinks(network: Network, ms = 60_000): Row {
  network.loss = LOSS;
  const n = network.live().length;
  const deaths = falseDeaths(network);
  const end = network.now + ms;
  const again = () => {
    const live = network.live();
    const node = live[Math.floor(network.random() * live.length)];
    if (node) network.breakOne(node);
    // Each server loses a connection every 30 s.
    if (network.now < end) network.at(network.now + 30_000 / n, again);
  };
  again();
  network.runUntil(end);
  network.loss = 0;
  const back = network.runTo(30_000, 100, () => exact(network));
  network.run(30_000);
  network.watch = undefined;
  const { graph } = overlayOf(network);
  const least = Math.min(...graph.map((neighbours) => neighbours.length));
  return {
    property: "2 % loss, each server loses a connection every 30 s, for a minute",
    n,
    target: "no false DEAD, degree ≥ 7 after",
    measured: `${deaths.count} false deaths; exact ${seconds(back)} after; degree ≥ ${least}`,
    pass: deaths.count === 0 && back < Infinity && least >= Math.min(7, n - 1),
  };
}

/** Restarts within a minute: each server's process ends and a new one starts at its address. */
export function restarts(network: Network, count: number, ms = 60_000): Row {
  const n = network.live().length;
  const victims = network.live();
  const from = network.now;
  const [takenBefore, sentBefore] = [
    network.count("snapshotsTaken"),
    network.count("snapshotsSent"),
  ];
  let done = 0;
  for (let i = 0; i < count; i++) {
    network.at(from + (i + 1) * ms / count, () => {
      const at = done++ % n;
      const old = victims[at] as Node;
      network.crash(old);
      network.forget(old);
      const others = network.random() * n;
      const seed = victims[Math.floor(others)] as Node;
      const place = network.place(old);
      const seedPlace = seed === old
        ? network.place(victims[(at + 1) % n] as Node)
        : network.place(seed);
      victims[at] = network.start([seedPlace], place);
    });
  }
  network.runUntil(from + ms);
  const back = network.runTo(60_000, 100, () => exact(network));
  const taken = (network.count("snapshotsTaken") - takenBefore) / count;
  const mean = (network.count("snapshotsSent") - sentBefore) / n;
  return {
    property: `${count} restarts within 60 s`,
    n,
    target: "exact ≤ 30 s later, ≤ 4 snapshots a server",
    measured: `exact ${seconds(back)} later, ${taken.toFixed(2)} snapshots taken a start, ${
      mean.toFixed(2)
    } given a place`,
    pass: back <= 30_000 && taken <= 4,
  };
}
