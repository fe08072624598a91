/**
 * Opens the two sockets of a name server on one port.
 *
 * @module
 */

import { formatHostPort } from "../../overlay/address.ts";
import { CircuitError } from "../../overlay/errors.ts";
import type { Endpoint } from "./description.ts";
import { MAX_PORT_ATTEMPTS } from "./limits.ts";

/** The two sockets. */
export interface Sockets {
  readonly udp: Deno.DatagramConn;
  readonly tcp: Deno.TcpListener;
  /** Where both are, `HOST:PORT`. */
  readonly address: string;
}

/**
 * Listens on UDP and TCP.
 *
 * @throws {CircuitError} `BUSY` if either port is taken, `BAD_REQUEST` if the host is no address of
 * this machine, `DENIED` if the port is for the privileged only. No socket is left open then.
 */
export function listen({ host, port }: Endpoint): Sockets {
  const where = formatHostPort(host, port);
  if (typeof Deno.listenDatagram !== "function") {
    throw new CircuitError(
      "UNSUPPORTED",
      `cannot listen on ${where}: Deno has no UDP here; run it with --unstable-net`,
    );
  }
  for (let attempt = 1;; attempt++) {
    try {
      return open(host, port);
    } catch (error) {
      // A port that TCP has picked may be taken for UDP; another one need not be.
      const again = port === 0 && attempt < MAX_PORT_ATTEMPTS &&
        error instanceof Deno.errors.AddrInUse;
      if (!again) throw explained(where, error);
    }
  }
}

function open(host: string, port: number): Sockets {
  const tcp = Deno.listen({ hostname: host, port });
  try {
    // Where TCP is, since a host name may stand for several addresses.
    const { hostname, port } = tcp.addr;
    const udp = Deno.listenDatagram({ transport: "udp", hostname, port });
    return { udp, tcp, address: formatHostPort(hostname, port) };
  } catch (error) {
    tcp.close();
    throw error;
  }
}

function explained(where: string, cause: unknown): CircuitError {
  const action = `cannot listen on ${where}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    return new CircuitError("BUSY", `${action}: the port is taken on UDP or TCP`, { cause });
  }
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    return new CircuitError(
      "DENIED",
      `${action}: this server is not allowed to; ports below 1024 are for root alone on most machines`,
      { cause },
    );
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return new CircuitError("BAD_REQUEST", `${action}: this machine has no such address`, {
      cause,
    });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CircuitError("BAD_REQUEST", `${action}: ${why}`, { cause });
}
