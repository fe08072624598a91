/**
 * The circuit's client library: start and watch processes, pass messages through channels and learn
 * of servers that come and go, on all machines of a circuit, through a connection to any of them.
 *
 * Streams are Web Streams and hold their sender back. Every call takes an `AbortSignal` and, cancelled,
 * leaves nothing behind; what holds a connection is disposed of by `await using`. Every error is a
 * {@linkcode CircuitError} with a `code` to switch on.
 *
 * @example Run a program and print what it prints
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * // Or the address that `circuit start` has printed.
 * await using own = await startServer({ addr: "127.0.0.1:0" });
 *
 * await using client = await dial(own.address);
 * const proc = await client.anchor(`/${client.serverId}/hello`)
 *   .makeProc({ path: "echo", args: ["hello"] });
 * for await (const chunk of proc.stdout()) await Deno.stdout.write(chunk);
 * await proc.scrub();
 * ```
 *
 * @module
 */

export { connect, dial, discover } from "./client/mod.ts";
export { CircuitError, type ErrorCode } from "./overlay/errors.ts";
export type {
  Anchor,
  CallOptions,
  Chan,
  ChanStat,
  Client,
  Cmd,
  Container,
  ContainerRun,
  DialOptions,
  Element,
  Kind,
  ListOptions,
  MakeOptions,
  Nameserver,
  NameserverStat,
  Proc,
  ProcStat,
  Server,
  ServerStat,
  Subscription,
  SubscriptionStat,
} from "./client/types.ts";
