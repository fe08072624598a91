/**
 * What the tests of the name server share.
 *
 * @module
 */

import { assertThrows } from "@std/assert";
import packet from "npm:dns-packet@5.6.1";
import { Budget } from "../../overlay/budget.ts";
import { CircuitError, type ErrorCode } from "../../overlay/errors.ts";
import { invoke } from "../_testing/call_pair.ts";
import type { ElementContext } from "../context.ts";
import { Launcher } from "../launch/launcher.ts";
import { Buffer } from "./codec.ts";
import type { NameserverStat } from "./description.ts";
import { makeNameserver, type Nameserver } from "./nameserver.ts";
import { parseRecord } from "./record.ts";
import { Records } from "./records.ts";
import { respond, type Transport } from "./respond.ts";
import type { TcpOptions } from "./tcp.ts";

/** A record as `dns-packet` decodes it. */
export interface Answer {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: unknown;
  readonly udpPayloadSize?: number;
  readonly extendedRcode?: number;
  readonly flag_do?: boolean;
}

/** A message as `dns-packet` decodes it. */
export interface Message {
  readonly id: number;
  readonly type: string;
  readonly opcode: string;
  readonly rcode: string;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
  readonly flag_rd: boolean;
  readonly flag_ra: boolean;
  readonly questions: readonly { name: string; type: string; class: string }[];
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** What to ask beside name and type. */
export interface QueryOptions {
  readonly id?: number;
  readonly class?: string;
  /** Bits of the header. */
  readonly flags?: number;
  /** What the client says that it takes over UDP; absent: no EDNS. */
  readonly udpSize?: number;
  readonly ednsVersion?: number;
  readonly ednsFlags?: number;
}

/** Asks for recursion, as nearly every client does. */
export const RD = 0x100;

/** The bytes of a query. */
export function query(name: string, type: string, options: QueryOptions = {}): Buffer {
  const { id = 7, flags = RD, udpSize, ednsVersion = 0, ednsFlags = 0 } = options;
  return packet.encode({
    type: "query",
    id,
    flags,
    questions: [{ name, type, class: options.class ?? "IN" }],
    additionals: udpSize === undefined ? [] : [{
      name: ".",
      type: "OPT",
      udpPayloadSize: udpSize,
      ednsVersion,
      flags: ednsFlags,
      options: [],
    }],
  });
}

/** Reads a message; all of the bytes must be one. */
export function decode(bytes: Uint8Array | undefined): Message {
  if (!bytes) throw new Error("there is no answer");
  const message: Message = packet.decode(Buffer.from(bytes));
  if (packet.decode.bytes !== bytes.length) throw new Error("bytes follow the message");
  return message;
}

/** Records from lines of a zone file. */
export function recordsOf(...lines: readonly string[]): Records {
  const records = new Records();
  for (const line of lines) records.add(parseRecord(line));
  return records;
}

/** Asks, and reads the answer. */
export function ask(
  records: Records,
  name: string,
  type: string,
  options: QueryOptions & { readonly transport?: Transport } = {},
): Message {
  return decode(respond(records, query(name, type, options), options.transport ?? "udp"));
}

/** An answer in short: the code, and each record as `NAME TYPE DATA`. */
export function short(message: Message): string[] {
  const line = ({ name, type, data }: Answer) =>
    `${name} ${type} ${typeof data === "string" ? data : JSON.stringify(data)}`;
  return [message.rcode, ...message.answers.map(line)];
}

/** A `CircuitError` of this code is thrown; returns its message. */
export function refused(code: ErrorCode, run: () => unknown): string {
  const error = assertThrows(run, CircuitError);
  if (error.code !== code) throw new Error(`want ${code}, not ${error.code}: ${error.message}`);
  return error.message;
}

/** A context that keeps what is logged. */
export function contextOf(log: string[] = []): ElementContext {
  return {
    path: "/X0123456789abcdef/ns",
    tied: false,
    budget: new Budget(),
    signal: new AbortController().signal,
    docker: false,
    launcher: new Launcher(),
    remove() {},
    log: (level, message) => void log.push(`${level} ${message}`),
  };
}

/** A name server on loopback, that is disposed of with its sockets. */
export class Running implements AsyncDisposable {
  readonly element: Nameserver;
  readonly log: string[] = [];
  readonly host: string;
  readonly port: number;

  constructor(host = "127.0.0.1", options: TcpOptions = {}) {
    this.element = makeNameserver({ host, port: 0 }, contextOf(this.log), options);
    this.host = host;
    this.port = Number(/:(\d+)$/.exec(this.log[0] ?? "")?.[1]);
  }

  /** What `peek` tells. */
  async peek(): Promise<NameserverStat> {
    return await invoke(this.element, "peek").reply() as NameserverStat;
  }

  /** Sets records, one after the other. */
  async set(...lines: readonly string[]): Promise<void> {
    for (const line of lines) await invoke(this.element, "set", line).reply();
  }

  /** Removes the records of a name. */
  async unset(name: string): Promise<void> {
    await invoke(this.element, "unset", name).reply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.element.dispose();
  }
}
