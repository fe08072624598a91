/**
 * What a nucleus is told when it is started, and how it is started.
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Anchor, CircuitError, type Proc } from "../../mod.ts";
import { placeOf, type Term } from "./ballot.ts";

/** Bytes of what a nucleus and its payload print that their server keeps for whoever asks: 64 KiB. */
const KEEP_BYTES = 64 * 1024;

/**
 * A shell that says a line, waits for one, and only then is what follows. A program that ends at once
 * takes what it has said with it, so nothing runs before somebody is there to read it.
 */
const ONCE_READ = `echo started >&2 && read -r _ && exec "$@"`;

/** What a nucleus is told. */
export interface Orders {
  /** The bot's name: everything of it is at `/X…/watchbot/NAME`. */
  readonly name: string;
  /** The payload: a program, which must be there on every server, and its arguments. */
  readonly command: readonly string[];
  /** What runs a nucleus on every server; the address of its server and its orders are added. */
  readonly program: readonly string[];
  /** The term in which it is to watch. */
  readonly term: Term;
  /** The path of its own process. */
  readonly self: string;
  /** The path of the nucleus that it is to watch; none for the first one. */
  readonly watch?: string;
  /** The path of a channel for reports. */
  readonly reports?: string;
}

/** A nucleus that was started. */
export interface Started {
  readonly proc: Proc;
  /** What it says on its standard error, all of it. */
  readonly said: ReadableStream<string>;
  /** Its standard input. */
  readonly words: WritableStreamDefaultWriter<Uint8Array>;
}

/**
 * Starts a nucleus on a server.
 *
 * @param orders Its orders, but for its own path.
 */
export async function spawnNucleus(
  server: Anchor,
  orders: Omit<Orders, "self">,
  signal?: AbortSignal,
): Promise<Started> {
  const element = await server.get({ signal });
  if (element?.kind !== "server") throw new CircuitError("NOT_FOUND", `no server ${server.path}`);
  const { addr } = await element.peek({ signal });
  const id = crypto.randomUUID().slice(0, 8);
  const anchor = placeOf(server, orders.name).walk(`nucleus-${id}`);
  const told: Orders = { ...orders, self: anchor.path };
  const proc = await anchor.makeProc({
    path: "/bin/sh",
    args: ["-c", ONCE_READ, "nucleus", ...orders.program, addr, JSON.stringify(told)],
    scrub: true,
    keep: KEEP_BYTES,
  }, { signal });
  const said = proc.stderr({ signal }).pipeThrough(new TextDecoderStream());
  const reader = said.getReader();
  await reader.read();
  reader.releaseLock();
  const words = proc.stdin().getWriter();
  await words.write(new TextEncoder().encode("\n"));
  return { proc, said, words };
}
