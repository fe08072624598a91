/**
 * The server element: what a server tells of itself, and what it can be asked to do.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";
import type { Element, Handlers } from "../describe.ts";
import { serverDescription, type ServerStat } from "./description.ts";

/** What the element needs of the server that it stands for. */
export interface ServerFacts {
  /** The path of the server's own anchor, for messages. */
  readonly path: string;
  /** Its address. */
  readonly address: string;
  /** Its version of the circuit. */
  readonly version: string;
  /** When it started. */
  readonly started: Date;
  /** The time now, in milliseconds since 1970; default: the system's. */
  readonly now?: () => number;
  /** How many elements of each kind it holds right now. */
  readonly countElements: () => Readonly<Record<string, number>>;
  /** What it is doing right now, as text for people. */
  readonly diagnose: () => string;
  /** Merges its circuit with the one that the server at this address is in. */
  readonly rejoin: (address: string) => Promise<void>;
  /** Stops it. Is called after the answer to who asked for it. */
  readonly suicide: () => void;
}

/** The element of a server's own anchor. */
export interface ServerElement extends Element {
  readonly kind: "server";
  readonly handlers: Handlers<typeof serverDescription.methods>;
}

/** The profiles, by name, in the order in which messages list them. */
const PROFILES: Readonly<Record<string, (facts: ServerFacts) => string>> = {
  tasks: (facts) => facts.diagnose(),
  memory: () => memoryText(Deno.memoryUsage()),
};

/**
 * Makes the element of a server's own anchor.
 *
 * - `peek` tells what is so at that moment.
 * - `rejoin` returns when the two circuits have met, or fails with the reason.
 * - `suicide` is answered first; the server stops in the turn after that.
 * - `profile` streams the text of the profile `tasks` or `memory`; another name is `BAD_REQUEST`.
 */
export function makeServerElement(facts: ServerFacts): ServerElement {
  return {
    kind: "server",
    description: serverDescription,
    handlers: {
      peek: () => peek(facts),
      rejoin: (address) => rejoin(facts, address),
      suicide: () => void setTimeout(facts.suicide, 0),
      profile: (name, call) => profile(facts, name, call),
    },
    dispose() {},
  };
}

function peek(facts: ServerFacts): ServerStat {
  const { now = Date.now } = facts;
  const counts = Object.entries(facts.countElements()).filter(([, count]) => count > 0);
  return {
    addr: facts.address,
    joined: facts.started.toISOString(),
    version: facts.version,
    hostname: Deno.hostname(),
    os: Deno.build.os,
    cpus: navigator.hardwareConcurrency,
    elements: Object.fromEntries(counts),
    rss: Deno.memoryUsage().rss,
    uptime: Math.max(0, (now() - facts.started.getTime()) / 1000),
  };
}

async function rejoin(facts: ServerFacts, address: string): Promise<void> {
  if (address === "") {
    throw new CircuitError(
      "BAD_REQUEST",
      `cannot join ${facts.path}: the address is empty, want circuit://HOST:PORT/PID/Q… or HOST:PORT`,
    );
  }
  try {
    await facts.rejoin(address);
  } catch (cause) {
    const code = cause instanceof CircuitError ? cause.code : "INTERNAL";
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CircuitError(
      code,
      `cannot join ${facts.path} with ${JSON.stringify(address)}: ${why}`,
      { cause },
    );
  }
}

async function profile(facts: ServerFacts, name: string, call: Call): Promise<void> {
  const text = Object.hasOwn(PROFILES, name) ? PROFILES[name]?.(facts) : undefined;
  if (text === undefined) {
    const known = Object.keys(PROFILES).join(", ");
    throw new CircuitError(
      "BAD_REQUEST",
      `cannot profile ${facts.path}: unknown profile ${JSON.stringify(name)}, want one of ${known}`,
    );
  }
  call.accept();
  await call.write(new TextEncoder().encode(text));
  call.end();
}

/** A line a figure, in bytes. */
function memoryText(usage: Deno.MemoryUsage): string {
  return Object.entries(usage).map(([name, bytes]) => `${name} ${bytes}\n`).join("");
}
