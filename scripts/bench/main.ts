/**
 * `deno task bench [--quick] [--json] [SECTION…]`: how fast a circuit is on this machine, each figure
 * beside the raw limit that was measured in turns with it, and whether it is what is wanted. Client
 * and server are separate processes. Figures are medians of {@linkcode ROUNDS} rounds.
 *
 * @module
 */

import { anchors } from "./anchors.ts";
import { bulk } from "./bulk.ts";
import { calls } from "./calls.ts";
import { clients } from "./clients.ts";
import { encodes } from "./encodes.ts";
import { executable } from "./executable.ts";
import { type Figure, isMet, line } from "./figure.ts";
import { idle } from "./idle.ts";
import { keyed } from "./keyed.ts";
import { processes } from "./processes.ts";
import { relayed } from "./relayed.ts";
import type { Bench, Section } from "./section.ts";
import { servers } from "./servers.ts";

/** Rounds of each measurement. */
const ROUNDS = 5;

/** The same with `--quick`. */
const QUICK_ROUNDS = 3;

const SECTIONS: Readonly<Record<string, Section>> = {
  calls,
  bulk,
  processes,
  relayed,
  keyed,
  encodes,
  clients,
  anchors,
  servers,
  idle,
  executable,
};

const flags = Deno.args.filter((arg) => arg.startsWith("--"));
const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const known = Object.keys(SECTIONS);
const odd = flags.find((flag) => flag !== "--quick" && flag !== "--json") ??
  names.find((name) => !known.includes(name));
if (odd !== undefined) {
  console.error(`bench: ${odd}: want --quick, --json, or sections: ${known.join(" ")}`);
  Deno.exit(2);
}

const json = flags.includes("--json");
const quick = flags.includes("--quick");
const figures: Figure[] = [];
const skipped: { work: string; why: string }[] = [];
const bench: Bench = {
  rounds: quick ? QUICK_ROUNDS : ROUNDS,
  quick,
  add(figure) {
    figures.push(figure);
    if (!json) console.log(line(figure));
  },
  skip(work, why) {
    skipped.push({ work, why });
    if (!json) console.log(`${work.padEnd(50)} not measured: ${why}`);
  },
};
for (const name of names.length > 0 ? names : known) await SECTIONS[name]?.(bench);
if (json) {
  const results = figures.map((figure) => ({ ...figure, met: isMet(figure) }));
  console.log(JSON.stringify({ figures: results, skipped }, undefined, 2));
}
