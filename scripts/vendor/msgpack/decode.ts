// MessagePack decoding with the choices of @std/msgpack: 64-bit integers as
// bigint, binary as a view of the input, no extension types.

import type { ValueMap, ValueType } from "./encode.ts";

const text = new TextDecoder();

/**
 * Decodes one value that fills the whole input.
 *
 * A `Uint8Array` in the result is a view of the input: copy what is kept.
 * Integers that the wire has as 64-bit ones become bigint.
 *
 * @throws {EvalError} If the input ends early, goes on after the value, or has
 * a map key that is neither number nor string.
 * @throws {Error} If it meets an extension type or the byte 0xc1.
 */
export function decode(data: Uint8Array): ValueType {
  const input = new Input(data);
  const value = read(input);
  if (!input.done) {
    throw new EvalError("Messagepack decode did not consume whole array");
  }
  return value;
}

/** A position in the bytes; what it is asked for is there or it throws. */
class Input {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A big-endian unsigned integer of 1, 2 or 4 bytes. */
  uint(size: 1 | 2 | 4): number {
    const at = this.#skip(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** A big-endian signed integer of 1, 2 or 4 bytes. */
  int(size: 1 | 2 | 4): number {
    const at = this.#skip(size);
    if (size === 1) return this.#view.getInt8(at);
    return size === 2 ? this.#view.getInt16(at) : this.#view.getInt32(at);
  }

  float32(): number {
    return this.#view.getFloat32(this.#skip(4));
  }

  float64(): number {
    return this.#view.getFloat64(this.#skip(8));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#skip(8));
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#skip(8));
  }

  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      throw new EvalError(
        "Messagepack decode reached end of array prematurely",
      );
    }
    this.#at = at + length;
    return at;
  }
}

function read(input: Input): ValueType {
  const type = input.uint(1);
  if (type < 0x80) return type;
  if (type < 0x90) return readMap(input, type & 0x0f);
  if (type < 0xa0) return readArray(input, type & 0x0f);
  if (type < 0xc0) return readString(input, type & 0x1f);
  if (type >= 0xe0) return type - 0x100;
  switch (type) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return input.take(input.uint(1));
    case 0xc5:
      return input.take(input.uint(2));
    case 0xc6:
      return input.take(input.uint(4));
    case 0xca:
      return input.float32();
    case 0xcb:
      return input.float64();
    case 0xcc:
      return input.uint(1);
    case 0xcd:
      return input.uint(2);
    case 0xce:
      return input.uint(4);
    case 0xcf:
      return input.uint64();
    case 0xd0:
      return input.int(1);
    case 0xd1:
      return input.int(2);
    case 0xd2:
      return input.int(4);
    case 0xd3:
      return input.int64();
    case 0xd9:
      return readString(input, input.uint(1));
    case 0xda:
      return readString(input, input.uint(2));
    case 0xdb:
      return readString(input, input.uint(4));
    case 0xdc:
      return readArray(input, input.uint(2));
    case 0xdd:
      return readArray(input, input.uint(4));
    case 0xde:
      return readMap(input, input.uint(2));
    case 0xdf:
      return readMap(input, input.uint(4));
    case 0xc1:
      throw new Error(
        "Messagepack decode encountered a type that is never used",
      );
    default:
      throw new Error(
        `Cannot decode a slice: extension type 0x${type.toString(16)}`,
      );
  }
}

function readString(input: Input, length: number): string {
  return text.decode(input.take(length));
}

/** Grows as elements come, so that a false length costs nothing. */
function readArray(input: Input, length: number): ValueType[] {
  const array: ValueType[] = [];
  for (let i = 0; i < length; i++) array.push(read(input));
  return array;
}

function readMap(input: Input, length: number): ValueMap {
  const map: ValueMap = {};
  for (let i = 0; i < length; i++) {
    const key = read(input);
    const value = read(input);
    if (typeof key !== "number" && typeof key !== "string") {
      throw new EvalError(
        "Cannot decode a key of a map: The type of key is invalid, " +
          "keys must be a number or a string",
      );
    }
    map[key] = value;
  }
  return map;
}
