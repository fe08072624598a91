/**
 * Names of anchors: `/X<server id>/any/path`.
 *
 * @module
 */

import { isServerId } from "../overlay/address.ts";
import { CircuitError } from "../overlay/errors.ts";

/** Longest component, in bytes of UTF-8. */
export const MAX_COMPONENT_BYTES = 255;
/** Most components in a path, the server's included. */
export const MAX_COMPONENTS = 64;

const encoder = new TextEncoder();

/**
 * Splits a path into its components. Repeated and trailing slashes do not count, so `/` has none.
 *
 * @throws {CircuitError} `BAD_REQUEST` if a component is not allowed, there are more than
 * {@linkcode MAX_COMPONENTS}, or the first is not a server ID.
 */
export function parsePath(text: string): string[] {
  const names = text.split("/").filter((name) => name !== "");
  const problem = pathProblem(names);
  if (problem) {
    throw new CircuitError("BAD_REQUEST", `bad path ${JSON.stringify(text)}: ${problem}`);
  }
  return names;
}

/** The path in its one canonical form; the components must be valid. */
export function formatPath(names: readonly string[]): string {
  return "/" + names.join("/");
}

/**
 * Checks one component of a path.
 *
 * @throws {CircuitError} `BAD_REQUEST` if it is empty, too long, `.`, `..`, `...`, or holds `/` or
 * NUL.
 */
export function checkComponent(name: string): void {
  const problem = componentProblem(name);
  if (problem) throw new CircuitError("BAD_REQUEST", `bad path component: ${problem}`);
}

function pathProblem(names: readonly string[]): string | undefined {
  if (names.length > MAX_COMPONENTS) {
    return `${names.length} components, at most ${MAX_COMPONENTS} are allowed`;
  }
  for (const name of names) {
    const problem = componentProblem(name);
    if (problem) return problem;
  }
  const first = names[0];
  if (first !== undefined && !isServerId(first)) {
    return `it must begin with a server, X and 16 hex digits, not ${JSON.stringify(first)}`;
  }
  return undefined;
}

function componentProblem(name: string): string | undefined {
  if (name === "") return "a component is empty";
  if (name === "." || name === ".." || name === "...") {
    return `a component may not be ${JSON.stringify(name)}`;
  }
  if (name.includes("/") || name.includes("\0")) {
    return `${JSON.stringify(name)} holds a slash or a NUL`;
  }
  if (!name.isWellFormed()) return `${JSON.stringify(name)} is not valid Unicode`;
  // A UTF-16 unit takes at most 3 bytes, so short names need no counting.
  if (name.length * 3 > MAX_COMPONENT_BYTES && encoder.encode(name).length > MAX_COMPONENT_BYTES) {
    return `a component is longer than ${MAX_COMPONENT_BYTES} bytes`;
  }
  return undefined;
}
