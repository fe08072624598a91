/**
 * The network that machines have: TCP.
 *
 * @module
 */

import { formatHostPort } from "../address.ts";
import { CircuitError } from "../errors.ts";
import type { Conn, Listener, Network } from "./network.ts";

/** TCP, with Nagle's algorithm off: the session gathers writes itself. */
export const tcp: Network = { dial, listen };

function wrap(conn: Deno.TcpConn): Conn {
  conn.setNoDelay(true);
  const { hostname, port } = conn.remoteAddr;
  let open = true;
  return {
    remote: formatHostPort(hostname, port),
    localHost: conn.localAddr.hostname,
    read: (buffer) => conn.read(buffer),
    write: (bytes) => conn.write(bytes),
    close() {
      if (!open) return;
      open = false;
      try {
        conn.close();
      } catch {
        // The runtime has closed it already, after an error on it.
      }
    },
  };
}

async function dial(host: string, port: number, signal: AbortSignal): Promise<Conn> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const connecting = Deno.connect({ hostname: host, port });
  try {
    signal.throwIfAborted();
    return wrap(await Promise.race([connecting, aborted.promise]));
  } catch (cause) {
    // A connection that comes after all has no use.
    connecting.then((conn) => conn.close(), () => {});
    throw new CircuitError(
      "UNREACHABLE",
      `cannot connect to ${formatHostPort(host, port)}: ${reason(cause)}`,
      { cause },
    );
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function listen(host: string, port: number): Listener {
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname: host, port });
  } catch (cause) {
    throw listenError(formatHostPort(host, port), cause);
  }
  let open = true;
  return {
    port: listener.addr.port,
    async accept() {
      while (open) {
        try {
          return wrap(await listener.accept());
        } catch (error) {
          if (!open || error instanceof Deno.errors.BadResource) return undefined;
          if (isExhausted(error)) {
            throw new CircuitError("BUSY", "too many open files", { cause: error });
          }
          // The peer was gone before it was accepted: the listener itself is well, and trying again
          // at once would spin.
          await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
        }
      }
      return undefined;
    },
    close() {
      if (!open) return;
      open = false;
      listener.close();
    },
  };
}

/** Milliseconds before accepting again after an error. */
const ACCEPT_RETRY_MS = 100;

/** True where this process, or the machine, has no file descriptors left. */
function isExhausted(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    (error.code === "EMFILE" || error.code === "ENFILE");
}

function listenError(where: string, cause: unknown): CircuitError {
  const say = (code: "BUSY" | "DENIED" | "BAD_REQUEST", why: string) =>
    new CircuitError(code, `cannot listen on ${where}: ${why}`, { cause });
  if (cause instanceof Deno.errors.AddrInUse) return say("BUSY", "the port is in use");
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return say("BAD_REQUEST", "that is not an address of this machine");
  }
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    return say("DENIED", "permission denied");
  }
  return say("BAD_REQUEST", reason(cause));
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.ConnectionRefused) return "connection refused";
  if (cause instanceof DOMException && cause.name === "TimeoutError") return "no answer in time";
  if (cause instanceof DOMException && cause.name === "AbortError") return "cancelled";
  return cause instanceof Error ? cause.message : String(cause);
}
