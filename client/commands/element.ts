/**
 * The element that a command works on, of the kind that it needs.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { CallOptions, Client, Element, Kind } from "../types.ts";

/** How kinds are called in sentences. */
const NAMES: Readonly<Record<Kind, string>> = {
  server: "a server",
  proc: "a process",
  chan: "a channel",
  dns: "a name server",
  docker: "a container",
  "@join": "a join subscription",
  "@leave": "a leave subscription",
};

/**
 * The element at this path, of one of these kinds.
 *
 * @throws {CircuitError} `NOT_FOUND` if there is none, `BAD_REQUEST` if it is of another kind.
 */
export async function elementAt<K extends Kind>(
  client: Client,
  path: string,
  kinds: readonly K[],
  options: CallOptions,
): Promise<Extract<Element, { kind: K }>> {
  const element = await client.anchor(path).get(options);
  const wanted = kinds.map((kind) => NAMES[kind]).join(" or ");
  if (!element) {
    throw new CircuitError("NOT_FOUND", `there is nothing at ${path}; it should be ${wanted}`);
  }
  if (!isOf(element, kinds)) {
    throw new CircuitError(
      "BAD_REQUEST",
      `${path} is ${NAMES[element.kind]}; it should be ${wanted}`,
    );
  }
  return element;
}

function isOf<K extends Kind>(
  element: Element,
  kinds: readonly K[],
): element is Extract<Element, { kind: K }> {
  return (kinds as readonly Kind[]).includes(element.kind);
}
