/**
 * Circuits for the scenarios: started through one seed, brought to rest, and looked at.
 *
 * @module
 */

import { overlayOf } from "./graph.ts";
import { components } from "./graph.ts";
import { Network, type NetworkOptions, type Node } from "./network.ts";

/** Newcomers a second while a circuit is built, as a share of its size at the end. */
const JOIN_SHARE = 1 / 5;
/** Fewest newcomers a second while a circuit is built. */
const LEAST_JOINS = 50;
/** Time for surplus links to go after the last join, in ms. */
const REST_MS = 40_000;
/** Time for what is still on its way when the last server has been told of something, in ms. */
const DYING_DOWN_MS = 1000;

/** True where every living server lists exactly the living. */
export function exact(network: Network): boolean {
  const live = network.live();
  const first = live[0]?.membership;
  if (!first) return true;
  const { hash } = first;
  for (const { membership } of live) {
    if (membership.size !== live.length || membership.hash !== hash) return false;
  }
  const ids = new Set(first.members().map((member) => member.id));
  return live.every((node) => ids.has(node.member.id));
}

/** True where the links connect all living servers. */
export function connected(network: Network): boolean {
  return components(overlayOf(network).graph).length === 1;
}

/** A circuit of `count` servers that all joined through the first, at rest. */
export function build(count: number, options: NetworkOptions): Network {
  const network = new Network(options);
  const seed = network.place(network.start([]));
  const rate = Math.max(LEAST_JOINS, count * JOIN_SHARE);
  for (let i = 1; i < count; i++) {
    network.at(i * 1000 / rate, () => network.start([seed]));
  }
  network.run(count * 1000 / rate);
  const took = network.runTo(60_000, 100, () => exact(network));
  if (took === Infinity) throw new Error(`${count} servers did not all find each other in 60 s`);
  network.run(REST_MS);
  return network;
}

/** Lives declared dead from now on: watch it, then read `count`. */
export function falseDeaths(network: Network): { count: number } {
  const byId = new Map(network.nodes.map((node) => [node.member.id, node]));
  const result = { count: 0 };
  network.watch = (_, output) => {
    if (output.type !== "left" || output.cause === "left") return;
    if (byId.get(output.member.id)?.up) result.count++;
  };
  return result;
}

/** What one event did. */
export interface Spread {
  /** Living servers that were told. */
  readonly told: number;
  /** Time until each was told, in ms, ascending. */
  readonly times: readonly number[];
  /** Most hops that it took. */
  readonly hops: number;
  /** Flood records that were sent. */
  readonly records: number;
}

/**
 * Makes something happen to `about`, and follows the news of it until it has died down: a second after
 * the last server was told.
 *
 * @param ms Time after which it is given up, in ms.
 */
export function follow(
  network: Network,
  about: Node,
  type: "joined" | "left",
  act: () => void,
  ms: number,
): Spread {
  const from = network.now;
  const before = network.count("recordsSent");
  const hops = new Map<number, number>();
  const times: number[] = [];
  network.watch = (node, output, sender) => {
    if (output.type !== type || output.member.id !== about.member.id) return;
    if (!node.up || hops.has(node.index)) return;
    hops.set(node.index, sender < 0 ? 0 : (hops.get(sender) ?? 0) + 1);
    times.push(network.now - from);
  };
  act();
  const all = network.live().filter((node) => node.member.id !== about.member.id).length;
  network.runTo(ms, 100, () => hops.size === all);
  network.run(DYING_DOWN_MS);
  network.watch = undefined;
  return {
    told: hops.size,
    times,
    hops: Math.max(0, ...hops.values()),
    records: network.count("recordsSent") - before,
  };
}
