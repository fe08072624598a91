/**
 * Finding a circuit where the command line finds it: in the environment.
 *
 * @module
 */

import { CircuitError, type ErrorCode } from "../overlay/errors.ts";
import { findKeyFile, readKeyFile } from "../overlay/transport/key.ts";
import { dial } from "./client.ts";
import type { Client, DialOptions } from "./types.ts";

/**
 * Connects to a server that answers on a multicast group: the first that can be dialled.
 *
 * @param group `GROUP:PORT`, as `228.8.8.8:7711`.
 * @throws {CircuitError} `BAD_REQUEST` if that is not a multicast group, `TIMEOUT` if no server
 * answers in time, or why the last one that did cannot be dialled.
 */
export async function discover(group: string, options?: DialOptions): Promise<Client> {
  // A program that dials an address has no use for this part.
  const { discoverServers } = await import("../overlay/discovery/mod.ts");
  const { key, signal, timeoutMs } = options ?? {};
  const addresses = async function* () {
    for await (const { address } of discoverServers(group, { key, signal, timeoutMs })) {
      yield address;
    }
  };
  return await dialFirst(addresses(), options);
}

/**
 * Connects to the server whose address is in the file that the environment variable CIRCUIT names
 * (`~` stands for the home directory), else to one that answers on the multicast group in
 * CIRCUIT_DISCOVER. The file may hold several addresses, a line each: the first server that can be
 * dialled is taken. Where no key is given, it is the first in the file that CIRCUIT_HMAC names, if it
 * is set.
 *
 * @throws {CircuitError} `BAD_REQUEST` if neither is set, or a file does not hold what it should;
 * `NOT_FOUND` or `DENIED` if it cannot be read; else as {@linkcode dial} and {@linkcode discover}.
 */
export async function connect(options?: DialOptions): Promise<Client> {
  const file = Deno.env.get("CIRCUIT");
  if (file) {
    return await dialFirst(await readAddresses(expandHome(file)), await withKey(options));
  }
  const group = Deno.env.get("CIRCUIT_DISCOVER");
  if (group) return await discover(group, await withKey(options));
  throw new CircuitError(
    "BAD_REQUEST",
    "no server to dial: give -d ADDRESS or -discover GROUP:PORT, or set CIRCUIT to a file that " +
      "holds an address or CIRCUIT_DISCOVER to a multicast GROUP:PORT",
  );
}

/** With the key that the environment names, unless there is one. */
async function withKey(options: DialOptions | undefined): Promise<DialOptions | undefined> {
  const file = options?.key ? undefined : findKeyFile();
  return file === undefined ? options : { ...options, key: (await readKeyFile(file)).keys[0] };
}

/** Failures that another server may not have. */
const TRY_NEXT: readonly ErrorCode[] = [
  "UNREACHABLE",
  "TIMEOUT",
  "SERVER_GONE",
  "BUSY",
  // The port is another program's now.
  "PROTOCOL",
];

async function dialFirst(
  addresses: AsyncIterable<string> | Iterable<string>,
  options: DialOptions | undefined,
): Promise<Client> {
  let last: unknown;
  for await (const address of addresses) {
    try {
      return await dial(address, options);
    } catch (error) {
      if (!(error instanceof CircuitError) || !TRY_NEXT.includes(error.code)) throw error;
      last = error;
    }
  }
  throw last;
}

function expandHome(file: string): string {
  const home = Deno.env.get("HOME");
  return home !== undefined && /^~(\/|$)/.test(file) ? home + file.slice(1) : file;
}

async function readAddresses(file: string): Promise<string[]> {
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
  const addresses = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (addresses.length > 0) return addresses;
  throw new CircuitError("BAD_REQUEST", `${file}, which CIRCUIT names, is empty: want an address`);
}
