/**
 * The simulator: measures every promise of the overlay with virtual servers, prints the table, and
 * writes plots.
 *
 *     deno task sim [--n=10,100,1000,10000] [--seed=1] [--out=dist/sim] [--only=quiet,split,…]
 *
 * @module
 */

import process from "node:process";
import { build } from "./circuit.ts";
import { FAILURE_SHARES, reach } from "./comparison.ts";
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
import { type Plot, type Series, svg } from "./plot.ts";
import { events, idle, shape } from "./quiet.ts";
import { seeded } from "./random.ts";
import { markdown, type Row } from "./row.ts";

/**
 * Above this size scenarios share circuits, and what needs most events is left out: each frame is an
 * event, and one minute of restarts among 10,000 servers is some 200 million.
 */
const LARGE = 2000;
/** Most restarts in the storm: each is told to all, so the cost grows with restarts × servers. */
const MAX_RESTARTS = 10_000;
/** Size at which the recovery from 10–95 % failure is plotted. */
const RECOVERY_SERVERS = 1000;
/** Bounds of idle traffic between sizes, as a share. */
const IDLE_SPREAD = 0.05;

const PARTS = ["quiet", "half", "most", "split", "hardship", "loss", "restarts"] as const;
type Part = typeof PARTS[number];

/** What the plots are made from. */
interface Traces {
  readonly degree: Series[];
  readonly spread: Series[];
  readonly idle: Map<number, number>;
  graph: Graph;
}

/** A part of the measurement, on a circuit that may have parts behind it. */
type Scenario = readonly [Part, (network: Network) => Row[]];

/** Scenarios that share a circuit, for one size. */
function plan(n: number, traces: Traces): { loss: number; scenarios: Scenario[] }[] {
  const all: Record<Exclude<Part, "half" | "most">, Scenario> = {
    quiet: ["quiet", (network) => quiet(network, traces)],
    split: ["split", (network) => [split(network).row]],
    hardship: ["hardship", (network) => [hardship(network)]],
    loss: ["loss", (network) => [brokenLinks(network)]],
    restarts: ["restarts", (network) => [restarts(network, Math.min(MAX_RESTARTS, 10 * n))]],
  };
  const fail = (part: "half" | "most", how: Failure): Scenario => [
    part,
    (network) => [massFailureRow(network, part === "half" ? 0.5 : 0.8, how).row],
  ];
  const alone = (scenario: Scenario, loss = 0) => ({ loss, scenarios: [scenario] });
  if (n > LARGE) {
    return [
      { loss: 0, scenarios: [all.quiet, all.hardship, all.split, fail("most", "silence")] },
      alone(fail("half", "silence")),
    ];
  }
  return [
    alone(all.quiet),
    alone(fail("half", "crash")),
    alone(fail("half", "silence")),
    alone(fail("most", "crash")),
    alone(fail("most", "silence")),
    alone(all.split),
    alone(all.hardship),
    alone(all.loss, 0.02),
    alone(all.restarts),
  ];
}

/** All rows for one size. */
function measure(n: number, seed: number, parts: ReadonlySet<Part>, traces: Traces): Row[] {
  const rows: Row[] = [];
  for (const { loss, scenarios } of plan(n, traces)) {
    let network: Network | undefined;
    for (const [part, scenario] of scenarios) {
      if (!parts.has(part)) continue;
      const from = process.cpuUsage().user;
      network ??= build(n, { seed, loss });
      const found = scenario(network);
      rows.push(...found);
      const cpu = ((process.cpuUsage().user - from) / 1e6).toFixed(1);
      const rss = (process.memoryUsage().rss / 1e6).toFixed(0);
      for (const row of found) {
        console.log(`${row.pass ? "pass" : "FAIL"}  ${row.n}  ${row.property}: ${row.measured}`);
      }
      console.log(`      ${n}  [${part}: ${cpu} s of CPU, ${rss} MB]`);
    }
  }
  return rows;
}

function quiet(network: Network, traces: Traces): Row[] {
  const rows = shape(network);
  const n = network.live().length;
  traces.graph = overlayOf(network).graph;
  traces.degree.push({
    name: `N = ${n}`,
    points: [...degrees(traces.graph)].map(([degree, count]) => [degree, count / n]),
  });
  const { row, bytes } = idle(network);
  traces.idle.set(n, bytes);
  const { rows: eventRows, join } = events(network);
  traces.spread.push({
    name: `N = ${n}`,
    points: join.times.map((time, i) => [time, (i + 1) / join.times.length]),
  });
  return [...rows, row, ...eventRows];
}

/** Idle traffic must not grow with the size of the circuit. */
function idleRow(idleBytes: ReadonlyMap<number, number>): Row | undefined {
  const sizes = [...idleBytes].filter(([n]) => n >= 100);
  if (sizes.length < 2) return undefined;
  const values = sizes.map(([, bytes]) => bytes);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spread = (most - least) / (most + least);
  const ns = sizes.map(([n]) => n);
  return {
    property: "idle traffic does not grow",
    n: Math.max(...ns),
    target: `within ± 5 % from N = ${Math.min(...ns)} on`,
    measured: `± ${(spread * 100).toFixed(1)} %`,
    pass: spread <= IDLE_SPREAD,
  };
}

/** Recovery after each share of failures. */
function recoveries(n: number, seed: number): { lines: string[]; plot: Plot } {
  const exact: [number, number][] = [];
  const connected: [number, number][] = [];
  const lines = ["| failed | connected after | lists exact after |", "| ---: | ---: | ---: |"];
  for (const share of FAILURE_SHARES) {
    const { connectedMs, exactMs } = massFailure(build(n, { seed }), share, "silence");
    connected.push([share * 100, connectedMs / 1000]);
    exact.push([share * 100, exactMs / 1000]);
    lines.push(
      `| ${share * 100} % | ${(connectedMs / 1000).toFixed(1)} s | ${
        (exactMs / 1000).toFixed(1)
      } s |`,
    );
  }
  const finite = (points: [number, number][]) => points.filter(([, y]) => y < Infinity);
  return {
    lines,
    plot: {
      title: `Recovery of ${n} servers after hosts fall silent`,
      x: "failed at once (%)",
      y: "time (s)",
      kind: "line",
      series: [
        { name: "connected", points: finite(connected) },
        { name: "all lists exact", points: finite(exact) },
      ],
    },
  };
}

function comparison(graph: Graph, seed: number): string[] {
  const lines = [
    "| failed | reached by a message before any repair | largest component |",
    "| ---: | ---: | ---: |",
  ];
  for (const share of FAILURE_SHARES) {
    const { atOnce, largest } = reach(graph, share, seeded(seed));
    lines.push(
      `| ${share * 100} % | ${(atOnce * 100).toFixed(1)} % | ${(largest * 100).toFixed(1)} % |`,
    );
  }
  return lines;
}

/** The value of `--name=VALUE`. */
function flag(name: string, otherwise: string): string {
  const prefix = `--${name}=`;
  return Deno.args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length) ?? otherwise;
}

function main(): void {
  const sizes = flag("n", "10,100,1000,10000").split(",").map(Number);
  const seed = Number(flag("seed", "1"));
  const out = flag("out", "dist/sim");
  const only = flag("only", PARTS.join(",")).split(",");
  const parts = new Set(PARTS.filter((part) => only.includes(part)));
  const traces: Traces = { degree: [], spread: [], idle: new Map(), graph: [] };
  console.log(`seed ${seed}`);
  const rows = sizes.flatMap((n) => measure(n, seed, parts, traces));
  const growth = idleRow(traces.idle);
  if (growth) rows.push(growth);
  console.log(`\n${markdown(rows)}\n`);

  const plots: Record<string, Plot> = {};
  if (parts.has("quiet")) {
    console.log(`Reach after failures, N = ${traces.graph.length}:\n`);
    console.log(comparison(traces.graph, seed).join("\n") + "\n");
    plots["degree"] = {
      title: "Links of a server at rest",
      x: "links",
      y: "share of servers",
      kind: "bar",
      series: traces.degree,
    };
    plots["spread"] = {
      title: "A newcomer becomes known",
      x: "time (ms)",
      y: "share of servers told",
      kind: "line",
      series: traces.spread,
    };
  }
  if (parts.has("most")) {
    const { lines, plot } = recoveries(Math.min(RECOVERY_SERVERS, Math.max(...sizes)), seed);
    console.log("Recovery after hosts fell silent:\n");
    console.log(lines.join("\n") + "\n");
    plots["recovery"] = plot;
  }
  Deno.mkdirSync(out, { recursive: true });
  for (const [name, plot] of Object.entries(plots)) {
    Deno.writeTextFileSync(`${out}/${name}.svg`, svg(plot));
  }
  Deno.writeTextFileSync(`${out}/table.md`, `seed ${seed}\n\n${markdown(rows)}\n`);
  const failed = rows.filter((row) => !row.pass).length;
  console.log(failed === 0 ? "all rows pass" : `${failed} rows fail`);
  Deno.exitCode = failed === 0 ? 0 : 1;
}

main();
