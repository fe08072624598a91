/**
 * The Noise handshake over a connection, behind the hellos: two messages, and a third with which the
 * dialler proves that it is there now and is no recording.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { MAGIC, readHello, writeAll } from "./hello.ts";
import { fingerprint } from "./key.ts";
import type { Conn } from "./network.ts";
import { Handshake, HANDSHAKE_BYTES } from "./noise.ts";
import { pskOf } from "./psk.ts";
import { SecureConn, type SecureConnOptions } from "./secure_conn.ts";

/** Bytes of the length in front of a handshake message. */
const LENGTH_BYTES = 2;

/** What both sides of an exchange need. */
export interface ExchangeOptions extends Omit<SecureConnOptions, "transport"> {
  /** The dialler's hello and behind it the acceptor's, every byte as it was sent. */
  readonly prologue: Uint8Array;
}

/**
 * The dialler's side.
 *
 * @param key The circuit's key, of which the acceptor has to have the same among its own.
 * @throws {CircuitError} what the acceptor refuses with; `PROTOCOL` if its answer cannot be
 * authenticated; `UNREACHABLE` if the connection ends first.
 */
export async function exchangeAsDialler(
  key: Uint8Array,
  options: ExchangeOptions,
): Promise<SecureConn> {
  const { conn, prologue } = options;
  const handshake = new Handshake({ role: "initiator", prologue, psk: pskOf(key) });
  await writeMessage(conn, await handshake.write());
  const length = await readExactly(conn, LENGTH_BYTES);
  // The length of the answer is fixed, and not what MAGIC begins with.
  if (length[0] === MAGIC[0] && length[1] === MAGIC[1]) throw await refusalOf(conn, key, length);
  await handshake.read(await readMessage(conn, length)).catch((cause) => {
    throw unauthentic(conn, cause);
  });
  const secure = new SecureConn({ ...options, transport: handshake.finish() });
  await secure.rekey();
  return secure;
}

/**
 * The acceptor's side.
 *
 * @param keys All that are accepted, at least one.
 * @throws {CircuitError} `DENIED` if the dialler has none of them; `PROTOCOL` if it says anything
 * else, or what was recorded before; `UNREACHABLE` if the connection ends first.
 */
export async function exchangeAsAcceptor(
  keys: readonly Uint8Array[],
  options: ExchangeOptions,
): Promise<SecureConn> {
  const { conn } = options;
  const message = await readMessage(conn, await readExactly(conn, LENGTH_BYTES));
  const handshake = await firstThatReads(keys, message, options);
  await writeMessage(
    conn,
    await handshake.write().catch((cause) => {
      throw unauthentic(conn, cause);
    }),
  );
  const secure = new SecureConn({ ...options, transport: handshake.finish() });
  // Until here the dialler may be somebody who repeats what a key holder has said before.
  await secure.rekeyed().catch((cause) => {
    throw cause instanceof CircuitError ? unauthentic(conn, cause) : cause;
  });
  return secure;
}

async function firstThatReads(
  keys: readonly Uint8Array[],
  message: Uint8Array,
  { conn, prologue }: ExchangeOptions,
): Promise<Handshake> {
  for (const key of keys) {
    const handshake = new Handshake({ role: "responder", prologue, psk: pskOf(key) });
    try {
      await handshake.read(message);
      return handshake;
    } catch (error) {
      if (!(error instanceof CircuitError)) throw error;
    }
  }
  const whose = keys.length === 1 ? "the server's" : `any of the ${keys.length} of the server`;
  throw new CircuitError(
    "DENIED",
    `the keys are different: that of the dialler, ${conn.remote}, is not ${whose}`,
  );
}

async function refusalOf(conn: Conn, key: Uint8Array, head: Uint8Array): Promise<CircuitError> {
  const { refusal } = await readHello(behind(head, conn));
  if (!refusal) {
    return new CircuitError("PROTOCOL", `${conn.remote} said hello twice`);
  }
  return new CircuitError(
    refusal.code,
    `${conn.remote} refused the key ${await fingerprint(key)}, which is used here: ` +
      refusal.message,
  );
}

/** The connection, with bytes put back that were read already. */
function behind(head: Uint8Array, conn: Conn): Pick<Conn, "read" | "remote"> {
  let rest = head;
  return {
    remote: conn.remote,
    read(buffer) {
      if (rest.length === 0) return conn.read(buffer);
      const count = Math.min(rest.length, buffer.length);
      buffer.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return Promise.resolve(count);
    },
  };
}

async function writeMessage(conn: Conn, message: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(LENGTH_BYTES + message.length);
  bytes[0] = message.length >>> 8;
  bytes[1] = message.length;
  bytes.set(message, LENGTH_BYTES);
  await writeAll(conn, bytes);
}

async function readMessage(conn: Conn, length: Uint8Array): Promise<Uint8Array> {
  const found = length[0]! << 8 | length[1]!; // LENGTH_BYTES of them
  if (found === HANDSHAKE_BYTES) return await readExactly(conn, found);
  throw new CircuitError(
    "PROTOCOL",
    `${conn.remote} sent a handshake message of ${found} bytes: want ${HANDSHAKE_BYTES}`,
  );
}

async function readExactly(conn: Conn, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) {
      throw new CircuitError(
        "UNREACHABLE",
        `${conn.remote} closed the connection during the key exchange`,
      );
    }
    at += count;
  }
  return bytes;
}

function unauthentic(conn: Conn, cause: unknown): unknown {
  if (!(cause instanceof CircuitError)) return cause;
  return new CircuitError(
    cause.code,
    `the key exchange with ${conn.remote} failed: ${cause.message}`,
    { cause },
  );
}
