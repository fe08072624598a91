/**
 * The bytes of a discovery datagram. Whose they are is another matter, see `seal.ts`.
 *
 * All numbers are big-endian. A tag follows where a key is used; nothing else may.
 *
 * | offset | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic: `CIRD` |
 * | 4 | 1 | version: 1 |
 * | 5 | 1 | type: 1 announce, 2 query, 3 answer |
 * | 6 | 2 | A, length of the address in bytes; 0 in a query |
 * | 8 | 8 | time of sending, ms since 1970 |
 * | 16 | 8 | nonce: random in a query, that of the query in an answer, 0 in an announcement |
 * | 24 | 8 | ID of the server that sends it; 0 in a client's query |
 * | 32 | A | address of the server that sends it: printable ASCII |
 * | 32 + A | 0 or 32 | tag |
 *
 * @module
 */

import {
  isServerId,
  parseAddress,
  SERVER_ID_BYTES,
  serverIdFromBytes,
  serverIdToBytes,
} from "../address.ts";
import { CircuitError } from "../errors.ts";

/** Most bytes of a datagram, tag included: it fits one packet on every usual network. */
export const MAX_DATAGRAM_BYTES = 1_400;

/** Most bytes of the address in it; a host name has at most 253. */
export const MAX_ADDRESS_BYTES = 512;

/** Bytes in front of the address. */
export const HEADER_BYTES = 32;

/** Bytes of the tag: a whole SHA-256. */
export const TAG_BYTES = 32;

/** Bytes of a nonce. */
export const NONCE_BYTES = 8;

/** The version of the format that this code speaks. */
export const VERSION = 1;

const MAGIC = 0x43_49_52_44;
const TYPE_NUMBERS = { announce: 1, query: 2, answer: 3 } as const;
const PRINTABLE = /^[\x21-\x7e]+$/;
const NO_ID = "X0000000000000000";

/** A server says that it is there. */
export interface Announcement {
  readonly type: "announce";
  /** Time of sending, in whole ms since 1970. */
  readonly sentAt: number;
  /** The sender's server ID. */
  readonly id: string;
  /** The sender's address. */
  readonly address: string;
}

/** Somebody asks which servers there are. */
export interface Query {
  readonly type: "query";
  /** Time of sending, in whole ms since 1970. */
  readonly sentAt: number;
  /** Chosen at random by the sender; not 0. */
  readonly nonce: bigint;
  /** The sender's server ID; undefined in a client's query. */
  readonly id?: string;
}

/** A server answers a query. */
export interface Answer {
  readonly type: "answer";
  /** Time of sending, in whole ms since 1970. */
  readonly sentAt: number;
  /** That of the query. */
  readonly nonce: bigint;
  /** The sender's server ID. */
  readonly id: string;
  /** The sender's address. */
  readonly address: string;
}

/** What a datagram says. */
export type Message = Announcement | Query | Answer;

/** A datagram that is well-formed. */
export interface Decoded {
  readonly message: Message;
  /** What the tag covers: everything in front of it. Aliases the datagram. */
  readonly body: Uint8Array;
  /** Undefined where there is none. Aliases the datagram. */
  readonly tag: Uint8Array | undefined;
}

/** A nonce that nobody can guess; never 0. */
export function newNonce(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return new DataView(bytes.buffer).getBigUint64(0) || 1n;
}

/**
 * The message as bytes, without a tag.
 *
 * @throws {CircuitError} `BAD_REQUEST` if the ID or the address cannot be sent.
 */
export function encodeDatagram(message: Message): Uint8Array<ArrayBuffer> {
  const address = message.type === "query" ? "" : message.address;
  const id = message.id ?? NO_ID;
  if (message.type === "query" ? !isServerId(id) : !isUsable(id, address)) {
    throw new CircuitError(
      "BAD_REQUEST",
      `cannot announce server ${JSON.stringify(id)} at ${
        JSON.stringify(address)
      }: want an ID and ` +
        `an address of at most ${MAX_ADDRESS_BYTES} printable characters that belong together`,
    );
  }
  const bytes = new Uint8Array(HEADER_BYTES + address.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(5, TYPE_NUMBERS[message.type]);
  view.setUint16(6, address.length);
  view.setBigUint64(8, BigInt(Math.max(0, Math.floor(message.sentAt))));
  view.setBigUint64(16, message.type === "announce" ? 0n : message.nonce);
  bytes.set(serverIdToBytes(id), 24);
  new TextEncoder().encodeInto(address, bytes.subarray(HEADER_BYTES));
  return bytes;
}

/**
 * Reads a datagram. Never throws, whatever the bytes are.
 *
 * @returns `"malformed"` for what is no discovery datagram, `"version"` for one of another version.
 */
export function decodeDatagram(bytes: Uint8Array): Decoded | "malformed" | "version" {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_DATAGRAM_BYTES) return "malformed";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return "malformed";
  if (view.getUint8(4) !== VERSION) return "version";
  const addressBytes = view.getUint16(6);
  const bodyBytes = HEADER_BYTES + addressBytes;
  if (addressBytes > MAX_ADDRESS_BYTES) return "malformed";
  if (bytes.length !== bodyBytes && bytes.length !== bodyBytes + TAG_BYTES) return "malformed";
  const message = readMessage(bytes, view, addressBytes);
  if (!message) return "malformed";
  const tag = bytes.length > bodyBytes ? bytes.subarray(bodyBytes) : undefined;
  return { message, body: bytes.subarray(0, bodyBytes), tag };
}

function readMessage(
  bytes: Uint8Array,
  view: DataView,
  addressBytes: number,
): Message | undefined {
  const sentAt = Number(view.getBigUint64(8));
  if (!Number.isSafeInteger(sentAt)) return undefined;
  const nonce = view.getBigUint64(16);
  const id = serverIdFromBytes(bytes.subarray(24, 24 + SERVER_ID_BYTES));
  const type = view.getUint8(5);
  if (type === TYPE_NUMBERS.query) {
    if (addressBytes !== 0 || nonce === 0n) return undefined;
    return { type: "query", sentAt, nonce, ...(id === NO_ID ? {} : { id }) };
  }
  const address = String.fromCharCode(
    ...bytes.subarray(HEADER_BYTES, HEADER_BYTES + addressBytes),
  );
  if (!isUsable(id, address)) return undefined;
  if (type === TYPE_NUMBERS.announce && nonce === 0n) {
    return { type: "announce", sentAt, id, address };
  }
  if (type === TYPE_NUMBERS.answer && nonce !== 0n) {
    return { type: "answer", sentAt, nonce, id, address };
  }
  return undefined;
}

function isUsable(id: string, address: string): boolean {
  if (!isServerId(id) || id === NO_ID) return false;
  if (address.length > MAX_ADDRESS_BYTES || !PRINTABLE.test(address)) return false;
  try {
    const parsed = parseAddress(address);
    return parsed.port > 0 && (parsed.id === undefined || parsed.id === id);
  } catch {
    return false;
  }
}
