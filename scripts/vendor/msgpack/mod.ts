// A stand-in for `@std/msgpack`, by hand: over an npm package, every start of the tool would resolve
// that first. It made `circuit ls /` take 196 ms of CPU instead of 160, and `circuit version` 181
// instead of 149 (the least of 40 interleaved runs each), and it needs npm's registry once.

/** What MessagePack has a form for. */
export type ValueType =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly ValueType[]
  | ValueMap;

/** Values by name. */
export interface ValueMap {
  /** A value. */
  [index: string | number]: ValueType;
}

/**
 * The value in MessagePack, in the shortest form. An integer that has more than 32 bits becomes a
 * float, a bigint an integer of 64 bits.
 *
 * @throws {Error} For what MessagePack has no form for, such as undefined.
 */
export function encode(object: ValueType): Uint8Array<ArrayBuffer> {
  const parts = [...encoded(object)];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function* encoded(value: ValueType): Generator<Uint8Array> {
  if (value === null) yield Uint8Array.of(0xc0);
  else if (typeof value === "boolean") yield Uint8Array.of(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") yield number(value);
  else if (typeof value === "bigint") yield bigint(value);
  else if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    yield head(bytes.length, 0xa0, 32, 0xd9, 0xda);
    yield bytes;
  } else if (value instanceof Uint8Array) {
    yield head(value.length, 0, 0, 0xc4, 0xc5);
    yield value;
  } else if (Array.isArray(value)) {
    yield head(value.length, 0x90, 16, undefined, 0xdc);
    for (const each of value) yield* encoded(each);
  } else if (isPlain(value)) {
    const fields = Object.entries(value);
    yield head(fields.length, 0x80, 16, undefined, 0xde);
    for (const field of fields) for (const each of field) yield* encoded(each);
  } else {
    throw new Error(`MessagePack has no form for ${typeof value}`);
  }
}

function isPlain(value: unknown): value is ValueMap {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A number in the first byte if it is below `end`, else behind `in8`, `in16`, or the one after. */
function head(n: number, first: number, end: number, in8: number | undefined, in16: number) {
  if (n < end) return Uint8Array.of(first | n);
  if (n < 2 ** 8 && in8 !== undefined) return Uint8Array.of(in8, n);
  if (n < 2 ** 16) return Uint8Array.of(in16, n >> 8, n);
  return Uint8Array.of(in16 + 1, n >> 24, n >> 16, n >> 8, n);
}

function number(n: number): Uint8Array {
  if (!Number.isInteger(n) || n >= 2 ** 32 || n < -(2 ** 31)) {
    return eight(0xcb, (view) => view.setFloat64(1, n));
  }
  if (n >= 0) return head(n, 0, 128, 0xcc, 0xcd);
  if (n >= -32) return Uint8Array.of(n);
  if (n >= -(2 ** 7)) return Uint8Array.of(0xd0, n);
  if (n >= -(2 ** 15)) return Uint8Array.of(0xd1, n >> 8, n);
  return Uint8Array.of(0xd2, n >> 24, n >> 16, n >> 8, n);
}

function bigint(n: bigint): Uint8Array {
  if (n >= 2n ** 64n || n < -(2n ** 63n)) throw new Error(`${n} has more than 64 bits`);
  return eight(n < 0n ? 0xd3 : 0xcf, (view) => view.setBigInt64(1, n));
}

function eight(first: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = first;
  fill(new DataView(bytes.buffer));
  return bytes;
}

/**
 * The value that was encoded; binary in it is a view of `data`.
 *
 * @throws {Error} For what is not one whole value, and for extensions.
 */
export function decode(data: Uint8Array): ValueType {
  const reader = new Reader(data);
  const value = reader.value();
  if (reader.at < data.length) throw new EvalError("bytes follow the value");
  return value;
}

class Reader {
  at = 0;
  readonly #data: Uint8Array;
  readonly #view: DataView;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  value(): ValueType {
    const view = this.#view;
    const first = this.#uint(0);
    if (first < 0x80) return first;
    if (first < 0x90) return this.#map(first & 15);
    if (first < 0xa0) return this.#list(first & 15);
    if (first < 0xc0) return this.#text(first & 31);
    if (first >= 0xe0) return first - 256;
    if (first === 0xc0) return null;
    if (first === 0xc2 || first === 0xc3) return first === 0xc3;
    if (first >= 0xc4 && first <= 0xc6) return this.#bytes(this.#uint(first - 0xc4));
    if (first === 0xca) return view.getFloat32(this.#skip(4));
    if (first === 0xcb) return view.getFloat64(this.#skip(8));
    if (first >= 0xcc && first <= 0xce) return this.#uint(first - 0xcc);
    if (first === 0xcf) return view.getBigUint64(this.#skip(8));
    if (first === 0xd0) return view.getInt8(this.#skip(1));
    if (first === 0xd1) return view.getInt16(this.#skip(2));
    if (first === 0xd2) return view.getInt32(this.#skip(4));
    if (first === 0xd3) return view.getBigInt64(this.#skip(8));
    if (first >= 0xd9 && first <= 0xdb) return this.#text(this.#uint(first - 0xd9));
    if (first === 0xdc || first === 0xdd) return this.#list(this.#uint(first - 0xdb));
    if (first === 0xde || first === 0xdf) return this.#map(this.#uint(first - 0xdd));
    throw new Error(`cannot read a value that begins with 0x${first.toString(16)}`);
  }

  /** Where the next bytes are, which are read now. */
  #skip(length: number): number {
    if (length > this.#data.length - this.at) throw new EvalError("the value ends early");
    this.at += length;
    return this.at - length;
  }

  /** A number of 1, 2 or 4 bytes. */
  #uint(power: number): number {
    const at = this.#skip(2 ** power);
    if (power === 0) return this.#view.getUint8(at);
    return power === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #bytes(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#data.subarray(at, at + length);
  }

  #text(length: number): string {
    return new TextDecoder().decode(this.#bytes(length));
  }

  #list(length: number): ValueType[] {
    const list: ValueType[] = [];
    while (list.length < length) list.push(this.value());
    return list;
  }

  #map(size: number): ValueMap {
    const map: ValueMap = {};
    for (let i = 0; i < size; i++) {
      const key = this.value();
      if (typeof key !== "string" && typeof key !== "number") {
        throw new EvalError("a key is no text");
      }
      map[key] = this.value();
    }
    return map;
  }
}
