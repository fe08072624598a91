/**
 * Joining the circuits that a server is told to join when it starts.
 *
 * @module
 */

import { parseAddress } from "../overlay/address.ts";
import { delay } from "../overlay/delay.ts";
import { type CircuitError, type ErrorCode, toCircuitError } from "../overlay/errors.ts";
import type { Log } from "./log.ts";

/**
 * Milliseconds that a server waits for one of those to appear which it is to join, and between two
 * looks: where a whole circuit is started at once, they are about to.
 */
const PATIENCE_MS = 2_000;
const LOOK_MS = 200;

/** What a dial fails with where nobody is there; all else is a mistake in what the server was told. */
const ABSENT: readonly ErrorCode[] = ["UNREACHABLE", "TIMEOUT"];

/** Merges a server's circuit with others. */
export interface Joiner {
  /** Merges it with that of the server at `address`, or fails; see `Node.join`. */
  join(address: string): Promise<void>;
}

/**
 * Joins the circuits of servers. One that is not there is passed over if another one is, with a
 * warning; the overlay tries it again as long as the server runs.
 *
 * @param seeds Their addresses.
 * @param signal Gives up: resolves soon after it is aborted, whatever has been joined by then.
 * @throws {CircuitError} `BAD_REQUEST` if an address is none, before any is dialled; why the first of
 * them cannot be reached, if none can within two seconds; why a server that is there is not joined.
 */
export async function joinAll(
  node: Joiner,
  seeds: readonly string[],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  seeds.forEach(parseAddress);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const absent = new Map<string, CircuitError>();
    for (const seed of seeds) {
      try {
        await node.join(seed);
      } catch (cause) {
        const error = toCircuitError(cause);
        if (!ABSENT.includes(error.code)) throw error;
        absent.set(seed, error);
      }
    }
    const [first] = absent.values();
    if (first === undefined || signal.aborted) return;
    if (absent.size < new Set(seeds).size) {
      for (const [seed, { message }] of absent) {
        log("warn", `cannot join ${seed} yet, and goes on trying: ${message}`);
      }
      return;
    }
    if (performance.now() >= deadline) throw first;
    await delay(LOOK_MS, signal);
  }
}
