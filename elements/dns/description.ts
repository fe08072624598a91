/**
 * What a name server element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { unary } from "../describe.ts";
import { nothing, optional, string } from "../parse.ts";

/**
 * What `peek` tells of a name server.
 *
 * @example
 * ```ts
 * import { dial, type NameserverStat } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const names = await client.anchor(`/${server.serverId}/dns`).makeNameserver();
 * await names.set("db.example. 60 IN A 10.0.0.7");
 *
 * const stat: NameserverStat = await names.peek();
 * console.assert(stat.address.startsWith("127.0.0.1:"));
 * console.assert(stat.records["db.example."]?.[0] === "db.example.\t60\tIN\tA\t10.0.0.7");
 * ```
 */
export interface NameserverStat {
  /** Where it listens on UDP and TCP, `HOST:PORT`; an IPv6 address is in brackets. */
  readonly address: string;
  /**
   * Records in zone-file form, parted by tabs, by name. Names are in lower case, end in a dot and
   * are sorted; the records of a name are in the order in which they were set.
   */
  readonly records: Readonly<Record<string, readonly string[]>>;
}

/** The name server's methods. */
export const nameserverDescription = {
  name: "dns",
  methods: {
    set: unary<string, void>(string),
    unset: unary<string, void>(string),
    peek: unary<void, NameserverStat>(nothing),
  },
} as const;

/** Where to listen. */
export interface Endpoint {
  /** Host name or IP address, without brackets. */
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

/** Where a name server listens that was not told where: seen from its own host and nowhere else. */
export const DEFAULT_HOST = "127.0.0.1";

const MAX_PORT = 65_535;
const FORM = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/]*))(?::(\d{1,5}))?$/;

/**
 * What makes a name server: `HOST:PORT`, `HOST`, `:PORT` or nothing, also as an empty text.
 *
 * - Without a port it gets one that is free, as it does with port 0.
 * - Without a host and with a port it listens on all IPv4 interfaces.
 * - With neither it listens on {@linkcode DEFAULT_HOST}.
 *
 * @throws {CircuitError} `BAD_REQUEST` for anything else.
 */
export function parseEndpoint(value: unknown): Endpoint {
  const text = optional(string)(value) ?? "";
  if (text === "") return { host: DEFAULT_HOST, port: 0 };
  const [, v6, name, digits] = FORM.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits ?? 0);
  const bareNumber = name !== undefined && digits === undefined && /^\d+$/.test(name);
  if (host === undefined || port > MAX_PORT || bareNumber) {
    throw new CircuitError(
      "BAD_REQUEST",
      `bad address ${JSON.stringify(text)} for a name server: want HOST:PORT, HOST or :PORT, ` +
        `an IPv6 address in brackets`,
    );
  }
  return { host: host === "" ? "0.0.0.0" : host, port };
}
