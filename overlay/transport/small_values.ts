/**
 * MessagePack of small plain values, for the calls that are made most: no text coder, no view, and one
 * allocation a value. What is not small and plain is left to the library, which makes the same bytes.
 *
 * Small and plain are null, booleans, whole numbers from −32 to 2^32 − 1, strings of ASCII up to
 * {@linkcode MAX_TEXT} characters, and arrays and objects of up to {@linkcode MAX_ITEMS} of these,
 * {@linkcode MAX_DEPTH} deep.
 *
 * @module
 */

/** Most characters of a string: as many as fit behind a length of one byte. */
const MAX_TEXT = 255;

/** Most items of an array, or fields of an object: as many as their type byte can count. */
const MAX_ITEMS = 15;

/** How deep values may be nested. */
const MAX_DEPTH = 4;

/** Stands for a value that is not small and plain. */
const NOT_SMALL = -1;

/**
 * The value in MessagePack; fields of objects that are undefined are left out.
 *
 * @returns undefined if the value is not small and plain.
 */
export function encodeSmall(value: unknown): Uint8Array | undefined {
  const size = sizeOf(value, MAX_DEPTH);
  if (size === NOT_SMALL) return undefined;
  const bytes = new Uint8Array(size);
  write(value, bytes, 0);
  return bytes;
}

/**
 * The value that was encoded. It shares no memory with `bytes`.
 *
 * @returns undefined if it is not small and plain, or not MessagePack.
 */
export function decodeSmall(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.read(MAX_DEPTH);
  return reader.at === bytes.length ? value : undefined;
}

/** Bytes that it takes. */
function sizeOf(value: unknown, depth: number): number {
  if (value === null) return 1;
  switch (typeof value) {
    case "boolean":
      return 1;
    case "number":
      return sizeOfNumber(value);
    case "string":
      return sizeOfText(value);
    case "object":
      return depth === 0 ? NOT_SMALL : sizeOfItems(value, depth - 1);
    default:
      return NOT_SMALL;
  }
}

function sizeOfNumber(value: number): number {
  if (!Number.isInteger(value) || value < -32 || value > 0xffff_ffff) return NOT_SMALL;
  return value < 0x80 ? 1 : value < 0x100 ? 2 : value < 0x1_0000 ? 3 : 5;
}

function sizeOfText(value: string): number {
  const { length } = value;
  if (length > MAX_TEXT) return NOT_SMALL;
  for (let i = 0; i < length; i++) if (value.charCodeAt(i) >= 0x80) return NOT_SMALL;
  return length < 32 ? 1 + length : 2 + length;
}

function sizeOfItems(value: object, depth: number): number {
  let size = 1;
  let items = 0;
  if (Array.isArray(value)) {
    for (const item of value) {
      const one = sizeOf(item, depth);
      if (one === NOT_SMALL) return NOT_SMALL;
      size += one;
      items++;
    }
  } else {
    if (Object.getPrototypeOf(value) !== Object.prototype) return NOT_SMALL;
    for (const key in value) {
      const field = (value as Record<string, unknown>)[key];
      if (field === undefined) continue;
      const name = sizeOfText(key);
      const one = sizeOf(field, depth);
      if (name === NOT_SMALL || one === NOT_SMALL) return NOT_SMALL;
      size += name + one;
      items++;
    }
  }
  return items <= MAX_ITEMS ? size : NOT_SMALL;
}

/** Writes a value whose size is known, and returns where it ends. */
function write(value: unknown, bytes: Uint8Array, at: number): number {
  if (typeof value === "number") return writeNumber(value, bytes, at);
  if (typeof value === "string") return writeText(value, bytes, at);
  if (typeof value !== "object" || value === null) {
    bytes[at] = value === null ? 0xc0 : value ? 0xc3 : 0xc2;
    return at + 1;
  }
  const type = at++;
  if (Array.isArray(value)) {
    bytes[type] = 0x90 | value.length;
    for (const item of value) at = write(item, bytes, at);
    return at;
  }
  let fields = 0;
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    at = write(field, bytes, writeText(key, bytes, at));
    fields++;
  }
  bytes[type] = 0x80 | fields;
  return at;
}

function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  if (value >= 0x1_0000) {
    bytes[at++] = 0xce;
    bytes[at++] = value >>> 24;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 8;
  } else if (value >= 0x100) {
    bytes[at++] = 0xcd;
    bytes[at++] = value >>> 8;
  } else if (value >= 0x80) {
    bytes[at++] = 0xcc;
  }
  bytes[at++] = value;
  return at;
}

function writeText(value: string, bytes: Uint8Array, at: number): number {
  const { length } = value;
  if (length < 32) {
    bytes[at++] = 0xa0 | length;
  } else {
    bytes[at++] = 0xd9;
    bytes[at++] = length;
  }
  for (let i = 0; i < length; i++) bytes[at++] = value.charCodeAt(i);
  return at;
}

/** Reads one value; what is not small and plain, or not there, is read as undefined. */
class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(depth: number): unknown {
    const type = this.#byte();
    if (type < 0x80) return type;
    if (type < 0xa0) {
      if (depth === 0) return undefined;
      return type < 0x90 ? this.#map(type & 15, depth - 1) : this.#array(type & 15, depth - 1);
    }
    if (type < 0xc0) return this.#text(type & 31);
    if (type >= 0xe0 && type <= 0xff) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcc:
        return this.#number(1);
      case 0xcd:
        return this.#number(2);
      case 0xce:
        return this.#number(4);
      case 0xd9:
        return this.#text(this.#byte());
    }
    return undefined;
  }

  #map(fields: number, depth: number): Record<string, unknown> | undefined {
    const map: Record<string, unknown> = {};
    for (let i = 0; i < fields; i++) {
      const key = this.read(0);
      const value = this.read(depth);
      if (typeof key !== "string" || key === "__proto__" || value === undefined) return undefined;
      map[key] = value;
    }
    return map;
  }

  #array(items: number, depth: number): unknown[] | undefined {
    const array: unknown[] = [];
    for (let i = 0; i < items; i++) {
      const item = this.read(depth);
      if (item === undefined) return undefined;
      array.push(item);
    }
    return array;
  }

  #text(length: number): string | undefined {
    if (!(length <= this.#bytes.length - this.at)) return undefined;
    let text = "";
    for (let i = 0; i < length; i++) {
      const byte = this.#bytes[this.at++]!; // the length was checked
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #number(size: number): number | undefined {
    let number = 0;
    for (let i = 0; i < size; i++) number = number * 256 + this.#byte();
    return number < Infinity ? number : undefined;
  }

  /** The next byte; behind the last one Infinity, which is no type, no length and no digit. */
  #byte(): number {
    return this.#bytes[this.at++] ?? Infinity;
  }
}
