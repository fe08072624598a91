/**
 * `circuit mk@join` and `mk@leave`.
 *
 * @module
 */

import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";

/** Makes a subscription to the servers that there are and those that come. */
export const mkOnJoinCommand: Command = command({
  name: "mk@join",
  group: "Servers",
  summary: "subscribe to the servers that join the circuit",
  args: { PATH: {} },
  flags: findingFlags,
  help:
    "The subscription begins with all servers there are. `circuit recv PATH` prints the path of " +
    "the next one, and waits for it if need be. Fails where there is an element already.",
  example: "circuit mk@join /X88550014d4c82e4d/watch/join",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      await client.anchor(args.PATH).makeOnJoin({ signal });
    });
  },
});

/** Makes a subscription to the servers that go. */
export const mkOnLeaveCommand: Command = command({
  name: "mk@leave",
  group: "Servers",
  summary: "subscribe to the servers that leave the circuit, or die",
  args: { PATH: {} },
  flags: findingFlags,
  help:
    "`circuit recv PATH` prints the path of the next server that has gone since the subscription " +
    "was made, and waits for it if need be. Fails where there is an element already.",
  example: "circuit mk@leave /X88550014d4c82e4d/watch/leave",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      await client.anchor(args.PATH).makeOnLeave({ signal });
    });
  },
});
