/**
 * The reports of a server, as text for people, a line a fact, names before figures; and as JSON for
 * programs.
 *
 * @module
 */

import type { CallFacts, ServerFacts } from "./facts.ts";
import { eventLoopLag } from "./lag.ts";

/** Most lines of a kind in a report: what there are more of is counted. */
const MAX_LINES = 1_000;

/** Makes a report; the signal says that nobody wants it any more. */
export type Profile = (facts: ServerFacts, signal: AbortSignal) => string | Promise<string>;

/**
 * The reports, by name.
 *
 * - `tasks`: all that the server is doing right now: its connections, the calls under way, what waits
 *   in queues, elements, memory, and how late its event loop is. `circuit stk` prints it.
 * - `connections`, `calls`, `queues`, `members`, `memory`: those alone. `members` are the servers of
 *   the circuit as this one knows them.
 * - `json`: what `tasks` and `members` tell, as one line of JSON, with no limit of lines.
 * - `cpu`: the processor time of a second, and in which functions it went where the server may look.
 */
export const PROFILES: Readonly<Record<string, Profile>> = {
  tasks: async (facts) => {
    const parts = [about(facts), await lag(), elements(facts), memoryLine(), budget(facts)];
    return parts.join("") + queues(facts) + connections(facts) + calls(facts);
  },
  connections,
  calls,
  queues,
  members,
  memory,
  json,
  // What few ask for is loaded when somebody does.
  cpu: async (_, signal) => (await import("./cpu.ts")).cpuText(signal),
};

async function json(facts: ServerFacts): Promise<string> {
  const { counts, passedOn } = callCounts(facts);
  const report = {
    server: facts.path,
    version: facts.version,
    pid: Deno.pid,
    uptime: facts.uptime(),
    lagMs: await eventLoopLag(),
    elements: facts.countElements(),
    making: facts.countMaking(),
    anchors: facts.countAnchors(),
    memory: Deno.memoryUsage(),
    budget: facts.memory(),
    queues: Array.from(facts.backlogs(), ([path, waiting]) => ({ path, waiting })),
    connections: [...facts.connections()],
    calls: [...counts.values()],
    passedOn,
    members: [...facts.members()],
  };
  return `${JSON.stringify(report)}\n`;
}

function about(facts: ServerFacts): string {
  const { path, version, uptime } = facts;
  return `server ${path.slice(1)}: version ${version}, process ${Deno.pid}, up ${
    uptime().toFixed(1)
  } s\n`;
}

async function lag(): Promise<string> {
  const { mean, most } = await eventLoopLag();
  return `event loop: ${mean.toFixed(1)} ms late on average, ${most.toFixed(1)} ms at most\n`;
}

function elements({ countElements, countAnchors, countMaking }: ServerFacts): string {
  const kinds = Object.entries(countElements()).filter(([, count]) => count > 0);
  const held = kinds.map(([kind, count]) => `${count} ${kind}`).join(", ");
  const making = countMaking();
  const more = making > 0 ? `, ${making} being made` : "";
  return `elements: ${held}${more}, at ${countAnchors()} anchors\n`;
}

function memoryLine(): string {
  const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
  return `memory: ${mb(rss)} resident, ${mb(heapUsed)} of ${mb(heapTotal)} heap, ` +
    `${mb(external)} outside of it\n`;
}

function budget(facts: ServerFacts): string {
  const { limit, used, ...shares } = facts.memory();
  const parts = Object.entries(shares).map(([name, bytes]) => `${name} ${mb(bytes)}`);
  return `held for clients: ${mb(used)} of ${mb(limit)}, ${parts.join(", ")}\n`;
}

function queues({ backlogs }: ServerFacts): string {
  const lines = [];
  let empty = 0;
  for (const [path, waiting] of backlogs()) {
    if (waiting > 0) lines.push(`${path}: ${waiting} waiting`);
    else empty++;
  }
  return section(`queues: ${lines.length} in use, ${empty} empty`, lines);
}

function connections(facts: ServerFacts): string {
  const lines = Array.from(facts.connections(), (each) => {
    const { role, id, address, streams, buffers } = each;
    const who = id === undefined ? address : `${id} at ${address}`;
    return `${role} ${who}: ${streams} streams, ${each.in} bytes in, ${each.out} bytes out, ` +
      `${buffers} bytes of buffers`;
  });
  return section(`connections: ${lines.length}`, lines);
}

function calls(facts: ServerFacts): string {
  const { counts, passedOn } = callCounts(facts);
  let all = 0;
  const rows = [...counts.values()].sort((a, b) => b.count - a.count);
  const lines = rows.map(({ method, path, count }) => {
    all += count;
    return count === 1 ? `${method} ${path}` : `${method} ${path} (${count} times)`;
  });
  return section(`calls: ${all} here, ${passedOn} passed on`, lines);
}

/** The calls under way, alike ones together, and how many are passed on. */
function callCounts(facts: ServerFacts) {
  const counts = new Map<string, CallFacts & { count: number }>();
  let parts = 0;
  for (const call of facts.calls()) {
    if (call === undefined) {
      parts++;
      continue;
    }
    const { method, path } = call;
    const what = `${method} ${path}`;
    const known = counts.get(what);
    if (known) known.count++;
    else counts.set(what, { method, path, count: 1 });
  }
  // Each passes two connections.
  return { counts, passedOn: parts / 2 };
}

function members(facts: ServerFacts): string {
  const connected = new Set(Array.from(facts.connections(), ({ id }) => id));
  const lines = Array.from(facts.members(), ({ id, address }) => {
    const how = id === facts.path.slice(1) ? "itself" : connected.has(id) ? "connected" : "known";
    return `${id} ${address} ${how}`;
  });
  return section(`members: ${lines.length}`, lines);
}

/** A line a figure, in bytes but for those that count something. */
async function memory(): Promise<string> {
  const { getHeapStatistics } = await import("node:v8");
  const figures = { ...Deno.memoryUsage(), ...getHeapStatistics() };
  return Object.entries(figures).map(([name, value]) => `${name} ${value}\n`).join("");
}

function section(title: string, lines: readonly string[]): string {
  const shown = lines.slice(0, MAX_LINES);
  if (lines.length > MAX_LINES) shown.push(`and ${lines.length - MAX_LINES} more`);
  return [title, ...shown.map((line) => `  ${printable(line)}`), ""].join("\n");
}

/** Paths may hold line breaks; a fact is a line. */
function printable(line: string): string {
  return line.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
