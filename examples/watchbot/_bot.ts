/**
 * What the tests see of a bot.
 *
 * @module
 */

import { assert } from "@std/assert";
import { CircuitError, type Client } from "../../mod.ts";
import type { RunningServer } from "../../tests/launcher.ts";
import { until } from "../../tests/until.ts";
import type { Present } from "./_roll_call.ts";

/** Names of nuclei, or of anything else of the bot that begins so, on all servers. */
export async function named(client: Client, prefix: string): Promise<string[]> {
  const found = [];
  for await (const { path } of client.anchor("/").list({ recursive: true })) {
    if (path.includes(`/watchbot/bot/${prefix}`)) found.push(path);
  }
  return found;
}

/** Waits until a nucleus elsewhere watches the one of a payload; without it a kill ends the bot. */
export async function untilWatched(client: Client, payload: Present): Promise<void> {
  await until("a watcher on duty", async () => {
    for (const path of await named(client, "nucleus-")) {
      if (!path.includes(payload.server) && await hasSaid(client, path, ": watches: ")) return true;
    }
    return false;
  });
}

/** Milliseconds that a nucleus has to say something. */
const SAY_MS = 5_000;

/** Whether a nucleus prints this before it ends, or its server does. */
async function hasSaid(client: Client, path: string, what: string): Promise<boolean> {
  const signal = AbortSignal.timeout(SAY_MS);
  try {
    const proc = await client.anchor(path).get();
    if (proc?.kind !== "proc") return false;
    for await (const text of proc.stderr({ signal }).pipeThrough(new TextDecoderStream())) {
      if (text.includes(what)) return true;
    }
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
  }
  return false;
}

/** The server that a payload runs on. */
export function host(circuit: readonly RunningServer[], { server }: Present): RunningServer {
  const found = circuit.find(({ id }) => id === server);
  assert(found, `no server ${server}`);
  return found;
}
