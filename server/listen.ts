/**
 * Where a server listens and under which address the others know it.
 *
 * @module
 */

import { CircuitError } from "../overlay/errors.ts";

/** What a server is told about its address. */
export interface ListenOptions {
  /** `HOST:PORT`, `HOST`, `:PORT`, `[IPV6]:PORT`; a port that is absent or 0 is picked. */
  readonly addr?: string;
  /** The interface whose address to use, with a port that is picked. */
  readonly interface?: string;
}

/** Where to listen. */
export interface Listening {
  /** Address to bind. */
  readonly host: string;
  /** Port to bind; 0 picks one. */
  readonly port: number;
  /** Address to tell others. */
  readonly advertise: string;
}

const ALL_INTERFACES = ["0.0.0.0", "::"];

/**
 * Works out where to listen. Without either option: on all interfaces, advertising the first address
 * that is not loopback.
 *
 * @param interfaces What `Deno.networkInterfaces()` returns.
 * @throws {CircuitError} `BAD_REQUEST` for both options, an address that cannot be read, or an
 * interface that is not there.
 */
export function chooseListen(
  options: ListenOptions,
  interfaces: readonly Deno.NetworkInterfaceInfo[],
): Listening {
  if (options.interface !== undefined) {
    if (options.addr !== undefined) {
      throw new CircuitError("BAD_REQUEST", "-a and -if exclude each other: give one of them");
    }
    const host = interfaceAddress(options.interface, interfaces);
    return { host, port: 0, advertise: host };
  }
  const { host, port } = parseListen(options.addr ?? "0.0.0.0:0");
  return {
    host,
    port,
    advertise: ALL_INTERFACES.includes(host) ? outwardAddress(host, interfaces) : host,
  };
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:\s/[\]]*))(?::(\d{1,5}))?$/.exec(text) ??
    (/^[0-9a-fA-F:.]*::?[0-9a-fA-F:.]*$/.test(text) && text.split(":").length > 2
      ? [text, text]
      : null);
  const port = Number(match?.[3] ?? 0);
  if (!match || text === "" || port > 65_535) {
    throw new CircuitError(
      "BAD_REQUEST",
      `bad listening address ${JSON.stringify(text)}: want HOST:PORT, HOST or :PORT`,
    );
  }
  return { host: match[1] || match[2] || "0.0.0.0", port };
}

function interfaceAddress(
  name: string,
  interfaces: readonly Deno.NetworkInterfaceInfo[],
): string {
  const own = interfaces.filter((each) => each.name === name);
  const best = own.find((each) => each.family === "IPv4") ?? own.find((each) => !isLinkLocal(each));
  if (best) return best.address;
  const names = [...new Set(interfaces.map((each) => each.name))].join(", ");
  throw new CircuitError(
    "BAD_REQUEST",
    own.length > 0
      ? `interface ${name} has no address to listen on`
      : `there is no interface ${name} with an address: this machine has ${names}`,
  );
}

function outwardAddress(host: string, interfaces: readonly Deno.NetworkInterfaceInfo[]): string {
  const outward = interfaces.filter(isOutward);
  const v4 = outward.find((each) => each.family === "IPv4");
  // A socket bound to 0.0.0.0 does not answer on IPv6.
  if (host === "::") return (v4 ?? outward[0])?.address ?? "::1";
  return v4?.address ?? "127.0.0.1";
}

/**
 * What whoever starts a server that listens on all interfaces has to know: it has one address, by
 * which not everybody may reach it.
 *
 * @param interfaces As in {@linkcode chooseListen}.
 * @returns a line for the log, undefined where there is nothing to say.
 */
export function remarkOn(
  { host, advertise }: Listening,
  interfaces: readonly Deno.NetworkInterfaceInfo[],
): { level: "info" | "warn"; text: string } | undefined {
  if (!ALL_INTERFACES.includes(host)) return undefined;
  if (isLoopback(advertise)) {
    const text = "this machine has no address but that of loopback, so nobody else can reach the " +
      "server; start it again when there is a network";
    return { level: "warn", text };
  }
  const own = interfaces.find(({ address }) => address === advertise);
  const others = interfaces.filter((each) =>
    each.family === own?.family && each.name !== own.name && isOutward(each)
  );
  if (!own || others.length === 0) return undefined;
  const list = others.map(({ name, address }) => `${address} (${name})`).join(", ");
  const text = `others are told ${advertise} (${own.name}) alone; -a or -if chooses another ` +
    `address for those who reach this machine only at ${list}`;
  return { level: "info", text };
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){1,3}$/.test(host);
}

/** True for an address by which other machines can reach this one. */
function isOutward(each: Deno.NetworkInterfaceInfo): boolean {
  return !isLoopback(each.address) && !isLinkLocal(each);
}

function isLinkLocal({ address, family }: Deno.NetworkInterfaceInfo): boolean {
  return family === "IPv6" ? /^fe[89ab]/i.test(address) : address.startsWith("169.254.");
}
