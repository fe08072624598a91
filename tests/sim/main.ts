/**
 * The simulator: measures every promise of the overlay with virtual servers, prints the table, and
 * writes plots.
 *
 *     deno task sim [--n=10,100,1000,10000] [--seed=1] [--out=dist/sim] [--only=quiet,split,…] [--cores=2]
 *                   [--minutes=5] [--all]
 *
 * After `--minutes` it stops, and lists what was not measured by then; with `--all` it takes as long as
 * it takes. One core begins with the largest circuits, the others with the smallest.
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
  PARTS,
  plan,
  type Portrait,
  recoveryJobs,
  type Step,
  stepName,
} from "./jobs.ts";
import { type Plot, svg } from "./plot.ts";
import { seeded } from "../random.ts";
import { markdown, type Row } from "./row.ts";
import type { News } from "./worker.ts";

/** Size at which the recovery from 10–95 % failure is plotted. */
const RECOVERY_SERVERS = 1000;
/** Bounds of idle traffic between sizes, as a share. */
const IDLE_SPREAD = 0.05;

/** What the jobs of a run found, and what there was no time for. */
interface Results {
  /** In the order of the jobs. */
  readonly findings: readonly Findings[];
  /** The steps that were left out, in words. */
  readonly leftOut: readonly string[];
}

/** Carries out jobs on some cores until a deadline: the first core takes the last of them first. */
async function carryOutAll(
  jobs: readonly Job[],
  cores: number,
  deadline: number,
): Promise<Results> {
  const findings: Findings[] = jobs.map(() => ({ rows: [], comebacks: [] }));
  const done = jobs.map(() => 0);
  const order = [...jobs.keys()];
  await Promise.all(Array.from({ length: cores }, async (_, core) => {
    while (order.length > 0 && performance.now() < deadline) {
      const i = (core === 0 ? order.pop() : order.shift()) as number;
      done[i] = await carryOutAlone(jobs[i] as Job, deadline, findings[i] as Findings);
    }
  }));
  const leftOut = jobs.flatMap((job, i) =>
    job.steps.slice(done[i]).map((step) => `${job.n} servers: ${stepName(step)}`)
  );
  return { findings, leftOut };
}

/**
 * Carries out one job in a worker, whose memory is free when it is done or the deadline has come.
 *
 * @param findings Where it puts what it finds.
 * @returns How many steps of the job were done.
 */
async function carryOutAlone(job: Job, deadline: number, findings: Findings): Promise<number> {
  let from = performance.now();
  let done = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const worker = new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
  try {
    await new Promise<void>((resolve, reject) => {
      if (deadline < Infinity) timer = setTimeout(resolve, Math.max(0, deadline - from));
      worker.onmessage = ({ data }: MessageEvent<News>) => {
        if (data.type === "failed") return reject(new Error(data.reason));
        if (data.type === "done") return resolve();
        const { portrait, comebacks, rows } = data.findings;
        if (portrait) findings.portrait = portrait;
        findings.comebacks.push(...comebacks);
        findings.rows.push(...rows);
        for (const { pass, n, property, measured } of rows) {
          console.log(`${pass ? "pass" : "FAIL"}  ${n}  ${property}: ${measured}`);
        }
        const now = performance.now();
        const memory = (process.memoryUsage().rss / 1e6).toFixed(0);
        const name = `${done === 0 ? "building, " : ""}${stepName(job.steps[done] as Step)}`;
        console.log(
          `      ${job.n}  [${name}: ${((now - from) / 1000).toFixed(1)} s; ${memory} MB in all]`,
        );
        from = now;
        done++;
      };
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(job);
    });
    return done;
  } finally {
    clearTimeout(timer);
    worker.terminate();
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
  const minutes = Number(flag("minutes", "5"));
  if (!(minutes > 0)) throw new Error("--minutes: want a number above 0");
  const deadline = Deno.args.includes("--all") ? Infinity : minutes * 60_000;
  console.log(`seed ${seed}`);
  const recovering = Math.min(RECOVERY_SERVERS, Math.max(...sizes));
  const jobs = [
    ...(parts.has("recovery") ? recoveryJobs(recovering, seed, FAILURE_SHARES) : []),
    ...sizes.flatMap((n) => plan(n, seed, parts)),
  ];
  const { findings, leftOut } = await carryOutAll(jobs, cores, deadline);

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
  console.log(failed === 0 ? `all ${rows.length} rows pass` : `${failed} rows fail`);
  if (leftOut.length > 0) {
    console.log(`not measured for want of time (--all measures everything):`);
    for (const each of leftOut) console.log(`  ${each}`);
  }
  // A worker that was terminated runs on until its step is done; nobody waits for that.
  Deno.exit(failed === 0 ? 0 : 1);
}

if (import.meta.main) await main();
