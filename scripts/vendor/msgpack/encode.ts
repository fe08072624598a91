// MessagePack encoding with the choices of @std/msgpack: whole numbers from
// 2^32 on (and below -2^31) as float 64, a bigint as 64-bit integer.

type Bytes = ReturnType<Uint8Array["slice"]>;

/** What can be encoded and what decoding yields. */
export type ValueType =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly ValueType[]
  | ValueMap;

/** A map: a plain object, keys in insertion order. */
export interface ValueMap {
  /** The value of a key. */
  [index: string | number]: ValueType;
}

/** Bytes that a new output starts with; most messages fit. */
const FIRST_SIZE = 256;

const text = new TextEncoder();

/**
 * Encodes a value as MessagePack.
 *
 * @throws {TypeError} If the value, or one in it, is undefined.
 * @throws {Error} If the value, or one in it, is a function, a symbol, an
 * instance of a class other than `Uint8Array` and arrays, or a bigint beyond
 * 64 bits.
 */
export function encode(object: ValueType): Bytes {
  const output = new Output();
  write(object, output);
  return output.take();
}

/** A buffer that grows, written at its end. */
class Output {
  #bytes = new Uint8Array(FIRST_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  take(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    // Making room may replace the view, so it comes first.
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  /** A type byte and a big-endian unsigned integer of 1, 2 or 4 bytes. */
  sized(type: number, size: 1 | 2 | 4, value: number): void {
    const at = this.#room(1 + size);
    this.#view.setUint8(at, type);
    if (size === 1) this.#view.setUint8(at + 1, value);
    else if (size === 2) this.#view.setUint16(at + 1, value);
    else this.#view.setUint32(at + 1, value);
  }

  float(value: number): void {
    const at = this.#room(9);
    this.#view.setUint8(at, 0xcb);
    this.#view.setFloat64(at + 1, value);
  }

  long(type: number, value: bigint): void {
    const at = this.#room(9);
    this.#view.setUint8(at, type);
    this.#view.setBigUint64(at + 1, BigInt.asUintN(64, value));
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.max(this.#length, 2 * this.#bytes.length),
      );
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

function write(value: ValueType, output: Output): void {
  if (value === null) return output.byte(0xc0);
  switch (typeof value) {
    case "boolean":
      return output.byte(value ? 0xc3 : 0xc2);
    case "number":
      return writeNumber(value, output);
    case "bigint":
      return writeBigint(value, output);
    case "string": {
      const bytes = text.encode(value);
      if (bytes.length < 32) output.byte(0xa0 | bytes.length);
      else writeLength("string", bytes.length, [0xd9, 0xda, 0xdb], output);
      return output.bytes(bytes);
    }
    case "object":
      return writeObject(value, output);
    case "undefined":
      throw new TypeError("Cannot safely encode undefined into messagepack");
  }
  throw new Error("Cannot safely encode value into messagepack");
}

function writeObject(
  value: Uint8Array | readonly ValueType[] | ValueMap,
  output: Output,
): void {
  if (value instanceof Uint8Array) {
    writeLength("Uint8Array", value.length, [0xc4, 0xc5, 0xc6], output);
    return output.bytes(value);
  }
  if (Array.isArray(value)) {
    if (value.length < 16) output.byte(0x90 | value.length);
    else writeLength("array", value.length, [0, 0xdc, 0xdd], output);
    for (const item of value as ValueType[]) write(item, output);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new Error("Cannot safely encode value into messagepack");
  }
  const entries = Object.entries(value as ValueMap);
  if (entries.length < 16) output.byte(0x80 | entries.length);
  else writeLength("map", entries.length, [0, 0xde, 0xdf], output);
  for (const [key, item] of entries) {
    write(key, output);
    write(item, output);
  }
}

function writeNumber(value: number, output: Output): void {
  if (!Number.isInteger(value) || value >= 2 ** 32 || value < -(2 ** 31)) {
    return output.float(value);
  }
  if (value >= 0) {
    if (value < 2 ** 7) return output.byte(value);
    if (value < 2 ** 8) return output.sized(0xcc, 1, value);
    if (value < 2 ** 16) return output.sized(0xcd, 2, value);
    return output.sized(0xce, 4, value);
  }
  if (value >= -(2 ** 5)) return output.byte(value);
  if (value >= -(2 ** 7)) return output.sized(0xd0, 1, value);
  if (value >= -(2 ** 15)) return output.sized(0xd1, 2, value);
  return output.sized(0xd2, 4, value);
}

function writeBigint(value: bigint, output: Output): void {
  if (value >= 1n << 64n || value < -(1n << 63n)) {
    throw new Error("Cannot safely encode bigint larger than 64 bits");
  }
  output.long(value < 0n ? 0xd3 : 0xcf, value);
}

/** Types are those for lengths of 1, 2 and 4 bytes; 0 where there is none. */
function writeLength(
  what: string,
  length: number,
  types: readonly [number, number, number],
  output: Output,
): void {
  if (length < 2 ** 8 && types[0] !== 0) output.sized(types[0], 1, length);
  else if (length < 2 ** 16) output.sized(types[1], 2, length);
  else if (length < 2 ** 32) output.sized(types[2], 4, length);
  else {
    throw new Error(
      `Cannot safely encode ${what} with size larger than 32 bits`,
    );
  }
}
