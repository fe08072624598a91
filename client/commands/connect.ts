/**
 * What the commands that talk to a circuit have in common: the flags for finding a server, and a
 * client for as long as the command runs.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Client } from "../types.ts";
import type { Context, Flags, FlagValues, Where } from "./command.ts";

/** Longest delay of a timer, in milliseconds; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The flags for finding a server. */
export const findingFlags = {
  dial: {
    type: "string",
    alias: "d",
    value: "ADDRESS",
    help: "talk to the server at ADDRESS, circuit://… or HOST:PORT",
  },
  discover: {
    type: "string",
    value: "GROUP:PORT",
    help: "find a server by asking the multicast GROUP",
  },
  hmac: {
    type: "string",
    value: "FILE",
    help: "use the circuit's key in FILE (default: CIRCUIT_HMAC)",
  },
  timeout: {
    type: "number",
    value: "SECONDS",
    default: 5,
    help: "give up finding a server after SECONDS",
  },
} as const satisfies Flags;

/** What {@linkcode withClient} needs of an invocation. */
export interface Connecting extends Pick<Context, "connect" | "signal"> {
  readonly flags: FlagValues<typeof findingFlags>;
}

/**
 * Calls `use` with a client, and closes it whatever happens: also at once when the user interrupts
 * the tool, so that the servers free what was waiting there.
 */
export async function withClient<T>(
  invocation: Connecting,
  use: (client: Client) => Promise<T>,
  options: Pick<Where, "redial"> = {},
): Promise<T> {
  await using client = await find(invocation, options);
  const { signal } = invocation;
  const close = () => void client.close();
  if (signal.aborted) close();
  signal.addEventListener("abort", close, { once: true });
  try {
    return await use(client);
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function find(
  invocation: Connecting,
  options: Pick<Where, "redial">,
): Promise<Client> {
  const { dial, discover, hmac, timeout } = invocation.flags;
  const timeoutMs = Math.min(timeout * 1000, MAX_DELAY_MS);
  try {
    const where = { dial, discover, hmac, timeoutMs, ...options };
    return await invocation.connect(where, invocation.signal);
  } catch (cause) {
    const silent = cause instanceof CircuitError && cause.code === "TIMEOUT";
    // A search that was in vain says what to check.
    if (!silent || dial === undefined) throw cause;
    const message = `${cause.message} (-timeout SECONDS waits longer)`;
    throw new CircuitError("TIMEOUT", message, { cause });
  }
}
