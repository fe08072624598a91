/**
 * The name server element: a DNS server on UDP and TCP whose records are set one by one.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { ElementContext } from "../context.ts";
import type { Element, Handlers } from "../describe.ts";
import { type Endpoint, nameserverDescription, type NameserverStat } from "./description.ts";
import { listen, type Sockets } from "./listen.ts";
import { formatName } from "./names.ts";
import { type DnsRecord, parseOwner, parseRecord } from "./record.ts";
import { Records } from "./records.ts";
import { respond } from "./respond.ts";
import { serveTcp, type TcpOptions } from "./tcp.ts";
import { serveUdp } from "./udp.ts";

/** A name server, with its behaviour typed. */
export interface Nameserver extends Element {
  readonly kind: "dns";
  readonly handlers: Handlers<typeof nameserverDescription.methods>;
  /** Stops listening; resolves when all that was under way is over and the port is free. */
  dispose(): Promise<void>;
}

/**
 * Makes a name server, which is listening when this returns.
 *
 * - `set` adds a record; one that is there already gets the new TTL. `BAD_REQUEST` with the reason if
 *   it is no record or can't stand beside the others of its name, `BUSY` if there is no room.
 * - `unset` removes all records of a name, in any letter case; nothing happens if there are none.
 * - What was set or unset holds for every query that comes after the answer to that call.
 *
 * @param endpoint Where.
 * @param context Where the element lives.
 * @throws {CircuitError} `BUSY` if the port is taken, `BAD_REQUEST` if the host is no address of
 * this machine, `DENIED` if the port is for the privileged only. Nothing is left open then.
 */
export function makeNameserver(
  endpoint: Endpoint,
  context: ElementContext,
  options: TcpOptions = {},
): Nameserver {
  const sockets = withReason(`cannot make ${context.path}`, () => listen(endpoint));
  const nameserver = new RunningNameserver(sockets, context, options);
  try {
    context.log("info", `the name server listens on ${sockets.address}`);
    return nameserver;
  } catch (error) {
    nameserver.dispose();
    throw error;
  }
}

class RunningNameserver implements Nameserver {
  readonly kind = "dns";
  readonly description = nameserverDescription;
  readonly handlers: Handlers<typeof nameserverDescription.methods> = {
    set: (record) => this.#set(record),
    unset: (name) => this.#unset(name),
    peek: (): NameserverStat => ({
      address: this.#sockets.address,
      records: this.#records.texts(),
    }),
  };
  readonly #sockets: Sockets;
  readonly #context: ElementContext;
  readonly #records = new Records();
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;

  constructor(sockets: Sockets, context: ElementContext, options: TcpOptions) {
    this.#sockets = sockets;
    this.#context = context;
    const { udp, tcp, address } = sockets;
    const { signal } = this.#stop;
    const failed = (name: string) => (error: unknown) =>
      context.log("error", `${name} of the name server on ${address} fails: ${error}`);
    this.#ended = Promise.all([
      serveUdp(udp, (query) => respond(this.#records, query, "udp"), signal, failed("UDP")),
      serveTcp(
        tcp,
        (query) => respond(this.#records, query, "tcp"),
        signal,
        failed("TCP"),
        options,
      ),
    ]);
  }

  async dispose(): Promise<void> {
    this.#stop.abort();
    this.#sockets.udp.close();
    this.#sockets.tcp.close();
    await this.#ended;
  }

  #set(line: string): void {
    const action = `cannot set a record at ${this.#context.path}`;
    const record: DnsRecord = withReason(action, () => parseRecord(line));
    withReason(action, () => this.#records.add(record));
    this.#context.log("debug", `set ${record.text.replaceAll("\t", " ")}`);
  }

  #unset(text: string): void {
    const name = withReason(`cannot unset a name at ${this.#context.path}`, () => parseOwner(text));
    const count = this.#records.remove(name);
    this.#context.log("debug", `unset ${count} records of ${formatName(name)}`);
  }
}

/** Does it; an error tells what failed, too. */
function withReason<T>(action: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    throw new CircuitError(error.code, `${action}: ${error.message}`, { cause: error });
  }
}
