/**
 * `circuit mkdns`, `set` and `unset`.
 *
 * @module
 */

import { type Command, command } from "./command.ts";
import { findingFlags, withClient } from "./connect.ts";
import { elementAt } from "./element.ts";

/** Starts a DNS server. */
export const mkdnsCommand: Command = command({
  name: "mkdns",
  group: "Servers",
  summary: "start a DNS server, whose records are then set",
  args: { PATH: {}, ADDRESS: { optional: true } },
  flags: findingFlags,
  help: [
    "It runs on the server of PATH and listens on UDP and TCP. ADDRESS is HOST:PORT, or HOST for any " +
    "free port of it, or :PORT for all IPv4 interfaces. Without it the DNS server takes a free port " +
    "of 127.0.0.1, where only programs on that host can ask it; `circuit peek PATH` tells which.",
    "Fails where there is an element already, and if the port is taken.",
  ].join("\n\n"),
  example: "circuit mkdns /X88550014d4c82e4d/mydns 127.0.0.1:7711",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      await client.anchor(args.PATH).makeNameserver(args.ADDRESS, { signal });
    });
  },
});

/** Adds a record. */
export const setCommand: Command = command({
  name: "set",
  group: "Servers",
  summary: "add a record to a DNS server",
  args: { PATH: {}, RECORD: { rest: true } },
  flags: findingFlags,
  help: [
    "RECORD is in zone-file form: a name, the seconds for which it may be kept (3600 if left out), " +
    "IN (may be left out), a type, and the data of that type. Quote it for the shell; several " +
    "arguments are joined with spaces. A name has any number of records. Setting one again changes " +
    "nothing but the seconds.",
    "Data of types that are not known by name are written as TYPE65 \\# 3 000100: the number of the " +
    "type, that of the bytes, and the bytes in hex.",
  ].join("\n\n"),
  example: 'circuit set /X88550014d4c82e4d/mydns "miek.nl. 3600 IN MX 10 mx.miek.nl."',
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const nameserver = await elementAt(client, args.PATH, ["dns"], { signal });
      await nameserver.set(args.RECORD.join(" "), { signal });
    });
  },
});

/** Removes the records of a name. */
export const unsetCommand: Command = command({
  name: "unset",
  group: "Servers",
  summary: "remove all records of a name from a DNS server",
  args: { PATH: {}, NAME: {} },
  flags: findingFlags,
  help: "NAME may be in any letter case. Nothing happens if it has no records.",
  example: "circuit unset /X88550014d4c82e4d/mydns miek.nl.",
  async run(invocation) {
    const { args, signal } = invocation;
    await withClient(invocation, async (client) => {
      const nameserver = await elementAt(client, args.PATH, ["dns"], { signal });
      await nameserver.unset(args.NAME, { signal });
    });
  },
});
