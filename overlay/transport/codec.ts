/**
 * The bodies of control messages: plain values in MessagePack.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix -- whoever imports this file by its URL has no import map
import { decode, encode, type ValueType } from "jsr:@std/msgpack@^1.0.3";
import { CircuitError } from "../errors.ts";
import { decodeSmall, encodeSmall } from "./small_values.ts";

/** Turns plain values into bytes and back. Passed in, so that a test can count the calls. */
export interface Codec {
  /**
   * The value in MessagePack; no bytes for undefined.
   *
   * @throws {CircuitError} `BAD_REQUEST` if it is not made of plain values.
   */
  encode(value: unknown): Uint8Array;
  /**
   * The value that was encoded; undefined for no bytes. Binary in it may alias `bytes`.
   *
   * @throws {CircuitError} `PROTOCOL` if the bytes are not MessagePack.
   */
  decode(bytes: Uint8Array): unknown;
}

/** No bytes. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** The codec of the wire: MessagePack, with undefined fields of objects left out. */
export const messagePack: Codec = {
  encode(value) {
    if (value === undefined) return EMPTY;
    const small = encodeSmall(value);
    if (small) return small;
    try {
      return encode(plain(value));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CircuitError("BAD_REQUEST", `a value cannot be sent: ${why}`, { cause });
    }
  },
  decode(bytes) {
    if (bytes.length === 0) return undefined;
    const small = decodeSmall(bytes);
    if (small !== undefined) return small;
    try {
      return decode(bytes as Uint8Array<ArrayBuffer>);
    } catch (cause) {
      throw new CircuitError("PROTOCOL", "the peer sent a body that is not MessagePack", { cause });
    }
  },
};

/** `@std/msgpack` refuses undefined, which is how an optional field that is unset looks. */
function plain(value: unknown): ValueType {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
    return value as ValueType;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`it holds a ${value.constructor.name}: plain values are wanted`);
  }
  const fields: Record<string, ValueType> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) fields[key] = plain(field);
  }
  return fields;
}
