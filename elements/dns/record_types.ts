/**
 * How the data of each type are written in zone files, as a table of fields.
 *
 * The zone-file parsers on npm are not used: `dns-zonefile` and `zone-file` know a dozen types out of
 * some forty, skip what they don't know, take any word for an address and `NaN` for a number, and
 * report no errors; a name server must refuse a record with the reason. What is below is text only:
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
