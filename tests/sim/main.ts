/**
 * The simulator: measures every promise of the overlay with virtual servers, prints the table, and
 * writes plots.
 *
 *     deno task sim [--n=10,100,1000,10000] [--seed=1] [--out=dist/sim] [--only=quiet,split,…] [--cores=2]
 *                   [--minutes=M]
 *
 * After `--minutes` it stops: what was not measured by then is in the table as that, and counts as a
 * failure. Default: it takes as long as it takes.
 *
 * @module
 */

import process from "node:process";
import { FAILURE_SHARES, reach } from "./comparison.ts";
import type { Graph } from "./graph.ts";
import {
  type Comeback,
  type Findings,
  type Job,
  notMeasured,
  PARTS,
  plan,
  type Portrait,
  recoveryJobs,
} from "./jobs.ts";
import { type Plot, svg } from "./plot.ts";
import { seeded } from "./random.ts";
import { markdown, type Row } from "./row.ts";
import type { News } from "./worker.ts";

/** Size at which the recovery from 10–95 % failure is plotted. */
const RECOVERY_SERVERS = 1000;
/** Bounds of idle traffic between sizes, as a share. */
const IDLE_SPREAD = 0.05;

/**
 * Carries out jobs on some cores: the last of the list, the longest, first; where there is a deadline,
 * last. Answers in the order of the list.
 */
async function carryOutAll(
  jobs: readonly Job[],
  cores: number,
  deadline: number,
): Promise<Findings[]> {
  const findings: Findings[] = [];
  const order = deadline < Infinity ? [...jobs.keys()] : [...jobs.keys()].reverse();
  await Promise.all(Array.from({ length: cores }, async () => {
    for (let i = order.shift(); i !== undefined; i = order.shift()) {
      findings[i] = await carryOutAlone(jobs[i] as Job, deadline);
    }
  }));
  return findings;
}

/** Carries out one job in a worker, whose memory is free when it is done or the deadline has come. */
async function carryOutAlone(job: Job, deadline: number): Promise<Findings> {
  const from = performance.now();
  const findings: Findings = { rows: [], comebacks: [] };
  let done = 0;
  if (from >= deadline) {
    for (const step of job.steps) add(notMeasured(job, step));
    return findings;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const worker = new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
  try {
    await new Promise<void>((resolve, reject) => {
      if (deadline < Infinity) timer = setTimeout(resolve, deadline - from);
      worker.onmessage = ({ data }: MessageEvent<News>) => {
        if (data.type === "failed") return reject(new Error(data.reason));
        if (data.type === "done") return resolve();
        done++;
        const { portrait } = data.findings;
        if (portrait) findings.portrait = portrait;
        findings.comebacks.push(...data.findings.comebacks);
        data.findings.rows.forEach((row) => add(row));
      };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(job);
    });
    for (const step of job.steps.slice(done)) add(notMeasured(job, step));
    return findings;
  } finally {
    clearTimeout(timer);
    worker.terminate();
    const parts = [...new Set(job.steps.map(({ part }) => part))].join(", ");
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    const memory = (process.memoryUsage().rss / 1e6).toFixed(0);
    console.log(`      ${job.n}  [${parts}: ${seconds} s; ${memory} MB in all]`);
  }

  function add(row: Row): void {
    findings.rows.push(row);
    console.log(`${row.pass ? "pass" : "FAIL"}  ${row.n}  ${row.property}: ${row.measured}`);
  }
}

/** Idle traffic must not grow with the size of the circuit. */
function idleRow(idleBytes: ReadonlyMap<number, number>): Row[] {
  const sizes = [...idleBytes].filter(([n]) => n >= 100);
  if (sizes.length < 2) return [];
  const values = sizes.map(([, bytes]) => bytes);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spread = (most - least) / (most + least);
  const ns = sizes.map(([n]) => n);
  return [{
    property: "idle traffic does not grow",
    n: Math.max(...ns),
    target: `within ± 5 % from N = ${Math.min(...ns)} on`,
    measured: `± ${(spread * 100).toFixed(1)} %`,
    pass: spread <= IDLE_SPREAD,
  }];
}

/** Recovery after each share of failures. */
function recoveries(n: number, comebacks: readonly Comeback[]): { lines: string[]; plot: Plot } {
  const lines = ["| failed | connected after | lists exact after |", "| ---: | ---: | ---: |"];
  for (const { share, connectedMs, exactMs } of comebacks) {
    const [connected, exact] = [connectedMs, exactMs].map((ms) => `${(ms / 1000).toFixed(1)} s`);
    lines.push(`| ${share * 100} % | ${connected} | ${exact} |`);
  }
  const points = (time: (comeback: Comeback) => number) =>
    comebacks.filter((each) => time(each) < Infinity)
      .map((each) => [each.share * 100, time(each) / 1000] as const);
  return {
    lines,
    plot: {
      title: `Recovery of ${n} servers after hosts fall silent`,
      x: "failed at once (%)",
      y: "time (s)",
      kind: "line",
      series: [
        { name: "connected", points: points(({ connectedMs }) => connectedMs) },
        { name: "all lists exact", points: points(({ exactMs }) => exactMs) },
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

/** What circuits of several sizes look like at rest. */
function portraits(all: readonly Portrait[]): Record<string, Plot> {
  return {
    degree: {
      title: "Links of a server at rest",
      x: "links",
      y: "share of servers",
      kind: "bar",
      series: all.map(({ degree }) => degree),
    },
    spread: {
      title: "A newcomer becomes known",
      x: "time (ms)",
      y: "share of servers told",
      kind: "line",
      series: all.map(({ spread }) => spread),
    },
  };
}

/** The value of `--name=VALUE`. */
function flag(name: string, otherwise: string): string {
  const prefix = `--${name}=`;
  return Deno.args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length) ?? otherwise;
}

async function main(): Promise<void> {
  const sizes = flag("n", "10,100,1000,10000").split(",").map(Number);
  const seed = Number(flag("seed", "1"));
  const out = flag("out", "dist/sim");
  const only = flag("only", PARTS.join(",")).split(",");
  const cores = Number(flag("cores", String(Math.min(2, navigator.hardwareConcurrency))));
  const parts = new Set(PARTS.filter((part) => only.includes(part)));
  const minutes = Number(flag("minutes", "Infinity"));
  if (!(minutes > 0)) throw new Error("--minutes: want a number above 0");
  const deadline = minutes * 60_000;
  console.log(`seed ${seed}`);
  const recovering = Math.min(RECOVERY_SERVERS, Math.max(...sizes));
  const jobs = [
    ...(parts.has("recovery") ? recoveryJobs(recovering, seed, FAILURE_SHARES) : []),
    ...sizes.flatMap((n) => plan(n, seed, parts)),
  ];
  const findings = await carryOutAll(jobs, cores, deadline);

  const seen = findings.flatMap(({ portrait }) => portrait ?? []);
  const rows = findings.flatMap((each) => each.rows);
  rows.push(...idleRow(new Map(seen.map(({ idle, graph }) => [graph.length, idle]))));
  console.log(`\n${markdown(rows)}\n`);

  const plots: Record<string, Plot> = seen.length > 0 ? portraits(seen) : {};
  const largest = seen.at(-1)?.graph;
  if (largest) {
    console.log(`Reach after failures, N = ${largest.length}:\n`);
    console.log(comparison(largest, seed).join("\n") + "\n");
  }
  const comebacks = findings.flatMap((each) => each.comebacks);
  if (comebacks.length > 0) {
    const { lines, plot } = recoveries(recovering, comebacks);
    console.log("Recovery after hosts fell silent:\n");
    console.log(lines.join("\n") + "\n");
    plots["recovery"] = plot;
  }
  Deno.mkdirSync(out, { recursive: true });
  for (const [name, plot] of Object.entries(plots)) {
    Deno.writeTextFileSync(`${out}/${name}.svg`, svg(plot));
  }
  Deno.writeTextFileSync(`${out}/table.md`, `seed ${seed}\n\n${markdown(rows)}\n`);
  const { user, system } = process.cpuUsage();
  console.log(
    `${(performance.now() / 1000).toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of CPU`,
  );
  const failed = rows.filter((row) => !row.pass).length;
  console.log(failed === 0 ? "all rows pass" : `${failed} rows fail`);
  Deno.exitCode = failed === 0 ? 0 : 1;
}

if (import.meta.main) await main();
