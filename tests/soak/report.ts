/**
 * The table that a soak prints at its end.
 *
 * @module
 */

import { FAULTS } from "./faults.ts";
import { type Held, nameOf, show } from "./held.ts";
import type { Journal } from "./journal.ts";

/** What the faults are called, of which there are several. */
const PLURALS = {
  kill: "kills",
  stop: "stops",
  pause: "pauses",
  cut: "cuts",
  disk: "full disks",
  clock: "clock jumps",
} as const;

/** All figures, in Markdown. */
export function report(
  journal: Journal,
  minutes: number,
  before: readonly Held[],
  after: readonly Held[],
): string {
  const number = (name: string) => journal.figure(name).toLocaleString("en");
  const megabytes = (name: string) => `${(journal.figure(name) / 1e6).toFixed()} MB`;
  const rows: [string, string][] = [
    ["minutes under faults", String(minutes)],
    ["seed", String(journal.seed)],
    ["channels", number("channels")],
    ["messages sent and confirmed", `${number("messages sent")}, ${megabytes("bytes sent")}`],
    ["messages received", `${number("messages received")}, ${megabytes("bytes received")}`],
    ["… again, after a receiver was lost", number("messages received twice")],
    ["lost, and their senders told", number("messages reported lost")],
    ["lost with the server that held them", number("messages held by a lost server")],
    ["processes and their output", `${number("processes")}, ${megabytes("output bytes")}`],
    ["events of subscriptions", number("events of subscriptions")],
    ...FAULTS.map((fault): [string, string] => [PLURALS[fault], number(`fault ${fault}`)]),
    ["errors told", journal.figures("error ").map((each) => each.join(" ")).join(", ")],
    ...after.map((each, i): [string, string] => [
      `${nameOf(i, after)} held before, after`,
      `${show(before[i])}; ${show(each)}`,
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = [["", ""], ["-".repeat(width), "---"], ...rows];
  return lines.map(([name = "", value]) => `| ${name.padEnd(width)} | ${value} |`).join("\n");
}
