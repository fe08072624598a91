/**
 * One record, read from a line of a zone file.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { type Buffer, encodeData, encodeName } from "./codec.ts";
import { type Field, parseSeconds, type Part } from "./fields.ts";
import { DEFAULT_TTL, MAX_RECORD_CHARS, MAX_SET_BYTES, MAX_TTL } from "./limits.ts";
import { fold, formatName, parseName } from "./names.ts";
import { rowOf } from "./record_types.ts";
import { type Token, tokenize } from "./tokens.ts";
import { isMeta, parseType, showType, TYPE } from "./type_names.ts";

/** A record that can be served. */
export interface DnsRecord {
  /** Whose it is: in lower case, as in names.ts. */
  readonly name: string;
  /** The number of its type. */
  readonly type: number;
  /** Time to live, in seconds. */
  readonly ttl: number;
  /** Its data in a message. */
  readonly data: Buffer;
  /** Its bytes in a message, all in all. */
  readonly size: number;
  /** Where it leads, if it is a CNAME or DNAME; as in names.ts. */
  readonly target?: string;
  /** It is the same record as another of its name and type if this is the same. */
  readonly key: string;
  /** In zone-file form, parted by tabs. */
  readonly text: string;
}

/** Bytes of a record in a message beside its name and its data. */
const FIXED_BYTES = 10;

/**
 * Reads a record: `NAME [TTL] [CLASS] TYPE DATA`, as in zone files (RFC 1035, section 5.1).
 *
 * - Names count from the root, with and without a dot at their end.
 * - TTL and class may be in either order; without a TTL it is {@linkcode DEFAULT_TTL}. A TTL is in
 *   seconds or as in `1h30m`. The class is IN.
 * - Types that the table does not have are written as in RFC 3597: `TYPE65 \# 3 000100`.
 *
 * @throws {CircuitError} `BAD_REQUEST` if it is no record, with the reason.
 */
export function parseRecord(line: string): DnsRecord {
  try {
    if (line.length > MAX_RECORD_CHARS) {
      throw new Error(`it has ${line.length} characters, at most ${MAX_RECORD_CHARS} are allowed`);
    }
    return build(tokenize(line));
  } catch (cause) {
    const shown = JSON.stringify(line.length > 100 ? `${line.slice(0, 97)}…` : line);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CircuitError("BAD_REQUEST", `bad record ${shown}: ${why}`, { cause });
  }
}

/**
 * Reads the name of records, as `unset` takes it.
 *
 * @throws {CircuitError} `BAD_REQUEST` if it is no name.
 */
export function parseOwner(text: string): string {
  try {
    return fold(parseName(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CircuitError("BAD_REQUEST", `bad name of a record: ${why}`, { cause });
  }
}

function build([owner, ...rest]: readonly Token[]): DnsRecord {
  if (!owner) throw new Error("it is empty; want NAME [TTL] [IN] TYPE DATA");
  if (owner.text.startsWith("$")) throw new Error(`${owner.text} is a directive, not a record`);
  if (owner.quoted) throw new Error("the name is in quotes");
  const name = fold(parseName(owner.text));
  const { ttl, type, data: tokens } = readHead(rest);
  if (isMeta(type)) throw new Error(`records of type ${showType(type)} cannot be stored`);
  const { text, key, value } = readData(showType(type), tokens);
  const data = encodeData(rowOf(showType(type)).codec, value);
  const size = encodeName(name).length + FIXED_BYTES + data.length;
  if (size > MAX_SET_BYTES) {
    throw new Error(`it takes ${size} bytes, at most ${MAX_SET_BYTES} are allowed`);
  }
  const leads = type === TYPE.CNAME || type === TYPE.DNAME;
  return {
    name,
    type,
    ttl,
    data,
    size,
    // The data of both are a name and nothing else.
    ...(leads ? { target: String(value) } : {}),
    key,
    text: [formatName(name), ttl, "IN", showType(type), text].join("\t").trimEnd(),
  };
}

/** What is between the name and the data. */
function readHead(tokens: readonly Token[]): { ttl: number; type: number; data: readonly Token[] } {
  let ttl: number | undefined;
  let hasClass = false;
  for (const [index, { text, quoted }] of tokens.entries()) {
    if (quoted) throw new Error("a string comes before the type");
    if (ttl === undefined && /^\d/.test(text)) {
      ttl = parseSeconds(text, MAX_TTL);
      if (ttl !== undefined) continue;
      throw new Error(
        `bad TTL ${JSON.stringify(text)}: want seconds, 0 to ${MAX_TTL}, or as in 1h30m`,
      );
    }
    if (!hasClass && /^(IN|CS|CH|HS|NONE|ANY|CLASS\d+)$/i.test(text)) {
      if (!/^(IN|CLASS1)$/i.test(text)) {
        throw new Error(`class ${text.toUpperCase()} is not supported, only IN`);
      }
      hasClass = true;
      continue;
    }
    return { ttl: ttl ?? DEFAULT_TTL, type: parseType(text), data: tokens.slice(index + 1) };
  }
  throw new Error("it has no type; want NAME [TTL] [IN] TYPE DATA");
}

/** Reads the fields of the data. */
function readData(type: string, tokens: readonly Token[]): Required<Part> {
  const { fields } = rowOf(type);
  if (isField(fields)) {
    const part = readField(type, "data", fields, tokens);
    const extra = fields.takes === "one" ? tokens[1] : undefined;
    if (extra) throw tooMuch(type, extra);
    return { key: part.text, ...part };
  }
  const values: Record<string, unknown> = {};
  const parts: Part[] = [];
  let at = 0;
  for (const [name, field] of Object.entries(fields)) {
    const end = field.takes === "one" ? at + 1 : tokens.length;
    const part = readField(type, name, field, tokens.slice(at, end));
    values[name] = part.value;
    parts.push(part);
    at = end;
  }
  const extra = tokens[at];
  if (extra) throw tooMuch(type, extra);
  return {
    value: values,
    text: parts.map(({ text }) => text).join(" ").trimEnd(),
    key: parts.map(({ key, text }) => key ?? text).join(" "),
  };
}

function readField(type: string, name: string, field: Field, tokens: readonly Token[]): Part {
  const at = `${name} of ${type}`;
  if (tokens.length === 0 && field.takes !== "any") {
    throw new Error(`${at} is missing: want ${field.wants}`);
  }
  const part = field.read(tokens);
  if (part) return part;
  const found = tokens.map(({ text }) => text).join(" ");
  throw new Error(`bad ${at}: want ${field.wants}, not ${JSON.stringify(found.slice(0, 60))}`);
}

function isField(fields: Field | Readonly<Record<string, Field>>): fields is Field {
  return typeof fields["read"] === "function";
}

function tooMuch(type: string, { text }: Token): Error {
  return new Error(`${JSON.stringify(text.slice(0, 60))} is too much for data of type ${type}`);
}
