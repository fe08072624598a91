/**
 * Multicast groups, as users write them.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";

/** A multicast group and the UDP port that is used with it. */
export interface Group {
  /** An IPv4 address from 224.0.0.0 to 239.255.255.255. */
  readonly host: string;
  /** UDP port, 1–65535. */
  readonly port: number;
}

const IPV4_PORT = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}):([1-9]\d{0,4})$/;
const MAX_PORT = 65_535;

/**
 * Reads `GROUP:PORT`, as `228.8.8.8:7711`.
 *
 * @throws {CircuitError} `BAD_REQUEST` for what is not an IPv4 multicast address and a port;
 * `UNSUPPORTED` for an IPv6 group: Deno has no way to say which interface such datagrams leave by.
 */
export function parseGroup(text: string): Group {
  const match = IPV4_PORT.exec(text);
  const octets = match?.slice(1, 5) ?? [];
  const port = Number(match?.[5] ?? 0);
  const first = Number(octets[0]);
  const valid = octets.length === 4 && port <= MAX_PORT && first >= 224 && first <= 239 &&
    octets.every((octet) => Number(octet) <= 255 && String(Number(octet)) === octet);
  if (valid) return { host: octets.join("."), port };
  if (/^\[?ff[0-9a-f]{2}:[0-9a-f:.%\w]*\]?(:\d+)?$/i.test(text)) {
    throw new CircuitError(
      "UNSUPPORTED",
      `cannot use the multicast group ${JSON.stringify(text)}: IPv6 groups are not supported; ` +
        "use an IPv4 group, as 228.8.8.8:7711",
    );
  }
  throw new CircuitError(
    "BAD_REQUEST",
    `bad multicast group ${JSON.stringify(text)}: want GROUP:PORT with a group from 224.0.0.0 ` +
      "to 239.255.255.255, as 228.8.8.8:7711",
  );
}

/** The group as users write it: `GROUP:PORT`. */
export function formatGroup(group: Group): string {
  return `${group.host}:${group.port}`;
}
