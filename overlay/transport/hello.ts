/**
 * The first thing that peers say to each other, and the only thing that is never encrypted.
 *
 * @module
 */

import { SERVER_ID_BYTES, serverIdFromBytes, serverIdToBytes } from "../address.ts";
import { CircuitError, ERROR_CODES } from "../errors.ts";
import { MAX_HELLO_TEXT_BYTES } from "./limits.ts";
import type { Conn } from "./network.ts";

/** The version of the protocol that this code speaks. */
export const PROTOCOL_VERSION = 1;

/** What every hello begins with: `circuit` and a line feed. */
export const MAGIC: Uint8Array<ArrayBuffer> = new TextEncoder().encode("circuit\n");

/** Bytes of a hello before its text. */
export const HELLO_BYTES = 30;

/** Bits of a hello's flags. A peer turns away a hello with bits that it does not know. */
export const HelloFlag = {
  /** The sender has a key, and talks only to a peer that has it: a Noise handshake follows. */
  KEYED: 1,
} as const;

const ROLES = ["client", "server"] as const;
const NO_ID = "X0000000000000000";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A hello, read. */
export interface Hello {
  readonly role: "client" | "server";
  /** Bits of {@linkcode HelloFlag}. */
  readonly flags: number;
  /** The sender's server ID; undefined for a client. */
  readonly id: string | undefined;
  /** The server that a dialler expects to reach; undefined where any will do, and in answers. */
  readonly expected: string | undefined;
  /** In an answer: why the connection is refused. */
  readonly refusal: CircuitError | undefined;
  /** A server's own address; empty for a client. */
  readonly address: string;
}

/** What a hello is read from. */
export type HelloSource = Pick<Conn, "read" | "remote">;

/** A hello in bytes. Text that is too long is cut. */
export function encodeHello(hello: Hello): Uint8Array<ArrayBuffer> {
  const text = new Uint8Array(MAX_HELLO_TEXT_BYTES);
  const words = hello.refusal?.message ?? hello.address;
  // Cuts between characters, never inside one.
  const length = encoder.encodeInto(words, text).written;
  const bytes = new Uint8Array(HELLO_BYTES + length);
  bytes.set(MAGIC);
  bytes[8] = PROTOCOL_VERSION;
  bytes[9] = ROLES.indexOf(hello.role);
  bytes[10] = hello.flags;
  bytes[11] = hello.refusal ? 1 + ERROR_CODES.indexOf(hello.refusal.code) : 0;
  bytes.set(serverIdToBytes(hello.id ?? NO_ID), 12);
  bytes.set(serverIdToBytes(hello.expected ?? NO_ID), 20);
  bytes[28] = length >>> 8;
  bytes[29] = length;
  bytes.set(text.subarray(0, length), HELLO_BYTES);
  return bytes;
}

/**
 * Reads a hello, and not a byte more.
 *
 * @throws {CircuitError} `PROTOCOL` if the peer says anything else, as soon as that is clear;
 * `UNSUPPORTED` if it speaks another version; `UNREACHABLE` if it closes the connection first.
 */
export async function readHello(conn: HelloSource): Promise<Hello> {
  const head = new Uint8Array(HELLO_BYTES);
  let have = 0;
  while (have < HELLO_BYTES) {
    have += await readSome(conn, head.subarray(have));
    for (let i = 0; i < Math.min(have, MAGIC.length); i++) {
      if (head[i] !== MAGIC[i]) throw notCircuit(conn, head.subarray(0, have));
    }
  }
  // The first ten bytes mean the same in every version; the rest need not.
  checkVersion(head[8]!, conn);
  const role = ROLES[head[9]!];
  const length = head[28]! << 8 | head[29]!;
  if (!role || length > MAX_HELLO_TEXT_BYTES || head[11]! > ERROR_CODES.length) {
    throw new CircuitError("PROTOCOL", `${conn.remote} sent a circuit hello that is malformed`);
  }
  const text = new Uint8Array(length);
  for (let at = 0; at < length;) at += await readSome(conn, text.subarray(at));
  const words = decoder.decode(text);
  const code = ERROR_CODES[head[11]! - 1];
  return {
    role,
    flags: head[10]!,
    id: idAt(head, 12),
    expected: idAt(head, 20),
    refusal: code && new CircuitError(code, words || "no reason given"),
    address: code ? "" : words,
  };
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Conn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readSome(conn: HelloSource, into: Uint8Array<ArrayBuffer>): Promise<number> {
  const count = await conn.read(into);
  if (count === null) {
    throw new CircuitError("UNREACHABLE", `${conn.remote} closed the connection before its hello`);
  }
  return count;
}

function checkVersion(version: number, conn: HelloSource): void {
  if (version === PROTOCOL_VERSION) return;
  throw new CircuitError(
    "UNSUPPORTED",
    `${conn.remote} speaks version ${version} of the circuit protocol, this is version ` +
      `${PROTOCOL_VERSION}`,
  );
}

function idAt(bytes: Uint8Array, at: number): string | undefined {
  const id = serverIdFromBytes(bytes.subarray(at, at + SERVER_ID_BYTES));
  return id === NO_ID ? undefined : id;
}

function notCircuit(conn: HelloSource, bytes: Uint8Array): CircuitError {
  const shown = JSON.stringify(decoder.decode(bytes));
  return new CircuitError(
    "PROTOCOL",
    `${conn.remote} does not speak the circuit protocol: it began with ${shown}`,
  );
}
