/**
 * The circuit's client library: start and watch processes, pass messages through channels and learn
 * of servers that come and go, on all machines of a circuit, through a connection to any of them.
 *
 * @example Run a program and print what it prints
 * ```ts
 * import { dial } from "./mod.ts";
 *
 * async function uptime(address: string): Promise<void> {
 *   await using client = await dial(address);
 *   const [server] = await client.servers();
 *   const proc = await server?.walk("uptime").makeProc({ path: "uptime", scrub: true });
 *   for await (const chunk of proc?.stdout() ?? []) await Deno.stdout.write(chunk);
 * }
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
  ContainerStat,
  DialOptions,
  Element,
  Entry,
  Kind,
  ListOptions,
  MakeOptions,
  Nameserver,
  NameserverStat,
  Phase,
  Proc,
  ProcStat,
  Runnable,
  Server,
  ServerStat,
  Subscription,
  SubscriptionStat,
} from "./client/types.ts";
