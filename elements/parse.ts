/**
 * Parsers of plain values that come from a peer or a user: small ones, and ways to combine them.
 *
 * @module
 */

import { CircuitError } from "../overlay/errors.ts";
import type { Parser } from "./describe.ts";

/** No arguments: whatever came is ignored. */
export function nothing(_value: unknown): void {}

/** A string. */
export function string(value: unknown): string {
  if (typeof value !== "string") throw wanted("a string", value);
  return value;
}

/** A string without NUL, as everything is that goes to the operating system. */
export function osString(value: unknown): string {
  if (typeof value !== "string" || value.includes("\0")) {
    throw wanted("a string without NUL", value);
  }
  return value;
}

/** `true` or `false`. */
export function boolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw wanted("true or false", value);
  return value;
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): Parser<number> {
  return (value) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw wanted(`a whole number from ${least} to ${most}`, value);
    }
    return value;
  };
}

/** A list, each item checked by `item`. */
export function list<T>(item: Parser<T>): Parser<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw wanted("a list", value);
    return value.map((each, index) => within(`[${index}]`, () => item(each)));
  };
}

/** Marks a field of {@linkcode record} that may be absent or null. */
export function optional<T>(parser: Parser<T>): Parser<T | undefined> {
  const checked: Parser<T | undefined> = (value) =>
    value === undefined || value === null ? undefined : parser(value);
  return checked;
}

/** The type of a record whose fields have these parsers: what may be undefined may be absent. */
export type Fields<F> =
  & { [K in keyof F as undefined extends Parsed<F[K]> ? never : K]: Parsed<F[K]> }
  & {
    [K in keyof F as undefined extends Parsed<F[K]> ? K : never]?: Exclude<Parsed<F[K]>, undefined>;
  };

type Parsed<P> = P extends Parser<infer T> ? T : never;

/**
 * An object with these fields. Absent optional fields are left out of the result; a field that is
 * not among them is refused by name, so that a misspelt one is not lost in silence.
 */
export function record<F extends Record<string, Parser<unknown>>>(fields: F): Parser<Fields<F>> {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw wanted("an object", value);
    }
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) {
        const known = Object.keys(fields).join(", ");
        throw new CircuitError(
          "BAD_REQUEST",
          `unknown field ${JSON.stringify(key)}: want ${known}`,
        );
      }
    }
    const result: Record<string, unknown> = {};
    for (const [key, parser] of Object.entries(fields)) {
      const parsed = within(key, () => parser(own(value, key)));
      if (parsed !== undefined) result[key] = parsed;
    }
    return result as Fields<F>;
  };
}

/** The field of this name, if the object has one itself: `__proto__` may have given it others. */
function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

/** The error for a value that is not what was wanted. */
export function wanted(what: string, value: unknown): CircuitError {
  return new CircuitError("BAD_REQUEST", `want ${what}, not ${show(value)}`);
}

function within<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    throw new CircuitError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  // What came from a peer may be nested so deeply, or hold such values, that it cannot be shown.
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? `a list of ${value.length}` : "an object";
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? text.slice(0, 57) + "..." : text;
}
