/**
 * A program that a test runs on a host of its laboratory: a client that waits for a message on a
 * channel of each server that it is told of. It makes the channels itself.
 *
 *     waiting_client.ts ADDRESS PATH…
 *
 * Each line that it writes is an {@linkcode Outcome} in JSON; the first one is empty, when all calls
 * are under way.
 *
 * @module
 */

import { CircuitError, dial } from "../../mod.ts";
import { text } from "../bytes.ts";

/** How a call ended. */
export interface Outcome {
  /** The channel's path. */
  readonly path: string;
  /** The message, or the code of the error. */
  readonly end: string;
  /** When, in ms since 1970. */
  readonly at: number;
}

if (import.meta.main) await main(Deno.args);

async function main([address = "", ...paths]: readonly string[]): Promise<void> {
  await using client = await dial(address);
  const chans = await Promise.all(paths.map((path) => client.anchor(path).makeChan()));
  const calls = chans.map(async (chan, i) => {
    const end = await chan.recvBytes().then(text, codeOf);
    console.log(JSON.stringify({ path: paths[i], end, at: Date.now() }));
  });
  // Requests arrive in the order in which they were sent: what follows has those before it there.
  await Promise.all(chans.map((chan) => chan.stat()));
  console.log("{}");
  await Promise.all(calls);
}

function codeOf(error: unknown): string {
  return error instanceof CircuitError ? error.code : String(error);
}
