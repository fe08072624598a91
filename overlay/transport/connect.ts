/**
 * From a connection to a session: dialling, answering, the exchange of hellos, and that of keys where
 * there is one.
 *
 * @module
 */

import { type Address, formatAddress, formatHostPort, parseAddress } from "../address.ts";
import { cancelled, CircuitError, toCircuitError } from "../errors.ts";
import { systemClock } from "./clock.ts";
import { type Codec, messagePack } from "./codec.ts";
import { Deadline } from "./deadline.ts";
import { encodeHello, type Hello, HelloFlag, readHello, writeAll } from "./hello.ts";
import { HelloTape } from "./hello_tape.ts";
import { sayLast } from "./last_words.ts";
import { HELLO_TIMEOUT_MS } from "./limits.ts";
import type { Conn, Network } from "./network.ts";
import { Session } from "./session.ts";
import type { Peer, SessionOptions } from "./session_types.ts";

/** What a peer says of itself, and how it handles sessions. */
export interface Endpoint extends
  Pick<
    SessionOptions,
    "onRequest" | "clock" | "budget" | "maxStreams" | "maxHeldBytes" | "maxUnsentBytes"
  > {
  readonly network: Network;
  /** A server's ID and address; undefined for a client. */
  readonly self?: { readonly id: string; readonly address: string };
  /**
   * The circuit's keys, 64 bytes each: the first is used to dial, all are accepted. None is the default:
   * then nothing is encrypted, and peers that have a key are refused.
   */
  readonly keys?: readonly Uint8Array[];
  /** Default: MessagePack. */
  readonly codec?: Codec;
  /** Throws where there is no room for one more peer in this role; the peer is told. Default: there is. */
  readonly admit?: (role: Peer["role"]) => void;
  /** Takes messages of the membership protocol on a session. */
  readonly onMember?: (session: Session, payload: Uint8Array) => void;
}

/**
 * Dials a server, says hello and proves that it has the key.
 *
 * @param signal Gives up when aborted; in any case after {@linkcode HELLO_TIMEOUT_MS}.
 * @throws {CircuitError} `UNREACHABLE` if there is no connection or another server answers than the
 * address names; `ABORTED` if `signal` was; `DENIED` if only one side has a key or the keys are
 * different; `TIMEOUT`, `PROTOCOL`, `UNSUPPORTED`, or what the server refuses with.
 */
export async function dialSession(
  endpoint: Endpoint,
  address: Address,
  signal?: AbortSignal,
): Promise<Session> {
  using deadline = new Deadline(endpoint.clock ?? systemClock, HELLO_TIMEOUT_MS, signal);
  let conn: Conn | undefined;
  try {
    const [hello, secured] = await deadline.race(async () => {
      conn = await endpoint.network.dial(address.host, address.port, deadline.signal);
      const own = encodeHello(ownHello(endpoint, address.id));
      await writeAll(conn, own);
      const tape = new HelloTape(conn);
      const hello = await readHello(tape);
      checkAnswer(hello, address, isKeyed(endpoint));
      return [hello, await secure(endpoint, conn, true, [...own, ...tape.bytes])];
    });
    return startSession(endpoint, secured, true, hello);
  } catch (error) {
    conn?.close();
    const missing = conn && (isKeyed(endpoint) ? "hello and proof of its key" : "hello");
    throw dialError(error, address, missing, deadline, signal);
  }
}

/**
 * Answers a connection that was accepted. A peer that speaks something else, expects another server,
 * has not the key or says nothing is told why and turned away.
 *
 * @param signal Closes the connection when aborted before it is a session. The peer is told the
 * reason if that is a `CircuitError`.
 * @throws {CircuitError} why the peer was turned away.
 */
export async function answerSession(
  endpoint: Endpoint & { readonly self: { readonly id: string; readonly address: string } },
  conn: Conn,
  signal?: AbortSignal,
): Promise<Session> {
  const clock = endpoint.clock ?? systemClock;
  using deadline = new Deadline(clock, HELLO_TIMEOUT_MS, signal);
  try {
    const [hello, secured] = await deadline.race(async () => {
      const tape = new HelloTape(conn);
      const hello = await readHello(tape);
      checkHello(hello, endpoint.self, conn, isKeyed(endpoint));
      endpoint.admit?.(hello.role);
      const own = encodeHello(ownHello(endpoint, undefined));
      await writeAll(conn, own);
      return [hello, await secure(endpoint, conn, false, [...tape.bytes, ...own])];
    });
    return startSession(endpoint, secured, false, hello);
  } catch (cause) {
    if (signal?.aborted) throw dropped(endpoint, conn, signal);
    // Whoever gives up on it now does not wait until the peer has heard why it is refused.
    signal?.addEventListener("abort", () => conn.close(), { once: true });
    const missing = isKeyed(endpoint) ? "circuit hello and proof of its key" : "circuit hello";
    const error = answerError(cause, conn, missing, deadline);
    const words = encodeHello(ownHello(endpoint, undefined, error));
    await sayLast(conn, words, clock, deadline.passed);
    throw error;
  }
}

/** Closes a connection that has been given up; its peer gets to know why if it listens already. */
function dropped(endpoint: Endpoint, conn: Conn, signal: AbortSignal): CircuitError {
  const reason: unknown = signal.reason;
  if (!(reason instanceof CircuitError)) {
    conn.close();
    return cancelled(`answering ${conn.remote}`, signal);
  }
  const words = encodeHello(ownHello(endpoint, undefined, reason));
  conn.write(words).catch(() => {}).finally(() => conn.close());
  return reason;
}

function isKeyed({ keys }: Endpoint): boolean {
  return keys !== undefined && keys.length > 0;
}

/** The connection for the session: with a key one that is encrypted, behind the exchange of keys. */
async function secure(
  endpoint: Endpoint,
  conn: Conn,
  dialled: boolean,
  hellos: readonly number[],
): Promise<Conn> {
  const { keys = [], clock = systemClock } = endpoint;
  const [first] = keys;
  if (!first) return conn;
  // Who has no key starts faster without this.
  const { exchangeAsAcceptor, exchangeAsDialler } = await import("./key_exchange.ts");
  const options = { conn, prologue: new Uint8Array(hellos), now: () => clock.now() };
  return await (dialled ? exchangeAsDialler(first, options) : exchangeAsAcceptor(keys, options));
}

function dialError(
  error: unknown,
  address: Address,
  what: string | undefined,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): CircuitError {
  const action = `cannot dial ${formatAddress(address)}`;
  if (signal?.aborted) return cancelled(action, signal);
  const seconds = HELLO_TIMEOUT_MS / 1000;
  if (deadline.passed) {
    return what !== undefined
      ? new CircuitError("TIMEOUT", `${action}: no ${what} within ${seconds} s`, { cause: error })
      : new CircuitError("UNREACHABLE", `${action}: no answer within ${seconds} s`, {
        cause: error,
      });
  }
  if (error instanceof CircuitError) return error;
  const known = toCircuitError(error, "UNREACHABLE");
  return new CircuitError(known.code, `${action}: ${known.message}`, { cause: error });
}

function answerError(
  cause: unknown,
  conn: Conn,
  what: string,
  deadline: Deadline,
): CircuitError {
  if (deadline.passed) {
    const seconds = HELLO_TIMEOUT_MS / 1000;
    const message = `${conn.remote} sent no ${what} within ${seconds} s`;
    return new CircuitError("TIMEOUT", message, { cause });
  }
  if (cause instanceof CircuitError) return cause;
  const { message } = toCircuitError(cause);
  return new CircuitError("UNREACHABLE", `lost ${conn.remote}: ${message}`, { cause });
}

function startSession(endpoint: Endpoint, conn: Conn, dialled: boolean, hello: Hello): Session {
  // What a client calls itself is nobody's business: it would go into logs as it is.
  const address = hello.role === "server" ? hello.address : conn.remote;
  const peer: Peer = { role: hello.role, id: hello.id, address };
  const { onRequest, onMember, clock, budget, maxStreams, maxHeldBytes, maxUnsentBytes } = endpoint;
  const session: Session = new Session({
    conn,
    dialled,
    peer,
    codec: endpoint.codec ?? messagePack,
    ...(onRequest && { onRequest }),
    ...(onMember && { onMember: (payload: Uint8Array) => onMember(session, payload) }),
    ...(clock && { clock }),
    ...(budget && { budget }),
    ...(maxStreams !== undefined && { maxStreams }),
    ...(maxHeldBytes !== undefined && { maxHeldBytes }),
    ...(maxUnsentBytes !== undefined && { maxUnsentBytes }),
  });
  return session;
}

function ownHello(
  endpoint: Endpoint,
  expected: string | undefined,
  refusal?: CircuitError,
): Hello {
  const { self } = endpoint;
  return {
    role: self ? "server" : "client",
    flags: isKeyed(endpoint) ? HelloFlag.KEYED : 0,
    id: self?.id,
    expected,
    refusal,
    address: self?.address ?? "",
  };
}

function checkAnswer(hello: Hello, address: Address, keyed: boolean): void {
  const where = formatHostPort(address.host, address.port);
  // A server that is not the one that was wanted refuses for that reason; its ID says so better.
  const other = hello.id !== undefined && address.id !== undefined && hello.id !== address.id;
  if (other) throw wrongServer(address.id, hello.id, where);
  if (hello.refusal) {
    throw new CircuitError(
      hello.refusal.code,
      `${where} refused the connection: ${hello.refusal.message}`,
    );
  }
  checkFlags(hello, where);
  if (hello.role !== "server") {
    throw new CircuitError("PROTOCOL", `${where} answered as a client, a server was wanted`);
  }
  checkKeyed(hello, keyed, "the dialler", `the server at ${where}`);
  checkServer(hello, where);
}

function checkHello(
  hello: Hello,
  self: { id: string; address: string },
  conn: Conn,
  keyed: boolean,
): void {
  if (hello.refusal) {
    throw new CircuitError(
      "PROTOCOL",
      `${conn.remote} dialled and refused: ${hello.refusal.message}`,
    );
  }
  checkFlags(hello, conn.remote);
  checkKeyed(hello, keyed, "the server", `the dialler, ${conn.remote},`);
  if (hello.role === "server") checkServer(hello, conn.remote);
  if (hello.expected !== undefined && hello.expected !== self.id) {
    throw wrongServer(hello.expected, self.id, self.address);
  }
}

function checkFlags(hello: Hello, where: string): void {
  if ((hello.flags & ~HelloFlag.KEYED) === 0) return;
  throw new CircuitError(
    "UNSUPPORTED",
    `${where} wants a connection with flags ${hello.flags}, which this side does not know`,
  );
}

/** Nobody who has a key goes on without it. The words are right on both sides. */
function checkKeyed(hello: Hello, keyed: boolean, self: string, peer: string): void {
  const peerKeyed = (hello.flags & HelloFlag.KEYED) !== 0;
  if (peerKeyed === keyed) return;
  const [one, other] = keyed ? [self, peer] : [peer, self];
  throw new CircuitError(
    "DENIED",
    `${one} has a key and ${other} has none: both need the same (-hmac FILE or CIRCUIT_HMAC)`,
  );
}

/** A server has an ID, and an address that can be dialled and names no other server. */
function checkServer(hello: Hello, where: string): void {
  const { id, address } = hello;
  if (id === undefined) throw new CircuitError("PROTOCOL", `${where} is a server without an ID`);
  let named: string | undefined;
  try {
    named = parseAddress(address).id;
  } catch (cause) {
    const message = `server ${id} at ${where} gave no address that can be dialled: ` +
      toCircuitError(cause).message;
    throw new CircuitError("PROTOCOL", message, { cause });
  }
  if (named === undefined || named === id) return;
  throw new CircuitError("PROTOCOL", `server ${id} at ${where} gave the address of ${named}`);
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
