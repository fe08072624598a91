/**
 * The kinds that a user can make, by name. A new kind is one line here.
 *
 * @module
 */

import { makeChan } from "./chan/chan.ts";
import { parseCapacity } from "./chan/description.ts";
import { makeContainer, parseContainerRun } from "./container/mod.ts";
import type { CircuitView, ElementContext } from "./context.ts";
import type { Element, Parser } from "./describe.ts";
import { makeNameserver, parseEndpoint } from "./dns/mod.ts";
import { parseCmd } from "./proc/description.ts";
import { nothing } from "./parse.ts";
import { makeProc } from "./proc/proc.ts";
import { makeSubscription } from "./subscription/subscription.ts";

/** How an element of a kind is made. */
export interface ElementKind {
  /**
   * Checks `value` and makes the element.
   *
   * @throws {CircuitError} `BAD_REQUEST` for a value that the kind does not take, or why the element
   * cannot be made; nothing is left behind then.
   */
  make(
    value: unknown,
    context: ElementContext,
    circuit: CircuitView,
  ): Element | Promise<Element>;
}

function kind<V>(
  parse: Parser<V>,
  make: (value: V, context: ElementContext, circuit: CircuitView) => Element | Promise<Element>,
): ElementKind {
  return { make: (value, context, circuit) => make(parse(value), context, circuit) };
}

/** The kinds, by the name that `anchor.make` gives. */
export const KINDS: Readonly<Record<string, ElementKind>> = {
  chan: kind(parseCapacity, makeChan),
  proc: kind(parseCmd, makeProc),
  dns: kind(parseEndpoint, makeNameserver),
  docker: kind(parseContainerRun, makeContainer),
  "@join": kind(nothing, (_, context, circuit) => makeSubscription("join", context, circuit)),
  "@leave": kind(nothing, (_, context, circuit) => makeSubscription("leave", context, circuit)),
};
