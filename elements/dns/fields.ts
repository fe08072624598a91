/**
 * The fields that records' data are made of: each reads its text into what `dns-packet` takes, and
 * says how the text is written.
 *
 * @module
 */

import { Buffer, rawType } from "./codec.ts";
import { MAX_TTL } from "./limits.ts";
import { fold, formatName, parseName, unescape } from "./names.ts";
import type { Token } from "./tokens.ts";
import { parseType, showType } from "./type_names.ts";

/** A field that was read. */
export interface Part {
  /** For `dns-packet`. */
  readonly value: unknown;
  /** Its one canonical text. */
  readonly text: string;
  /** What it is compared by, where that is not its text: letter case in names does not count. */
  readonly key?: string;
}

/** A kind of field. */
export interface Field {
  /** For messages: what is wanted. */
  readonly wants: string;
  /** `rest`: it takes all tokens that are left, one at least; `any`: even none. */
  readonly takes: "one" | "rest" | "any";
  /** Reads it. Throws an `Error` that says what is wrong, or returns undefined for `wants`. */
  read(tokens: readonly Token[]): Part | undefined;
}

function one(wants: string, read: (text: string) => Part | undefined): Field {
  return { wants, takes: "one", read: ([token]) => token ? read(token.text) : undefined };
}

function joined(wants: string, read: (text: string) => Part | undefined): Field {
  return {
    wants,
    takes: "rest",
    read: (tokens) => read(tokens.map(({ text }) => text).join("")),
  };
}

function uint(bits: 8 | 16 | 32): Field {
  const most = 2 ** bits - 1;
  return one(`a whole number from 0 to ${most}`, (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    return value <= most ? { value, text: String(value) } : undefined;
  });
}

/** A whole number of 8 bits. */
export const u8: Field = uint(8);
/** A whole number of 16 bits. */
export const u16: Field = uint(16);
/** A whole number of 32 bits. */
export const u32: Field = uint(32);

/** The one number that there may be in its place. */
export function only(number: number): Field {
  return one(`${number}`, (text) => text === `${number}` ? { value: number, text } : undefined);
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800,
};

/** Seconds, as a number or as in `1h30m`; undefined if it is neither or too many. */
export function parseSeconds(text: string, most: number): number | undefined {
  if (!/^(\d{1,10}|(\d{1,10}[smhdw])+)$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit = ""] of text.matchAll(/(\d+)([a-z]?)/gi)) {
    seconds += Number(count) * (UNITS[unit.toLowerCase()] ?? NaN);
  }
  return seconds <= most ? seconds : undefined;
}

/** A span of time. */
export const span: Field = one("seconds, or a time as in 1h30m", (text) => {
  const value = parseSeconds(text, MAX_TTL);
  return value === undefined ? undefined : { value, text: String(value) };
});

/** A moment, as `YYYYMMDDHHmmSS` in UTC or in seconds since 1970 (RFC 4034, section 3.2). */
export const moment: Field = one("a time as YYYYMMDDHHmmSS or seconds since 1970", (text) => {
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!digits) return u32.read([{ text, quoted: false }]);
  const [, year, month, day, hour, minute, second] = digits;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const ms = Date.parse(iso);
  // Days that a month has not are taken for days of the next one.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== iso) return undefined;
  const value = ms / 1000;
  return value >= 0 && value < 2 ** 32 ? { value, text } : undefined;
});

/** An IPv4 address. */
export const ipv4: Field = one("an IPv4 address", (text) => {
  const numbers = text.split(".");
  const valid = numbers.length === 4 &&
    numbers.every((number) => /^(0|[1-9]\d{0,2})$/.test(number) && Number(number) < 256);
  return valid ? { value: text, text } : undefined;
});

/** An IPv6 address; it is written as RFC 5952 says. */
export const ipv6: Field = one("an IPv6 address", (text) => {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return undefined;
  const url = URL.parse(`http://[${text}]/`);
  if (!url) return undefined;
  const address = url.hostname.slice(1, -1);
  return { value: address, text: address };
});

function nameField(kind: "host" | "mailbox"): Field {
  return one(kind === "host" ? "a name" : "a mailbox, written as a name", (text) => {
    const value = parseName(text, kind);
    const formatted = formatName(value);
    return { value, text: formatted, key: fold(formatted) };
  });
}

/** A domain name. */
export const name: Field = nameField("host");
/** A mailbox, whose first label may have escaped dots. */
export const mailbox: Field = nameField("mailbox");

/** Most bytes of a character string (RFC 1035, section 3.3). */
const MAX_STRING_BYTES = 255;

/** Bytes as a quoted character string. */
function quote(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === "\\") text += `\\${character}`;
    else if (byte >= 0x20 && byte < 0x7f) text += character;
    else text += `\\${byte.toString().padStart(3, "0")}`;
  }
  return `"${text}"`;
}

function stringBytes(text: string): Buffer {
  const bytes = unescape(text);
  if (bytes.length <= MAX_STRING_BYTES) return Buffer.from(bytes);
  throw new Error(
    `a string has ${bytes.length} bytes, at most ${MAX_STRING_BYTES} are allowed; ` +
      `longer texts are written as several strings`,
  );
}

function strings(wants: string, count?: number): Field {
  return {
    wants,
    takes: "rest",
    read(tokens) {
      if (count !== undefined && tokens.length !== count) return undefined;
      const value = tokens.map(({ text }) => stringBytes(text));
      return { value, text: value.map(quote).join(" ") };
    },
  };
}

/** One character string or more. */
export const texts: Field = strings("one or more strings");
/** Two character strings. */
export const twoTexts: Field = strings("two strings", 2);

/** A character string that the library takes as text. */
export const text: Field = one("a string of UTF-8", (source) => {
  const bytes = stringBytes(source);
  try {
    const value = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { value, text: quote(bytes) };
  } catch {
    return undefined;
  }
});

/** The property of a CAA record (RFC 8659, section 4.1). */
export const tag: Field = one("a tag of letters and digits", (source) => {
  const value = source.toLowerCase();
  return /^[a-z0-9]{1,255}$/.test(value) ? { value, text: value } : undefined;
});

function fromHex(source: string): Buffer | undefined {
  return /^([0-9a-fA-F]{2})*$/.test(source) ? Buffer.from(source, "hex") : undefined;
}

/** Bytes in hex, which may be parted by spaces. */
export const hex: Field = joined("bytes in hex", (source) => {
  const value = fromHex(source);
  return value && value.length > 0
    ? { value, text: value.toString("hex").toUpperCase() }
    : undefined;
});

/** Bytes in hex, for the library as text. */
export const hexText: Field = joined("bytes in hex", (source) => {
  const part = hex.read([{ text: source, quoted: false }]);
  return part && { value: part.text, text: part.text };
});

/** The salt of NSEC3, in hex, or `-` for none (RFC 5155, section 3.3). */
export const salt: Field = one("bytes in hex, or -", (source) => {
  const value = source === "-" ? Buffer.alloc(0) : fromHex(source);
  if (!value || value.length > 255 || source === "") return undefined;
  return { value, text: value.length === 0 ? "-" : value.toString("hex").toUpperCase() };
});

/** Bytes in base64, which may be parted by spaces. */
export const base64: Field = joined("bytes in base64", (source) => {
  const plain = source.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]+$/.test(plain) || source.length % 4 !== 0) return undefined;
  const value = Buffer.from(plain, "base64");
  return { value, text: value.toString("base64") };
});

const BASE32 = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/** Bytes in base32 with the extended hex alphabet, without padding (RFC 5155, section 3.3). */
export const base32: Field = one("bytes in base32hex", (source) => {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of source.toUpperCase()) {
    const value = BASE32.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5 | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(held >> bits & 0xff);
  }
  const rest = held & (1 << bits) - 1;
  if (bytes.length === 0 || bytes.length > 255 || bits > 4 || rest !== 0) return undefined;
  return { value: Buffer.from(bytes), text: source.toUpperCase() };
});

function typesOf(tokens: readonly Token[]): Part {
  const numbers = [...new Set(tokens.map(({ text }) => parseType(text)))].sort((a, b) => a - b);
  return { value: numbers.map(rawType), text: numbers.map(showType).join(" ") };
}

/** A type of record. */
export const recordType: Field = one("a type", (source) => {
  const number = parseType(source);
  return { value: rawType(number), text: showType(number) };
});

/** Types of records, or none. */
export const recordTypes: Field = { wants: "types", takes: "any", read: typesOf };

/** The data of any type: `\#`, their length, and they in hex (RFC 3597, section 5). */
export const generic: Field = {
  wants: String.raw`\#, the number of bytes, and the bytes in hex`,
  takes: "rest",
  read([mark, count, ...rest]) {
    if (mark?.text !== "\\#" || mark.quoted || !count) return undefined;
    const value = fromHex(rest.map(({ text }) => text).join(""));
    if (!value || count.text !== String(value.length)) return undefined;
    const digits = value.length === 0 ? "" : ` ${value.toString("hex").toUpperCase()}`;
    return { value, text: `\\# ${value.length}${digits}` };
  },
};
