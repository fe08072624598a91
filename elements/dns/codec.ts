/**
 * The door to `dns-packet`, which reads and writes DNS messages and the data of records.
 *
 * The library comes without types. Those that others have written for it leave out what is used here
 * (codecs of single records, numbered types) and bring Node's global types along, so the few
 * functions that are needed are described below.
 *
 * What has to be known of the library:
 *
 * - It takes a type written `UNKNOWN_n` for the type with that number and data that are bytes.
 * - Names are text without escapes or a dot at the end, and the root is `.`; so a dot inside a label
 *   can't be told from one between labels, except in mailboxes, where it is written `\.`.
 * - It checks neither the length of labels nor that of names.
 * - It decodes as many records as a header claims to follow.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import library from "npm:dns-packet@5.6.1";
import numbers from "npm:dns-packet@5.6.1/types.js";

export { Buffer };

/** A question as the library decodes it. */
export interface Question {
  /** The name as it was asked for, without a dot at its end. */
  readonly name: string;
  /** The type's name, or `UNKNOWN_n`. */
  readonly type: string;
  /** The class's name, or `UNKNOWN_n`. */
  readonly class: string;
}

/** A record of an answer, with data that are bytes already. */
export interface RawAnswer {
  /** The owner, without a dot at its end. */
  readonly name: string;
  /** `UNKNOWN_n`. */
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /** The record's data. */
  readonly data: Buffer;
}

/** The pseudo-record of EDNS (RFC 6891). */
export interface Opt {
  readonly name: ".";
  readonly type: "OPT";
  readonly udpPayloadSize: number;
  readonly extendedRcode: number;
  readonly ednsVersion: number;
  readonly flags: number;
  readonly options: readonly [];
}

/** An additional record of a query, as far as it is looked at. */
export type Additional = Opt | { readonly type: string; readonly name: string };

/** A query as the library decodes it. */
export interface DecodedQuery {
  readonly questions: readonly Question[];
  readonly additionals: readonly Additional[];
}

/** An answer for the library to encode. */
export interface Reply {
  readonly type: "response";
  readonly id: number;
  readonly flags: number;
  readonly questions: readonly never[];
  readonly answers: readonly RawAnswer[];
  readonly authorities: readonly RawAnswer[];
  readonly additionals: readonly Opt[];
}

interface Library {
  readonly decode: ((bytes: Buffer) => DecodedQuery) & { readonly bytes: number };
  readonly encode: (reply: Reply) => Buffer;
  readonly question: {
    readonly decode: ((bytes: Buffer, offset: number) => Question) & { readonly bytes: number };
  };
  readonly name: { readonly encode: (name: string) => Buffer };
  readonly record: (type: string) => { readonly encode: (data: unknown) => Buffer };
}

interface Numbers {
  readonly toType: (name: string) => number;
  readonly toString: (type: number) => string;
}

const packet: Library = library;
const types: Numbers = numbers;

/** Bytes of a message's header. */
export const HEADER_BYTES = 12;

/**
 * Reads a query.
 *
 * @param bytes Of a header that claims no more records than may be decoded.
 * @returns the query, and the question's bytes as they came.
 * @throws {Error} if it is malformed or bytes follow it.
 */
export function decodeQuery(bytes: Buffer): { query: DecodedQuery; question: Buffer } {
  const query = packet.decode(bytes);
  if (packet.decode.bytes !== bytes.length) throw new Error("the message has another length");
  packet.question.decode(bytes, HEADER_BYTES);
  const end = HEADER_BYTES + packet.question.decode.bytes;
  return { query, question: bytes.subarray(HEADER_BYTES, end) };
}

/**
 * Writes an answer.
 *
 * @param reply All but its question.
 * @param question The question's bytes, which go out as they came: a client compares them.
 */
export function encodeReply(reply: Reply, question: Buffer): Buffer {
  const rest = packet.encode(reply);
  const bytes = Buffer.concat([
    rest.subarray(0, HEADER_BYTES),
    question,
    rest.subarray(HEADER_BYTES),
  ]);
  bytes.writeUInt16BE(question.length === 0 ? 0 : 1, 4);
  return bytes;
}

/** A name's bytes in a message. The name must be valid. */
export function encodeName(name: string): Buffer {
  return packet.name.encode(name);
}

/**
 * A record's data as bytes.
 *
 * @param codec The type whose data are made up in the same way, by its name.
 * @param data What the library takes for that type.
 * @throws {Error} if the library does not take them.
 */
export function encodeData(codec: string, data: unknown): Buffer {
  const bytes = packet.record(codec).encode(data);
  // Their length comes first; the library takes more room than it needs for mailboxes.
  return bytes.subarray(2, 2 + bytes.readUInt16BE(0));
}

/** The number of a type by its name; undefined if the library does not know the name. */
export function typeNumber(name: string): number | undefined {
  return /^[A-Za-z0-9]+$/.test(name) ? packetType(name) : undefined;
}

function packetType(name: string): number | undefined {
  const number = types.toType(name);
  return number === 0 ? undefined : number;
}

/** The name of a type by its number; undefined if the library knows none. */
export function typeName(number: number): string | undefined {
  const name = types.toString(number);
  return name.startsWith("UNKNOWN_") ? undefined : name;
}

/** How the library is told that data are bytes. */
export function rawType(number: number): string {
  return `UNKNOWN_${number}`;
}
