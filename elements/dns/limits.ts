/**
 * Every limit of a name server, with its unit. Nothing that comes from the network or from a user is
 * stored or computed on before it is checked against these.
 *
 * @module
 */

/** Most bytes of a query, over UDP and over TCP: 4 KiB. Real ones have less than 300. */
export const MAX_QUERY_BYTES = 4 * 1024;

/** Most additional records of a query; OPT and TSIG are the ones that there are. */
export const MAX_QUERY_ADDITIONALS = 4;

/** Bytes of a UDP answer to a client without EDNS (RFC 1035, section 2.3.4). */
export const PLAIN_UDP_BYTES = 512;

/** Most bytes of a UDP answer, whatever the client takes: what no path has to fragment. */
export const MAX_UDP_BYTES = 1232;

/** Most bytes of a TCP answer: what its length field holds. */
export const MAX_TCP_BYTES = 65_535;

/** Most aliases, CNAME and DNAME together, that are followed for one query. */
export const MAX_CHAIN = 16;

/** TCP clients at a time; one more ends the one that has been silent for the longest. */
export const MAX_TCP_CLIENTS = 128;

/**
 * Milliseconds that a TCP client has for one query to arrive whole and its answer to be taken, and
 * for which it may be silent between two (RFC 7766, section 6.2.3, leaves the figure open).
 */
export const TCP_TURN_MS = 10_000;

/** Milliseconds until a socket is tried again that has failed to accept or to receive. */
export const RETRY_MS = 100;

/** How often another free port is looked for that UDP and TCP can share. */
export const MAX_PORT_ATTEMPTS = 32;

/** Longest record in zone-file form, in characters: 32 Ki. */
export const MAX_RECORD_CHARS = 32 * 1024;

/**
 * Most bytes of the records of one name and type in an answer: 48 KiB, so that they fit in a TCP
 * answer together with a chain of aliases.
 */
export const MAX_SET_BYTES = 48 * 1024;

/**
 * Most bytes of all records in zone-file form: 448 KiB, some ten thousand records, so that `peek`
 * can tell all of them in one frame.
 */
export const MAX_TEXT_BYTES = 448 * 1024;

/** Bytes that count against {@linkcode MAX_TEXT_BYTES} for a name or a record beside its text. */
export const TEXT_OVERHEAD_BYTES = 8;

/** Longest time to live, in seconds (RFC 2181, section 8). */
export const MAX_TTL = 2 ** 31 - 1;

/** Time to live of a record that is set without one, in seconds: an hour. */
export const DEFAULT_TTL = 3600;
