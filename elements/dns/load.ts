/**
 * Loads the name server when the first one is made.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { ElementContext } from "../context.ts";
import type { Element } from "../describe.ts";
import type { Endpoint } from "./description.ts";

/**
 * Makes a name server, which is listening when this resolves.
 *
 * @throws {CircuitError} `BUSY` if the port is taken, `BAD_REQUEST` if the host is no address of
 * this machine, `DENIED` if the port is for the privileged only, `UNSUPPORTED` if the library for
 * DNS messages can't be had.
 */
export async function makeNameserver(
  endpoint: Endpoint,
  context: ElementContext,
): Promise<Element> {
  const { makeNameserver } = await load(context);
  return makeNameserver(endpoint, context);
}

/** The module that is loaded; its own type would bring it into the graph of those that import this. */
export interface NameserverModule {
  /** Makes a name server. */
  makeNameserver(endpoint: Endpoint, context: ElementContext): Element;
}

async function load(context: ElementContext): Promise<NameserverModule> {
  try {
    // Not a literal: Deno resolves npm packages behind literal imports when the program starts,
    // which would take every server and every command to npm's registry, used or not. So compiling
    // has to be told of the module, with `--include`.
    const specifier = new URL("./nameserver.ts", import.meta.url).href;
    return await import(specifier);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CircuitError(
      "UNSUPPORTED",
      `cannot make ${context.path}: this server can't load its library for DNS: ` +
        why.split("\n", 1)[0],
      { cause },
    );
  }
}
