/**
 * What the server's processor time goes to, by sampling.
 *
 * @module
 */

import process from "node:process";
import type { Session } from "node:inspector";
import { delay } from "../../overlay/delay.ts";

/** Milliseconds that are sampled. */
const SAMPLED_MS = 1_000;

/** Microseconds between two samples. */
const INTERVAL_US = 1_000;

/** Most functions that are listed. */
const MAX_FUNCTIONS = 50;

/** What the engine tells of one function called from one place. */
interface ProfileNode {
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly hitCount?: number;
}

/**
 * Tells how much processor time the server takes during a second and, where it is allowed to look
 * (`--allow-sys` without a list), in which functions its event loop was, those with the most samples
 * first. Sampling takes a few percent of the server's speed.
 *
 * @param signal Ends it early, with what there is.
 */
export async function cpuText(signal: AbortSignal): Promise<string> {
  const start = performance.now();
  const before = process.cpuUsage();
  const sampled = Deno.permissions.querySync({ name: "sys" }).state === "granted"
    ? await sample(signal)
    : await delay(SAMPLED_MS, signal).then(() =>
      "samples: none, since they take --allow-sys without a list\n"
    );
  const { user, system } = process.cpuUsage(before);
  const used = `${ms(user / 1000)} in the program and ${ms(system / 1000)} in the system`;
  return `cpu: in ${ms(performance.now() - start)}, all threads were ${used}\n${sampled}`;
}

async function sample(signal: AbortSignal): Promise<string> {
  const { Session } = await import("node:inspector");
  const session = new Session();
  session.connect();
  try {
    await post(session, "Profiler.enable");
    await post(session, "Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await post(session, "Profiler.start");
    await delay(SAMPLED_MS, signal);
    const { profile } = await post(session, "Profiler.stop") as {
      profile: { nodes: ProfileNode[] };
    };
    return functions(profile.nodes);
  } finally {
    session.disconnect();
  }
}

function functions(nodes: readonly ProfileNode[]): string {
  const counts = new Map<string, number>();
  let all = 0;
  for (const { callFrame, hitCount = 0 } of nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const where = url === "" ? "" : ` ${url.split("/").slice(-3).join("/")}:${lineNumber + 1}`;
    const name = `${functionName || "(anonymous)"}${where}`;
    counts.set(name, (counts.get(name) ?? 0) + hitCount);
    all += hitCount;
  }
  const rows = [...counts].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
  const lines = rows.slice(0, MAX_FUNCTIONS).map(([name, count]) =>
    `  ${(100 * count / all).toFixed(1).padStart(5)}%  ${name}\n`
  );
  return `samples: ${all}\n${lines.join("")}`;
}

function post(session: Session, method: string, params: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => error ? reject(error) : resolve(result));
  });
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(0)} ms`;
}
