/**
 * `circuit join`, `stk` and `suicide`: what can be asked of a server.
 *
 * @module
 */

import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";
import { jsonFlag } from "./print.ts";

/** Merges two circuits. */
export const joinCommand: Command = command({
  name: "join",
  group: "Servers",
  summary: "merge the circuit of a server with the one that ADDRESS is in",
  args: { PATH: {}, ADDRESS: {} },
  flags: findingFlags,
  help: "PATH is the server's own anchor. Harmless if the two are one circuit already.",
  example: "circuit join /X88550014d4c82e4d circuit://10.0.0.2:11088/78517/Q938fe923bcdef239",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const server = await elementAt(client, args.PATH, ["server"], { signal });
      await server.rejoin(args.ADDRESS, { signal });
    });
  },
});

/** Shows what a server is doing. */
export const stkCommand: Command = command({
  name: "stk",
  group: "Servers",
  summary: "show what a server is doing right now",
  args: { PATH: {} },
  flags: { ...jsonFlag, ...findingFlags },
  help:
    "Prints, as text, how late its event loop is, its elements and memory, what waits in channels " +
    "and subscriptions, its connections with their traffic, and the calls that are under way.",
  example: "circuit stk /X88550014d4c82e4d",
  async run(invocation) {
    const { args, flags, signal, stdout } = invocation;
    await withClient(invocation, async (client) => {
      const server = await elementAt(client, args.PATH, ["server"], { signal });
      for await (const chunk of server.profile(flags.json ? "json" : "tasks", { signal })) {
        await stdout.write(chunk);
      }
    });
  },
});

/** Stops a server. */
export const suicideCommand: Command = command({
  name: "suicide",
  group: "Servers",
  summary: "stop a server in order",
  args: { PATH: {} },
  flags: findingFlags,
  help: "The others see it leave at once; its processes get SIGTERM. Elements on it are gone.",
  example: "circuit suicide /X88550014d4c82e4d",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const server = await elementAt(client, args.PATH, ["server"], { signal });
      await server.suicide({ signal });
    });
  },
});
