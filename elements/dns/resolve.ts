/**
 * Finds the answer to a question among the records. No I/O.
 *
 * @module
 */

import { Buffer, encodeName, type RawAnswer, rawType } from "./codec.ts";
import { MAX_CHAIN } from "./limits.ts";
import { below, fold, isShort, parent, ROOT, upwards } from "./names.ts";
import type { DnsRecord } from "./record.ts";
import type { Node, Records } from "./records.ts";
import { TYPE } from "./type_names.ts";

/** Response codes (RFC 1035, section 4.1.1; RFC 6672, section 2.2; RFC 6891, section 9). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  /** Its upper bits are in the OPT record. */
  BADVERS: 16,
} as const;

/** What there is to say to a question. */
export interface Resolution {
  /** One of {@linkcode RCODE}. */
  readonly rcode: number;
  /** Aliases in the order in which they were followed, then what was asked for. */
  readonly answers: readonly RawAnswer[];
  /** The SOA record of a negative answer (RFC 2308), if there is one at the name or above it. */
  readonly authorities: readonly RawAnswer[];
}

/**
 * Answers a question.
 *
 * - A name exists if it or one below it has records; one that exists and has none of the type is
 *   answered NOERROR without records, one that does not exist NXDOMAIN.
 * - CNAME and DNAME are followed as far as there are records. Where the last name of a chain does not
 *   exist it is NXDOMAIN (RFC 6604) only if there is a SOA record for it: otherwise it belongs to
 *   somebody else, and nothing is said of it.
 * - A `*` stands for names that do not exist, as in RFC 4592.
 * - There are no zones: an NS record is data as any other, and refers nobody elsewhere.
 * - The records of a name and type go out with one TTL, the least (RFC 2181, section 5.2).
 *
 * @param asked The name as it was asked for; the answer repeats its letter case.
 * @param type What is asked for.
 */
export function resolve(records: Records, asked: string, type: number): Resolution {
  const answers: RawAnswer[] = [];
  const seen = new Set<string>();
  let name = asked;
  for (let hops = 0; hops <= MAX_CHAIN; hops++) {
    const key = fold(name);
    if (seen.has(key)) break;
    seen.add(key);
    const alias = aliasAbove(records, key);
    if (alias) {
      answers.push(raw(alias.name, alias));
      const target = redirected(name, alias);
      if (!isShort(target)) return { rcode: RCODE.YXDOMAIN, answers, authorities: [] };
      answers.push(synthesised(name, target, alias));
      name = target;
      continue;
    }
    const node = nodeFor(records, key);
    const set = node?.get(type);
    if (set) {
      return { rcode: RCODE.NOERROR, answers: [...answers, ...rawSet(name, set)], authorities: [] };
    }
    const cname = node?.get(TYPE.CNAME)?.[0];
    if (!cname?.target) return negative(records, key, node, answers);
    answers.push(raw(name, cname));
    name = cname.target;
  }
  // The aliases lead round in a circle, or too far: the client sees as much as there is.
  return { rcode: RCODE.NOERROR, answers, authorities: [] };
}

function negative(
  records: Records,
  name: string,
  node: Node | undefined,
  answers: readonly RawAnswer[],
): Resolution {
  const soa = firstAbove(records, name, TYPE.SOA);
  const exists = node !== undefined || records.exists(name);
  const elsewhere = answers.length > 0 && !soa;
  const rcode = exists || elsewhere ? RCODE.NOERROR : RCODE.NXDOMAIN;
  return { rcode, answers, authorities: soa ? [raw(soa.name, soa, negativeTtl(soa))] : [] };
}

/** The records of a name, or of the wildcard that stands for it. */
function nodeFor(records: Records, name: string): Node | undefined {
  if (records.exists(name)) return records.at(name);
  for (const above of upwards(name)) {
    if (records.exists(above)) return records.at(below("*", above));
  }
  // Not even the root exists: there are no records.
  return undefined;
}

/** The nearest record of this type at the name or above it. */
function firstAbove(records: Records, name: string, type: number): DnsRecord | undefined {
  for (const above of upwards(name)) {
    const found = records.at(above)?.get(type)?.[0];
    if (found) return found;
  }
  return undefined;
}

/** The DNAME record that stands for all that is below its name, the topmost first (RFC 6672). */
function aliasAbove(records: Records, name: string): DnsRecord | undefined {
  const up = parent(name);
  if (up === undefined) return undefined;
  let found: DnsRecord | undefined;
  for (const above of upwards(up)) found = records.at(above)?.get(TYPE.DNAME)?.[0] ?? found;
  return found;
}

/** The name with what it shares with the alias replaced by the alias's target. */
function redirected(name: string, alias: DnsRecord): string {
  const rest = alias.name === ROOT ? name : name.slice(0, -alias.name.length - 1);
  return below(rest, alias.target ?? ROOT);
}

function synthesised(name: string, target: string, { ttl }: DnsRecord): RawAnswer {
  return { name, type: rawType(TYPE.CNAME), ttl, data: encodeName(target) };
}

function raw(name: string, { type, ttl, data }: DnsRecord, shorter = ttl): RawAnswer {
  return { name, type: rawType(type), ttl: Math.min(ttl, shorter), data };
}

function rawSet(name: string, set: readonly DnsRecord[]): RawAnswer[] {
  const ttl = Math.min(...set.map((record) => record.ttl));
  return set.map((record) => raw(name, record, ttl));
}

/** The last field of a SOA record: for how long that something does not exist may be kept. */
function negativeTtl({ data }: DnsRecord): number {
  return Buffer.from(data).readUInt32BE(data.length - 4);
}
