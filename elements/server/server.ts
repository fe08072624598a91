/**
 * The server element: what a server tells of itself, and what it can be asked to do.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { type Call, signalOf } from "../call.ts";
import type { Element, Handlers } from "../describe.ts";
import { serverDescription, type ServerStat } from "./description.ts";
import type { ServerFacts } from "./facts.ts";
import { PROFILES } from "./profiles.ts";

/** The element of a server's own anchor. */
export interface ServerElement extends Element {
  readonly kind: "server";
  readonly handlers: Handlers<typeof serverDescription.methods>;
}

/**
 * Makes the element of a server's own anchor.
 *
 * - `peek` tells what is so at that moment.
 * - `rejoin` returns when the two circuits have met, or fails with the reason.
 * - `suicide` is answered first; the server stops in the turn after that.
 * - `profile` streams the text of one of {@linkcode PROFILES}; another name is `BAD_REQUEST`.
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
    memory: facts.memory(),
    uptime: facts.uptime(),
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
  const make = Object.hasOwn(PROFILES, name) ? PROFILES[name] : undefined;
  if (make === undefined) {
    const known = Object.keys(PROFILES).join(", ");
    throw new CircuitError(
      "BAD_REQUEST",
      `cannot profile ${facts.path}: unknown profile ${JSON.stringify(name)}, want one of ${known}`,
    );
  }
  const text = await make(facts, signalOf(call));
  call.accept();
  await call.write(new TextEncoder().encode(text));
  call.end();
}
