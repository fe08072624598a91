/**
 * Environments as lists of `NAME=VALUE`.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";

/**
 * The variables of an environment. Of two with the same name the last one holds.
 *
 * @param env `NAME=VALUE` each; a value may be empty or hold `=`.
 * @throws {CircuitError} `BAD_REQUEST` for an entry without `=` or without a name.
 */
export function parseEnv(env: readonly string[]): Record<string, string> {
  const variables: [string, string][] = env.map((entry) => {
    const equals = entry.indexOf("=");
    if (equals > 0) return [entry.slice(0, equals), entry.slice(equals + 1)];
    throw new CircuitError("BAD_REQUEST", `env: want NAME=VALUE, not ${JSON.stringify(entry)}`);
  });
  return Object.fromEntries(variables);
}

/** This process's own environment, as a list. */
export function ownEnv(): string[] {
  return Object.entries(Deno.env.toObject()).map(([name, value]) => `${name}=${value}`);
}
