/**
 * Scenarios without faults: the shape of the overlay, idle traffic, and one event at a time.
 *
 * @module
 */

import { exact, follow, type Spread } from "./circuit.ts";
import { degrees, diameter, overlayOf, spectralGap } from "./graph.ts";
import type { Network, Node } from "./network.ts";
import { type Row, seconds } from "./row.ts";

/** Least spectral gap; a random 8-regular graph has 0.34. */
export const LEAST_GAP = 0.30;
/** Most idle traffic that a server sends, in bytes a second. */
export const MAX_IDLE_BYTES = 1500;
/** Time for an answer under way to arrive, in ms. */
const SETTLE_MS = 20;
/** Time over which idle traffic is measured, in ms. */
const IDLE_MS = 10_000;

/** The shape of a circuit at rest. */
export function shape(network: Network): Row[] {
  const { graph, asymmetric: once } = overlayOf(network);
  // Among many servers some link is always being agreed on; that is over in a moment, and at the
  // second look it is another one.
  network.run(once.size > 0 ? SETTLE_MS : 0);
  const asymmetric = once.intersection(overlayOf(network).asymmetric).size;
  const n = graph.length;
  const histogram = degrees(graph);
  const mean = graph.reduce((sum, neighbours) => sum + neighbours.length, 0) / n;
  const least = Math.min(...histogram.keys());
  const most = Math.max(...histogram.keys());
  const gap = spectralGap(graph, network.random);
  const longest = diameter(graph);
  const target = n <= 1000 ? 6 : 7;
  return [{
    property: "degree when quiet",
    n,
    target: "7–11, mean 8 ± 0.3, all symmetric",
    measured: `${least}–${most}, mean ${mean.toFixed(2)}, ${asymmetric} asymmetric`,
    pass: least >= 7 && most <= 11 && Math.abs(mean - 8) <= 0.3 && asymmetric === 0,
  }, {
    property: "longest shortest path",
    n,
    target: `≤ ${target}`,
    measured: String(longest),
    pass: longest <= target,
  }, {
    property: "spectral gap, all joined through one seed",
    n,
    target: "≥ 0.30",
    measured: gap.toFixed(3),
    pass: gap >= LEAST_GAP,
  }];
}

/** What an idle server sends. */
export function idle(network: Network): { row: Row; bytes: number } {
  const live = network.live();
  const before = live.map((node) => node.bytes);
  network.run(IDLE_MS);
  let sum = 0;
  live.forEach((node, i) => sum += node.bytes - (before[i] as number));
  const bytes = sum / live.length / (IDLE_MS / 1000);
  return {
    bytes,
    row: {
      property: "idle traffic",
      n: live.length,
      target: "≤ 1.5 kB/s a server",
      measured: `${(bytes / 1000).toFixed(2)} kB/s`,
      pass: bytes <= MAX_IDLE_BYTES,
    },
  };
}

/** One server that leaves, one that joins, one that crashes, one that falls silent. */
export function events(network: Network): { rows: Row[]; join: Spread; silent: Spread } {
  const victim = () => {
    const live = network.live().slice(1);
    return live[Math.floor(network.random() * live.length)] as Node;
  };
  const leaver = victim();
  const left = follow(network, leaver, "left", () => network.leave(leaver), 5000);
  const afterLeave = network.live().length;

  // The newcomer's ID is not known before it starts; its place is.
  let newcomer: Node | undefined;
  const seed = network.place(victim());
  const stand = { member: { id: "", address: "" } };
  const join = follow(network, stand as unknown as Node, "joined", () => {
    newcomer = network.start([seed]);
    stand.member.id = newcomer.member.id;
  }, 8000);

  const crashed = victim();
  const crash = follow(network, crashed, "left", () => network.crash(crashed), 8000);
  const afterCrash = network.live().length;
  const silenced = victim();
  const silent = follow(network, silenced, "left", () => network.silence(silenced), 10_000);
  const afterSilence = network.live().length;
  const n = afterLeave;
  const all = left.told === afterLeave && join.told === afterLeave &&
    crash.told === afterCrash && silent.told === afterSilence;
  const hops = Math.max(left.hops, join.hops);
  return {
    join,
    silent,
    rows: [{
      property: "an event reaches",
      n,
      target: "100 % of live servers, ≤ 14 hops",
      measured: `${all ? "100 %" : "not all"}, ${hops} hops, ${seconds(left.times.at(-1) ?? 0)}`,
      pass: all && hops <= 14 && exact(network),
    }, {
      property: "record sends of an event",
      n,
      target: "≤ 7.3·N; silent death ≤ 14.5·N",
      measured: `leave ${(left.records / afterLeave).toFixed(2)}·N, silent death ${
        (silent.records / afterSilence).toFixed(2)
      }·N`,
      pass: left.records <= 7.3 * afterLeave && silent.records <= 14.5 * afterSilence,
    }, {
      property: "crash with closed connections, last server told",
      n,
      target: "< 1 s",
      measured: seconds(crash.times.at(-1) ?? Infinity),
      pass: (crash.times.at(-1) ?? Infinity) < 1000,
    }, {
      property: "silent host, last server told",
      n,
      target: "< 4.5 s",
      measured: seconds(silent.times.at(-1) ?? Infinity),
      pass: (silent.times.at(-1) ?? Infinity) < 4500,
    }],
  };
}
