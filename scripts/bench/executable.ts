/**
 * The executable, beside an empty program that was compiled in the same way.
 *
 * @module
 */

import { type ServerProcess, startServerProcess } from "../server_process.ts";
import { compare, latency, median } from "./measure.ts";
import { residentBytes } from "./process.ts";
import { make, run } from "./programs.ts";
import { type Bench, compared } from "./section.ts";

/** What it takes to be a program. */
const EMPTY_PROGRAM = "// Nothing to do.\n";

/** The same, waiting; but not with the arguments that the compiler tries a program with. */
const WAITING_PROGRAM =
  "if (Deno.args.length === 0) await new Promise((r) => setTimeout(r, 3e8));\n";

/** Runs of a round. */
const RUNS = 5;

/** Milliseconds until memory is looked at. */
const SETTLE_MS = 3_000;

/** Whole processes of `circuit ls /`, and the memory of a server that is idle. */
export async function executable(bench: Bench): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const circuit = await make();
    const empty = await make({ folder, name: "empty", text: EMPTY_PROGRAM });
    const waiting = await make({ folder, name: "waiting", text: WAITING_PROGRAM });
    if (!circuit || !empty || !waiting) {
      bench.skip("executable", "deno compile cannot make one here; see DENORT_BIN in scripts/");
      return;
    }
    await startUp(bench, circuit, empty);
    await memory(bench, circuit, waiting);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function startUp(bench: Bench, circuit: string, empty: string): Promise<void> {
  await using server = await startServerProcess();
  const ls = () => run([circuit, "ls", "-d", server.address, "/"]);
  const result = await compare(
    bench.rounds,
    async () => await latency(ls, RUNS) / 1000,
    async () => await latency(() => run([empty]), RUNS) / 1000,
  );
  const target = { of: "ratio", atMost: 3 } as const;
  bench.add(compared("circuit ls /, whole process", "ms", "empty program", result, target));
}

async function memory(bench: Bench, circuit: string, waiting: string): Promise<void> {
  const values: number[] = [];
  const raws: number[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    await using server: ServerProcess = await startServerProcess([], [circuit]);
    const program = new Deno.Command(waiting, { stdin: "null", stdout: "null" }).spawn();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    values.push((await residentBytes(server.pid) ?? NaN) / 1e6);
    raws.push((await residentBytes(program.pid) ?? NaN) / 1e6);
    program.kill("SIGKILL");
    await program.status;
  }
  if (values.some(Number.isNaN)) {
    bench.skip("idle server, memory", "this system has no /proc");
    return;
  }
  const ratio = median(values.map((value, i) => value / (raws[i] ?? NaN)));
  const result = { value: median(values), raw: median(raws), ratio };
  const target = { of: "ratio", atMost: 1.6 } as const;
  bench.add(compared("idle server, memory", "MB", "empty program", result, target));
}
