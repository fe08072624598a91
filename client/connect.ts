/**
 * Finding a circuit where the command line finds it: in the environment.
 *
 * @module
 */

import { CircuitError } from "../overlay/errors.ts";
import { findKeyFile } from "../overlay/transport/key.ts";
import { dialFirst, keyOf } from "./client.ts";
import type { Client, DialOptions } from "./types.ts";

/**
 * Connects to a server that answers on a multicast group: the first that can be dialled.
 *
 * @param group `GROUP:PORT`, as `228.8.8.8:7711`.
 * @param options As for {@linkcode dial}, and how long to search; default 5 s. Only servers that have
 * the same key, or as the client none, are found.
 * @returns a client, which has a connection until it is closed or disposed of.
 * @throws {CircuitError} `BAD_REQUEST` if that is not a multicast group, `TIMEOUT` if no server
 * answers in time, `UNSUPPORTED` where this Deno has no UDP (older ones have it with `--unstable-net`),
 * or why the last one that did answer cannot be dialled.
 *
 * @example
 * ```ts
 * import { CircuitError, discover } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0", discover: "228.8.8.8:7711" });
 *
 * try {
 *   await using client = await discover("228.8.8.8:7711", { timeoutMs: 500 });
 *   console.log(client.serverId, "is one of the servers on this network");
 * } catch (error) {
 *   // Not every network carries multicast.
 *   if (!(error instanceof CircuitError)) throw error;
 *   console.log(error.message);
 * }
 * ```
 */
export async function discover(group: string, options?: DialOptions): Promise<Client> {
  // A program that dials an address has no use for this part.
  const { discoverServers } = await import("../overlay/discovery/mod.ts");
  const { timeoutMs } = options ?? {};
  const key = await keyOf(options ?? {});
  return await dialFirst(async function* (signal) {
    for await (const { address } of discoverServers(group, { key, signal, timeoutMs })) {
      yield address;
    }
  }, { ...options, key, keyFile: undefined });
}

/**
 * Connects to the server whose address is in the file that the environment variable CIRCUIT names
 * (`~` stands for the home directory), else to one that answers on the multicast group in
 * CIRCUIT_DISCOVER. The file may hold several addresses, a line each: the first server that
 * answers is taken. Where no key is given, it is the first in the file that CIRCUIT_HMAC names, if it
 * is set.
 *
 * @param options As for {@linkcode dial} and {@linkcode discover}.
 * @returns a client, which has a connection until it is closed or disposed of.
 * @throws {CircuitError} `BAD_REQUEST` if neither is set, or a file does not hold what it should;
 * `NOT_FOUND` or `DENIED` if it cannot be read; else as {@linkcode dial} and {@linkcode discover}.
 *
 * @example
 * ```ts
 * import { connect } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * const file = await Deno.makeTempFile();
 * await Deno.writeTextFile(file, server.address);
 * Deno.env.set("CIRCUIT", file);
 *
 * await using client = await connect();
 * console.assert(client.address === server.address);
 *
 * Deno.env.delete("CIRCUIT");
 * await Deno.remove(file);
 * ```
 */
export async function connect(options?: DialOptions): Promise<Client> {
  const file = Deno.env.get("CIRCUIT");
  if (file) {
    // What is in it may be another address by the time that the server there is lost.
    const seeds = async function* () {
      yield* await readAddresses(expandHome(file));
    };
    return await dialFirst(seeds, withKey(options));
  }
  const group = Deno.env.get("CIRCUIT_DISCOVER");
  if (group) return await discover(group, withKey(options));
  throw new CircuitError(
    "BAD_REQUEST",
    "no server to dial: give -d ADDRESS or -discover GROUP:PORT, or set CIRCUIT to a file that " +
      "holds an address or CIRCUIT_DISCOVER to a multicast GROUP:PORT",
  );
}

/** With the key that the environment names, unless there is one. */
function withKey(options: DialOptions = {}): DialOptions {
  return { ...options, keyFile: options.key ? options.keyFile : findKeyFile(options.keyFile) };
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
