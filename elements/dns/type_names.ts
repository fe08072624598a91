/**
 * Types of records by name and by number.
 *
 * @module
 */

import { typeName, typeNumber } from "./codec.ts";

const MAX_TYPE = 65_535;

/** The types that the code itself knows, by name (RFC 1035, section 3.2.2; RFC 6672; RFC 6891). */
export const TYPE = { CNAME: 5, SOA: 6, DNAME: 39, OPT: 41 } as const;

/**
 * Reads a type: a name in any letter case, or `TYPE` and a number (RFC 3597, section 5).
 *
 * @throws {Error} if there is no such type.
 */
export function parseType(text: string): number {
  const digits = /^TYPE(\d{1,5})$/i.exec(text)?.[1];
  const number = digits === undefined ? typeNumber(text) : Number(digits);
  if (number !== undefined && number > 0 && number <= MAX_TYPE) return number;
  throw new Error(
    `unknown type ${JSON.stringify(text.slice(0, 40))}; types without a name here are written ` +
      `TYPE and a number`,
  );
}

/** The type as it is written. */
export function showType(number: number): string {
  return typeName(number) ?? `TYPE${number}`;
}

/**
 * Whether the type is one of questions and of the protocol, and never of stored records: OPT, and
 * 128 to 255 (RFC 6895, section 3.1).
 */
export function isMeta(number: number): boolean {
  return number === TYPE.OPT || (number >= 128 && number <= 255);
}

/**
 * Whether the type stands beside a CNAME: DNSSEC's records of that name itself (RFC 2181, section
 * 10.1; RFC 4034, section 3; RFC 2535, section 2.3.5).
 */
export function standsBesideAlias(number: number): boolean {
  return DNSSEC.has(number);
}

/** SIG, KEY, RRSIG and NSEC. */
const DNSSEC: ReadonlySet<number> = new Set([24, 25, 46, 47]);
