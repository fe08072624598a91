/**
 * The soak: an exact ledger of messages and of process output over three real servers, while faults
 * befall them. See the README beside this file.
 *
 *     deno task soak [--minutes N]        default 5
 *
 * The environment variable CIRCUIT_TEST_SEED repeats the faults of an earlier run, and CIRCUIT_BIN
 * names an executable to test instead of the sources.
 *
 * @module
 */

import { newSeed, Random } from "../random.ts";
import { Circuit } from "./circuit.ts";
import { possible } from "./faults.ts";
import { type Held, settledHolds, untilNothingIsLeft } from "./held.ts";
import { Journal, Violation } from "./journal.ts";
import { reports, sweep } from "./probe.ts";
import { report } from "./report.ts";
import { Rounds } from "./rounds.ts";
import { canSeal, runSealed } from "./seal.ts";
import { Workload } from "./workload.ts";

/** Channels and processes on each server before the first fault, one after the other. */
const WARM_UP = 5;

/** Says to a process that it has namespaces of its own. */
const SEALED = "--sealed";

if (import.meta.main) {
  const sealed = Deno.args.includes(SEALED);
  const given = Deno.args.filter((arg) => arg !== SEALED);
  const [, minutes = "5"] = /^(?:--minutes[ =](.*))?$/s.exec(given.join(" ")) ?? [, "NaN"];
  if (!(Number(minutes) > 0)) {
    console.error("usage: deno task soak [--minutes N], N above 0");
    Deno.exit(2);
  }
  const alone = sealed || !await canSeal();
  const status = alone
    ? await soak(Number(minutes), sealed)
    : await runSealed(import.meta.url, [...given, SEALED]);
  Deno.exit(status);
}

/** Runs it; returns the exit status. */
async function soak(minutes: number, sealed: boolean): Promise<number> {
  const journal = new Journal(newSeed("soak"));
  const keyed = new Random(journal.seed).chance(0.5);
  await using circuit = await Circuit.create(journal, { sealed, keyed });
  const { lacking } = possible(circuit);
  if (lacking.length > 0) console.log(`left out: ${lacking.join("; ")}`);
  console.log(`${minutes} minutes, ${keyed ? "with a key" : "without a key"}`);
  try {
    const { before, after } = await Promise.race([live(circuit, minutes), journal.failed]);
    console.log(report(journal, minutes, before, after));
    return 0;
  } catch (error) {
    for (const { server, logs } of circuit.members) console.error(`${server.id}\n${logs}`);
    console.error(await reports(circuit));
    console.error(`${journal}\n`);
    console.error(error instanceof Violation ? `${error}` : error);
    console.error(`soak: FAILED after ${journal.seconds()} s; CIRCUIT_TEST_SEED=${journal.seed}`);
    return 1;
  }
}

async function live(circuit: Circuit, minutes: number): Promise<{ before: Held[]; after: Held[] }> {
  const workload = new Workload(circuit);
  const { journal } = circuit;
  journal.say("warming up");
  await workload.some(WARM_UP);
  await sweep(circuit);
  const before = await settledHolds(circuit);
  journal.say("the faults begin");
  const end = performance.now() + minutes * 60_000;
  const stop = workload.start();
  {
    await using rounds = new Rounds(circuit);
    while (performance.now() < end) await rounds.play();
    journal.say("no more faults");
    await stop();
    await rounds.check();
  }
  await sweep(circuit);
  journal.say("the workload is over");
  return { before, after: await untilNothingIsLeft(circuit, before) };
}
