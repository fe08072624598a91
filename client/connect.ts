/**
 * Finding a circuit where the command line finds it: in the environment.
 *
 * @module
 */

import { CircuitError } from "../overlay/errors.ts";
import { dial } from "./client.ts";
import type { Client, DialOptions } from "./types.ts";

/**
 * Connects to a server that answers on a multicast group.
 *
 * @param group `GROUP:PORT`, as `228.8.8.8:7711`.
 * @throws {CircuitError} `UNSUPPORTED`: this version has no multicast discovery.
 */
export function discover(group: string, _options?: DialOptions): Promise<Client> {
  return Promise.reject(
    new CircuitError("UNSUPPORTED", `cannot discover a server on ${group}: not in this version`),
  );
}

/**
 * Connects to the server whose address is in the file that the environment variable CIRCUIT names
 * (`~` stands for the home directory), else to one that answers on the multicast group in
 * CIRCUIT_DISCOVER.
 *
 * @throws {CircuitError} `BAD_REQUEST` if neither is set, or the file holds no address; `NOT_FOUND`
 * or `DENIED` if it cannot be read; else as {@linkcode dial} and {@linkcode discover}.
 */
export async function connect(options?: DialOptions): Promise<Client> {
  const file = Deno.env.get("CIRCUIT");
  if (file) return await dial(await readAddress(expandHome(file)), options);
  const group = Deno.env.get("CIRCUIT_DISCOVER");
  if (group) return await discover(group, options);
  throw new CircuitError(
    "BAD_REQUEST",
    "no server to dial: give -d ADDRESS or -discover GROUP:PORT, or set CIRCUIT to a file that " +
      "holds an address or CIRCUIT_DISCOVER to a multicast GROUP:PORT",
  );
}

function expandHome(file: string): string {
  const home = Deno.env.get("HOME");
  return home !== undefined && /^~(\/|$)/.test(file) ? home + file.slice(1) : file;
}

async function readAddress(file: string): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    throw new CircuitError(
      missing ? "NOT_FOUND" : "DENIED",
      `cannot read ${file}, which CIRCUIT names: ${
        missing ? "there is no such file" : cause instanceof Error ? cause.message : cause
      }`,
      { cause },
    );
  }
  const address = text.trim();
  if (address !== "") return address;
  throw new CircuitError("BAD_REQUEST", `${file}, which CIRCUIT names, is empty: want an address`);
}
