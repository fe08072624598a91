/**
 * `circuit mkchan`, `send`, `recv` and `close`.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { MAX_CAPACITY } from "../../elements/chan/description.ts";
import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";
import { wholeNumber } from "./parse.ts";

const SUBSCRIPTIONS = ["@join", "@leave"] as const;

/** Makes a channel. */
export const mkchanCommand: Command = command({
  name: "mkchan",
  group: "Channels",
  summary: "make a channel that holds CAPACITY messages",
  args: { PATH: {}, CAPACITY: {} },
  flags: findingFlags,
  help: [
    "With a capacity of 0, every send waits for a receiver. Fails where there is an element already.",
  ].join("\n\n"),
  example: "circuit mkchan /X88550014d4c82e4d/this/is/charlie 3",
  async run(invocation) {
    const { args, signal } = invocation;
    const capacity = wholeNumber("CAPACITY", args.CAPACITY, 0, MAX_CAPACITY);
    await withClient(invocation, async (client) => {
      await client.anchor(args.PATH).makeChan(capacity, { signal });
    });
  },
});

/** Sends a message. */
export const sendCommand: Command = command({
  name: "send",
  group: "Channels",
  summary: "send standard input through a channel, as one message",
  args: { PATH: {} },
  flags: findingFlags,
  help: [
    "Waits until a receiver takes the message or the channel has room for it, and ends when the " +
    "channel has all of it. Without a receiver a channel takes 32 KiB of a message, then the tool " +
    "waits. Interrupting it withdraws the message.",
    "The exit status is 1 if the channel is closed or scrubbed, or if the receiver went away with a " +
    "part of the message.",
  ].join("\n\n"),
  example: "echo hello | circuit send /X88550014d4c82e4d/this/is/charlie",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const channel = await elementAt(client, args.PATH, ["chan"], { signal });
      const message = await channel.send({ signal });
      await invocation.stdin.pipeTo(message, { signal });
    });
  },
});

/** Receives a message. */
export const recvCommand: Command = command({
  name: "recv",
  group: "Channels",
  summary: "receive a message from a channel or a subscription",
  args: { PATH: {} },
  flags: {
    json: { type: "boolean", help: 'from a subscription: print {"event","path"}' },
    ...findingFlags,
  },
  help: [
    "Waits for a message and writes it to standard output, exactly. From a subscription it prints the " +
    "path of the next server that joined or left, on a line.",
    "A message counts as received when all of it has been written; otherwise it goes back to the " +
    "front of the channel, or its sender is told. The exit status is 1 if the channel is closed and " +
    "empty, or is scrubbed.",
  ].join("\n\n"),
  example: "circuit recv /X88550014d4c82e4d/this/is/charlie",
  async run(invocation) {
    const { args, flags, signal, stdout } = invocation;
    await withClient(invocation, async (client) => {
      const kinds = flags.json ? SUBSCRIPTIONS : ["chan", ...SUBSCRIPTIONS] as const;
      const element = await elementAt(client, args.PATH, kinds, { signal });
      if (element.kind !== "chan") {
        const path = await element.consume({ signal });
        if (path === undefined) throw new CircuitError("CLOSED", `${args.PATH} has been scrubbed`);
        const event = element.kind.slice("@".length);
        return await stdout.line(flags.json ? JSON.stringify({ event, path }) : path);
      }
      for await (const chunk of await element.recv({ signal })) {
        await stdout.write(chunk);
        // The next read may be the one that says that the message was received.
        await stdout.flush();
      }
    });
  },
});

/** Closes a channel. */
export const closeCommand: Command = command({
  name: "close",
  group: "Channels",
  summary: "close a channel: what is in it can still be received",
  args: { PATH: {} },
  flags: findingFlags,
  help: "Closing a channel that is closed already fails.",
  example: "circuit close /X88550014d4c82e4d/this/is/charlie",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const channel = await elementAt(client, args.PATH, ["chan"], { signal });
      await channel.close({ signal });
    });
  },
});
