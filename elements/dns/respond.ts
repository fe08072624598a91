/**
 * From the bytes of a query to the bytes of its answer. No I/O.
 *
 * @module
 */

import {
  type Additional,
  Buffer,
  decodeQuery,
  encodeName,
  encodeReply,
  HEADER_BYTES,
  type Opt,
  type Reply,
} from "./codec.ts";
import {
  MAX_QUERY_ADDITIONALS,
  MAX_QUERY_BYTES,
  MAX_TCP_BYTES,
  MAX_UDP_BYTES,
  PLAIN_UDP_BYTES,
} from "./limits.ts";
import type { Records } from "./records.ts";
import { RCODE, type Resolution, resolve } from "./resolve.ts";
import { isMeta } from "./type_names.ts";

/** Bits of the second 16 in a header (RFC 1035, section 4.1.1; RFC 4035, section 3.1.6). */
const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, CD: 0x0010 } as const;
const OPCODE_MASK = 0x7800;

/** The bit of OPT's flags that asks for DNSSEC, which is returned as it came (RFC 3225). */
const DNSSEC_OK = 0x8000;

const CLASS_IN = 1;

const NOTHING: Omit<Resolution, "rcode"> = { answers: [], authorities: [] };

/** How a query came. */
export type Transport = "udp" | "tcp";

/**
 * Answers a query.
 *
 * - What is too short for a header, and what is an answer itself, gets none: an answer to an answer
 *   could go on for ever.
 * - Malformed: FORMERR. Another operation than a query, or a type for transfers or ANY: NOTIMP; ANY
 *   serves nobody so well as those who want large answers sent to others (RFC 8482). Another class
 *   than IN: REFUSED. EDNS of another version than 0: BADVERS.
 * - An answer over UDP has at most 512 bytes, or what the client takes with EDNS, or
 *   {@linkcode MAX_UDP_BYTES}. One that does not fit goes out without records and with TC set, so
 *   that the client asks again over TCP and a forged address gets no more than was sent.
 * - The question is repeated byte for byte.
 *
 * Its time is bounded by the length of the query and of the answer. It never throws.
 *
 * @param query Bytes that may be anything.
 * @returns the answer; undefined for none.
 */
export function respond(
  records: Records,
  query: Uint8Array,
  transport: Transport,
): Uint8Array | undefined {
  if (query.length < HEADER_BYTES) return undefined;
  const bytes = Buffer.from(query.buffer, query.byteOffset, query.length);
  const flags = bytes.readUInt16BE(2);
  if (flags & FLAG.QR) return undefined;
  const header = new Header(bytes.readUInt16BE(0), flags & (OPCODE_MASK | FLAG.RD | FLAG.CD));
  if (flags & OPCODE_MASK) return header.fail(RCODE.NOTIMP);
  if (!hasFitCounts(bytes)) return header.fail(RCODE.FORMERR);
  let decoded: ReturnType<typeof decodeQuery>;
  try {
    decoded = decodeQuery(bytes);
  } catch {
    return header.fail(RCODE.FORMERR);
  }
  try {
    return answer(records, header, decoded, transport);
  } catch {
    return header.fail(RCODE.SERVFAIL);
  }
}

/** One question, nothing else but a few additional records (RFC 9619): so much may be decoded. */
function hasFitCounts(bytes: Buffer): boolean {
  return bytes.length <= MAX_QUERY_BYTES && bytes.readUInt16BE(4) === 1 &&
    bytes.readUInt32BE(6) === 0 && bytes.readUInt16BE(10) <= MAX_QUERY_ADDITIONALS;
}

function answer(
  records: Records,
  header: Header,
  { query, question }: ReturnType<typeof decodeQuery>,
  transport: Transport,
): Uint8Array {
  const opts = query.additionals.filter(isOpt);
  const [opt] = opts;
  if (opts.length > 1 || (opt && opt.name !== ".")) return header.fail(RCODE.FORMERR);
  const { rcode, ...sections } = opt && opt.ednsVersion !== 0
    ? { rcode: RCODE.BADVERS, ...NOTHING }
    : find(records, query.questions[0]?.name ?? ".", question);
  const reply = header.reply(rcode, sections, opt);
  const whole = encodeReply(reply, question);
  if (whole.length <= room(transport, opt)) return whole;
  return encodeReply({ ...reply, ...NOTHING, flags: reply.flags | FLAG.TC }, question);
}

/** What there is to say to the question, given as it was decoded and as it came. */
function find(records: Records, name: string, question: Buffer): Resolution {
  const type = question.readUInt16BE(question.length - 4);
  if (isMeta(type)) return { rcode: RCODE.NOTIMP, ...NOTHING };
  if (question.readUInt16BE(question.length - 2) !== CLASS_IN) {
    return { rcode: RCODE.REFUSED, ...NOTHING };
  }
  // A name that is another one as text, with dots inside labels or bytes that are not UTF-8, is one
  // that no record can have.
  const known = encodeName(name).equals(question.subarray(0, -4));
  return known ? resolve(records, name, type) : { rcode: RCODE.NXDOMAIN, ...NOTHING };
}

function room(transport: Transport, opt: Opt | undefined): number {
  if (transport === "tcp") return MAX_TCP_BYTES;
  return Math.min(MAX_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, opt?.udpPayloadSize ?? 0));
}

function isOpt(additional: Additional): additional is Opt {
  return additional.type === "OPT";
}

/** What an answer takes over from its query's header. */
class Header {
  readonly #id: number;
  readonly #flags: number;

  constructor(id: number, flags: number) {
    this.#id = id;
    this.#flags = flags;
  }

  /** An answer that is nothing but a header. */
  fail(rcode: number): Uint8Array {
    return encodeReply(this.reply(rcode, NOTHING, undefined), Buffer.alloc(0));
  }

  reply(rcode: number, sections: Omit<Resolution, "rcode">, opt: Opt | undefined): Reply {
    const authoritative = rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN ||
      rcode === RCODE.YXDOMAIN;
    return {
      type: "response",
      id: this.#id,
      flags: this.#flags | (authoritative ? FLAG.AA : 0) | (rcode & 0xf),
      questions: [],
      ...sections,
      additionals: opt ? [replyOpt(rcode, opt)] : [],
    };
  }
}

function replyOpt(rcode: number, { flags }: Opt): Opt {
  return {
    name: ".",
    type: "OPT",
    udpPayloadSize: MAX_UDP_BYTES,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    flags: flags & DNSSEC_OK,
    options: [],
  };
}
