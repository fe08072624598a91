/**
 * `circuit peek` and `circuit scrub`: what can be done with any element.
 *
 * @module
 */

import type { CallOptions, Element } from "../types.ts";
import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { capitalised, json, jsonFlag, procJson } from "./print.ts";

/** Prints the state of an element. */
export const peekCommand: Command = command({
  name: "peek",
  group: "Anchors",
  summary: "print the state of an element as JSON",
  args: { PATH: {} },
  flags: { ...jsonFlag, ...findingFlags },
  help: "Prints null if PATH holds nothing.",
  example: "circuit peek /X88550014d4c82e4d/this/is/charlie",
  async run(invocation) {
    const { args, flags, signal, stdout } = invocation;
    const state = await withClient(invocation, async (client) => {
      const element = await client.anchor(args.PATH).get({ signal });
      return element ? await stateOf(element, { signal }) : null;
    });
    await stdout.line(flags.json ? JSON.stringify(state) : json(state));
  },
});

/** Removes an element. */
export const scrubCommand: Command = command({
  name: "scrub",
  group: "Anchors",
  summary: "remove the element of an anchor",
  args: { PATH: {} },
  flags: findingFlags,
  help: [
    "Whoever waits on a channel gets an error. A process runs on; its output is thrown away. Nothing " +
    "happens if PATH holds nothing. A server cannot be scrubbed.",
  ].join("\n\n"),
  example: "circuit scrub /X88550014d4c82e4d/this/is/charlie",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, (client) => client.anchor(args.PATH).scrub({ signal }));
  },
});

/** An element's state as it is printed. */
async function stateOf(element: Element, options: CallOptions): Promise<unknown> {
  switch (element.kind) {
    case "proc":
      return procJson(await element.peek(options));
    case "chan":
      return capitalised(await element.stat(options));
    case "docker":
      return await element.peek(options);
    case "server":
    case "dns":
    case "@join":
    case "@leave":
      return capitalised(await element.peek(options));
  }
}
