/**
 * How the data of each type are written in zone files, as a table of fields.
 *
 * Why not a zone-file parser of npm: a name server must take every type, change nothing, and refuse a
 * wrong record with the reason. Of the 48 right records in record_test.ts and its 68 wrong ones,
 *
 * - `@nictool/dns-zone` 1.1.5 with `@nictool/dns-resource-record` 1.6.0, the best, reads 28 and takes
 *   19: it refuses `TYPE65 \# 3 000100`, CERT, NSEC3, RRSIG and SOA with times as in `2h`, joins the
 *   strings of a TXT to one and cuts them off at an escaped quote, makes `2001:db8::1:0:2` of the
 *   address `2001:db8::1::2`, drops a second address in silence, and prints to standard output;
 * - `dnsz` 4.5.2 reads all 48 and takes 56, for it looks at no data; it also loses escapes in names,
 *   cuts a quoted string at a newline, takes `x IN 3600 A 192.0.2.1` for type IN, and skips in silence
 *   what it cannot split;
 * - `dns-zonefile` 0.3.2 and `zone-file` 1.0.0 read 17 and 19 and take 39 each: any word is an address
 *   to them, and what is no number is null.
 *
 * What is below is text only:
 * the bytes are made by `dns-packet`, and each row names the codec of the library that makes them.
 *
 * @module
 */

import * as field from "./fields.ts";
import type { Field } from "./fields.ts";

/** How the data of a type are written. */
export interface Row {
  /** The library's codec for it: its own, or that of a type with data of the same make. */
  readonly codec: string;
  /** The fields in their order, by their names in the library; one alone, if it is the data. */
  readonly fields: Field | Readonly<Record<string, Field>>;
}

const hostName: Row = { codec: "NS", fields: field.name };
const texts: Row = { codec: "TXT", fields: field.texts };
const exchange: Row = { codec: "MX", fields: { preference: field.u16, exchange: field.name } };

const digest: Row = {
  codec: "DS",
  fields: { keyTag: field.u16, algorithm: field.u8, digestType: field.u8, digest: field.hex },
};

const key: Row = {
  codec: "DNSKEY",
  fields: {
    flags: field.u16,
    protocol: field.only(3),
    algorithm: field.u8,
    key: field.base64,
  },
};

const signature: Row = {
  codec: "RRSIG",
  fields: {
    typeCovered: field.recordType,
    algorithm: field.u8,
    labels: field.u8,
    originalTTL: field.u32,
    expiration: field.moment,
    inception: field.moment,
    keyTag: field.u16,
    signersName: field.name,
    signature: field.base64,
  },
};

/** By the types' names. A type that is not here is written as RFC 3597 has it for any type. */
const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ["A", { codec: "A", fields: field.ipv4 }],
  ["AAAA", { codec: "AAAA", fields: field.ipv6 }],
  ["AFSDB", exchange],
  ["CAA", { codec: "CAA", fields: { flags: field.u8, tag: field.tag, value: field.text } }],
  ["CDNSKEY", key],
  ["CDS", digest],
  ["CNAME", hostName],
  ["DHCID", { codec: "DHCID", fields: field.base64 }],
  ["DLV", digest],
  ["DNAME", hostName],
  ["DNSKEY", key],
  ["DS", digest],
  ["HINFO", { codec: "TXT", fields: field.twoTexts }],
  ["KEY", key],
  ["KX", exchange],
  ["MX", exchange],
  ["NAPTR", {
    codec: "NAPTR",
    fields: {
      order: field.u16,
      preference: field.u16,
      flags: field.text,
      services: field.text,
      regexp: field.text,
      replacement: field.name,
    },
  }],
  ["NS", hostName],
  ["NSEC", { codec: "NSEC", fields: { nextDomain: field.name, rrtypes: field.recordTypes } }],
  ["NSEC3", {
    codec: "NSEC3",
    fields: {
      algorithm: field.u8,
      flags: field.u8,
      iterations: field.u16,
      salt: field.salt,
      nextDomain: field.base32,
      rrtypes: field.recordTypes,
    },
  }],
  ["PTR", hostName],
  ["RP", { codec: "RP", fields: { mbox: field.mailbox, txt: field.name } }],
  ["RRSIG", signature],
  ["SIG", signature],
  ["SOA", {
    codec: "SOA",
    fields: {
      mname: field.name,
      rname: field.mailbox,
      serial: field.u32,
      refresh: field.span,
      retry: field.span,
      expire: field.span,
      minimum: field.span,
    },
  }],
  ["SPF", texts],
  ["SRV", {
    codec: "SRV",
    fields: { priority: field.u16, weight: field.u16, port: field.u16, target: field.name },
  }],
  ["SSHFP", {
    codec: "SSHFP",
    fields: { algorithm: field.u8, hash: field.u8, fingerprint: field.hexText },
  }],
  ["TA", digest],
  ["TLSA", {
    codec: "TLSA",
    fields: {
      usage: field.u8,
      selector: field.u8,
      matchingType: field.u8,
      certificate: field.hex,
    },
  }],
  ["TXT", texts],
]);

/** How data of this type are written. */
export function rowOf(type: string): Row {
  return ROWS.get(type) ?? { codec: type, fields: field.generic };
}
