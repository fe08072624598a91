/**
 * Which servers a command is for.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Anchor } from "../types.ts";
import { UsageError } from "./command.ts";
import { printable } from "./print.ts";

/** Most servers that a message names. */
const NAMED = 10;

/**
 * The prefixes that a selector holds: `/` for all servers, or the beginnings of their paths, parted
 * by commas.
 *
 * @throws {UsageError} if it is no selector.
 */
export function parseSelector(selector: string): string[] {
  return selector.split(",").map((part) => prefixOf(part, selector));
}

/**
 * The servers whose paths begin with one of these, in the order given, each once.
 *
 * @param prefixes What {@linkcode parseSelector} gave.
 * @param servers Those that there are.
 * @throws {CircuitError} `NOT_FOUND` if one of them stands for none, with those that there are.
 */
export function select(prefixes: readonly string[], servers: readonly Anchor[]): Anchor[] {
  for (const prefix of prefixes) {
    if (servers.some(({ path }) => path.startsWith(prefix))) continue;
    throw new CircuitError(
      "NOT_FOUND",
      `no server's path begins with ${JSON.stringify(prefix)}; ${there(servers)}`,
    );
  }
  return servers.filter(({ path }) => prefixes.some((prefix) => path.startsWith(prefix)));
}

/** A part of a selector, checked: `/`, or the beginning of a server's path. */
function prefixOf(part: string, selector: string): string {
  const quoted = JSON.stringify(part);
  if (part === "") {
    const where = selector === "" ? "is empty" : `has an empty part: ${JSON.stringify(selector)}`;
    throw new UsageError(`SELECTOR ${where}`);
  }
  if (!part.startsWith("/")) {
    throw new UsageError(`SELECTOR must begin with /, as in "/${part}", not ${quoted}`);
  }
  const [, id = "", below = ""] = /^\/+([^/]*)\/*(.*)$/s.exec(part) ?? [];
  if (below !== "") {
    throw new UsageError(
      `SELECTOR names servers, as in "/${id}", and not what is on one: ${quoted}`,
    );
  }
  return `/${id}`;
}

function there(servers: readonly Anchor[]): string {
  const paths = servers.slice(0, NAMED).map(({ path }) => printable(path)).join(", ");
  const more = servers.length > NAMED ? ` and ${servers.length - NAMED} more` : "";
  return servers.length === 1 ? `the only server is ${paths}` : `the servers are ${paths}${more}`;
}
