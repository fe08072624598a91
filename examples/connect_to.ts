/**
 * How all examples connect.
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Client, connect, dial } from "../mod.ts";

/**
 * Connects to the server at an address, or where `circuit` would. The circuit's key, if it has one, is
 * in the file that CIRCUIT_HMAC names.
 */
export async function connectTo(address: string | undefined): Promise<Client> {
  if (address === undefined) return await connect();
  return await dial(address, { keyFile: Deno.env.get("CIRCUIT_HMAC") || undefined });
}
