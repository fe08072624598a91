/**
 * From a connection to a session: dialling, answering, and the exchange of hellos.
 *
 * @module
 */

import { type Address, formatAddress, formatHostPort } from "../address.ts";
import { CircuitError, toCircuitError } from "../errors.ts";
import { type Codec, messagePack } from "./codec.ts";
import { encodeHello, type Hello, PROTOCOL_VERSION, readHello, writeAll } from "./hello.ts";
import { HELLO_TIMEOUT_MS } from "./limits.ts";
import type { Conn, Network } from "./network.ts";
import { type Peer, Session, type SessionOptions } from "./session.ts";

/** What a peer says of itself, and how it handles sessions. */
export interface Endpoint extends Pick<SessionOptions, "onRequest"> {
  readonly network: Network;
  /** A server's ID and address; undefined for a client. */
  readonly self?: { readonly id: string; readonly address: string };
  /** Default: MessagePack. */
  readonly codec?: Codec;
  /** Takes messages of the membership protocol on a session. */
  readonly onMember?: (session: Session, payload: Uint8Array) => void;
}

/**
 * Dials a server and says hello.
 *
 * @param signal Gives up when aborted; in any case after {@linkcode HELLO_TIMEOUT_MS}.
 * @throws {CircuitError} `UNREACHABLE` if there is no connection or another server answers than the
 * address names; `TIMEOUT`, `PROTOCOL`, or what the server refuses with.
 */
export async function dialSession(
  endpoint: Endpoint,
  address: Address,
  signal?: AbortSignal,
): Promise<Session> {
  const limit = AbortSignal.timeout(HELLO_TIMEOUT_MS);
  const both = signal ? AbortSignal.any([signal, limit]) : limit;
  const conn = await endpoint.network.dial(address.host, address.port, both);
  try {
    const hello = await interruptible(conn, both, async () => {
      await writeAll(conn, encodeHello(ownHello(endpoint, address.id)));
      return await readHello(conn);
    });
    return startSession(endpoint, conn, true, checkAnswer(hello, address));
  } catch (error) {
    conn.close();
    throw both.aborted && !(error instanceof CircuitError && error.code === "PROTOCOL")
      ? new CircuitError(
        signal?.aborted ? "ABORTED" : "TIMEOUT",
        `cannot dial ${formatAddress(address)}: ` +
          (signal?.aborted ? "cancelled" : `no hello within ${HELLO_TIMEOUT_MS / 1000} s`),
        { cause: error },
      )
      : error;
  }
}

/**
 * Answers a connection that was accepted. A peer that speaks something else, expects another server
 * or says nothing is told why and turned away.
 *
 * @throws {CircuitError} why the peer was turned away.
 */
export async function answerSession(
  endpoint: Endpoint & { readonly self: { readonly id: string; readonly address: string } },
  conn: Conn,
): Promise<Session> {
  const limit = AbortSignal.timeout(HELLO_TIMEOUT_MS);
  try {
    const hello = await interruptible(conn, limit, () => readHello(conn));
    checkHello(hello, endpoint.self, conn);
    await writeAll(conn, encodeHello(ownHello(endpoint, undefined)));
    return startSession(endpoint, conn, false, hello);
  } catch (cause) {
    const error = limit.aborted
      ? new CircuitError(
        "TIMEOUT",
        `${conn.remote} sent no circuit hello within ${HELLO_TIMEOUT_MS / 1000} s`,
        { cause },
      )
      : toCircuitError(cause, "UNREACHABLE");
    await turnAway(endpoint, conn, error);
    throw error;
  }
}

/** Runs `work`, which reads and writes `conn`; the connection is closed when `signal` aborts. */
async function interruptible<T>(
  conn: Conn,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const working = work();
  working.catch(() => {});
  try {
    return await Promise.race([working, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function startSession(endpoint: Endpoint, conn: Conn, dialled: boolean, hello: Hello): Session {
  const peer: Peer = { role: hello.role, id: hello.id, address: hello.address || conn.remote };
  const { onRequest, onMember } = endpoint;
  const session: Session = new Session({
    conn,
    dialled,
    peer,
    codec: endpoint.codec ?? messagePack,
    ...(onRequest ? { onRequest } : {}),
    ...(onMember ? { onMember: (payload: Uint8Array) => onMember(session, payload) } : {}),
  });
  return session;
}

function ownHello(
  endpoint: Endpoint,
  expected: string | undefined,
  refusal?: CircuitError,
): Omit<Hello, "version"> {
  const { self } = endpoint;
  return {
    role: self ? "server" : "client",
    flags: 0,
    id: self?.id,
    expected,
    refusal,
    address: self?.address ?? "",
  };
}

function checkAnswer(hello: Hello, address: Address): Hello {
  const where = formatHostPort(address.host, address.port);
  if (hello.refusal) {
    throw new CircuitError(
      hello.refusal.code,
      `${where} refused the connection: ${hello.refusal.message}`,
    );
  }
  checkVersion(hello, where);
  if (hello.role !== "server" || hello.id === undefined) {
    throw new CircuitError("PROTOCOL", `${where} answered as a client, a server was wanted`);
  }
  if (address.id !== undefined && hello.id !== address.id) {
    throw wrongServer(address.id, hello.id, where);
  }
  return hello;
}

function checkHello(hello: Hello, self: { id: string; address: string }, conn: Conn): void {
  checkVersion(hello, conn.remote);
  if (hello.role === "server" && (hello.id === undefined || hello.address === "")) {
    throw new CircuitError("PROTOCOL", `${conn.remote} came as a server without ID or address`);
  }
  if (hello.expected !== undefined && hello.expected !== self.id) {
    throw wrongServer(hello.expected, self.id, self.address);
  }
}

function checkVersion(hello: Hello, where: string): void {
  if (hello.version === PROTOCOL_VERSION) return;
  throw new CircuitError(
    "UNSUPPORTED",
    `${where} speaks version ${hello.version} of the circuit protocol, this is version ` +
      `${PROTOCOL_VERSION}`,
  );
}

/** The name of the cause of the error that a dial fails with when another server answers. */
export const WRONG_SERVER = "WrongServer";

function wrongServer(wanted: string, found: string, where: string): CircuitError {
  const cause = new Error(found);
  cause.name = WRONG_SERVER;
  return new CircuitError(
    "UNREACHABLE",
    `the server at ${where} is ${found}, not ${wanted}, which was wanted: that one is gone or ` +
      `the address is wrong`,
    { cause },
  );
}

/** Tells a peer why it is turned away; one that speaks something else gets to read the words too. */
async function turnAway(endpoint: Endpoint, conn: Conn, error: CircuitError): Promise<void> {
  const timer = setTimeout(() => conn.close(), REFUSAL_TIMEOUT_MS);
  try {
    await writeAll(conn, encodeHello(ownHello(endpoint, undefined, error)));
  } catch {
    // It has gone away already, or does not read: nobody is left to tell.
  } finally {
    clearTimeout(timer);
    conn.close();
  }
}

/** Milliseconds for telling a peer why it is turned away. */
const REFUSAL_TIMEOUT_MS = 500;
