/**
 * Starting processes, waiting for them, and removing them.
 *
 * @module
 */

import { type Anchor, dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import { compare, rate } from "./measure.ts";
import { type Bench, compared } from "./section.ts";

/** Processes of a round, for each that runs at a time. */
const STARTS = 100;

/** Processes that run at a time. */
const IN_FLIGHT = 16;

/** `/bin/true`, one at a time and many. */
export async function processes(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using client = await dial(server.address);
  const start = starter(client.anchor(`/${server.serverId}`));
  for (const inFlight of [1, IN_FLIGHT]) {
    const starts = inFlight === 1 ? STARTS : 4 * STARTS;
    const ours = () => rate(starts, inFlight, start);
    const result = await compare(bench.rounds, ours, () => rate(starts, inFlight, bare));
    const how = inFlight === 1 ? "one at a time" : `${inFlight} at a time`;
    const work = `/bin/true: start, wait, scrub; ${how}`;
    bench.add(compared(work, "/s", "Deno.Command", result, { of: "ratio", atLeast: 0.7 }));
  }
  bench.add(await withDirectory(bench));
}

/** What it costs that a server with `-var` writes down what it has started, while that stays. */
async function withDirectory(bench: Bench) {
  const folder = await Deno.makeTempDir({ prefix: "circuit-bench-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const rounds = await Promise.all([["-var", `${folder}/var`], []].map(async (args) => {
    const server = stack.use(await startServerProcess(args));
    const client = stack.use(await dial(server.address));
    const root = client.anchor(`/${server.serverId}`);
    let number = 0;
    const sleep = async () => {
      await root.walk("sleep", `${number++}`).makeProc({ path: "/bin/sleep", args: ["1000"] });
    };
    return () => rate(STARTS, 1, sleep);
  }));
  const [recorded, bare] = rounds;
  if (!recorded || !bare) throw new Error("there are no servers");
  const result = await compare(bench.rounds, recorded, bare);
  const target = { of: "ratio", atLeast: 0.8 } as const;
  return compared("/bin/sleep with -var: start, and stay", "/s", "without", result, target);
}

/** Starts a process at an anchor of its own, again and again. */
export function starter(root: Anchor): () => Promise<void> {
  let number = 0;
  return async () => {
    const proc = await root.walk("true", `${number++}`).makeProc({ path: "/bin/true" });
    await proc.wait();
    await proc.scrub();
  };
}

async function bare(): Promise<void> {
  await new Deno.Command("/bin/true", { stdin: "null", stdout: "piped", stderr: "piped" }).output();
}
