/**
 * Every limit of the transport, with its unit. A peer's lengths are checked against these before
 * anything is allocated.
 *
 * @module
 */

/** Bytes of a frame's header. */
export const HEADER_BYTES = 10;

/** Most payload bytes of a DATA frame: 64 KiB. Larger writes are cut, so that others get a turn. */
export const MAX_DATA_BYTES = 64 * 1024;

/** Most payload bytes of any other frame: 512 KiB. */
export const MAX_PAYLOAD_BYTES = 512 * 1024;

/** Most body bytes that ride along in an OPEN or REPLY frame: 32 KiB. */
export const MAX_INLINE_BYTES = 32 * 1024;

/** Bytes that the opener of a stream may send before the first CREDIT: 32 KiB. */
export const INITIAL_WINDOW = 32 * 1024;

/** Largest window that a peer may be granted, in bytes: 16 MiB. */
export const MAX_WINDOW = 16 * 1024 * 1024;

/** Streams that may be open on a connection at a time, those of both sides together. */
export const MAX_STREAMS = 65_536;

/** Bytes that are gathered into one write when much is waiting: 256 KiB. */
export const BATCH_BYTES = 256 * 1024;

/** Stream bytes that go into a batch even where small frames have filled it: 64 KiB. */
export const FAIR_BYTES = 64 * 1024;

/** Memory for writing that an idle connection keeps: 16 KiB. */
export const KEPT_WRITE_BYTES = 16 * 1024;

/**
 * Bytes of control frames that may wait for a peer that does not read: 32 MiB. Stream bytes do not
 * count, the windows bound those. A connection that passes it is closed.
 */
export const MAX_QUEUED_BYTES = 32 * 1024 * 1024;

/**
 * Bytes that may wait to be written to a peer, small frames and the stream bytes that ride along with
 * them: 256 MiB. A connection that passes it is closed. Windows bound these bytes for each stream,
 * but a stream that has ended is over before its last bytes are read.
 */
export const MAX_UNSENT_BYTES = 256 * 1024 * 1024;

/**
 * Bytes of streams that a peer has opened which may wait on its connection until they are read or
 * passed on: 256 MiB, all streams together. A stream that would take more of it is reset.
 */
export const MAX_HELD_BYTES = 256 * 1024 * 1024;

/**
 * Bytes that may wait to be written to a peer before the server's budget has a say: 512 KiB, more than
 * a batch and what gathers behind it. So a full budget silences no peer that reads.
 */
export const UNCOUNTED_UNSENT_BYTES = 512 * 1024;

/**
 * Bytes of a connection's read buffer that the server's budget does not count: 64 KiB and a header,
 * which take any DATA frame.
 */
export const UNCOUNTED_READ_BYTES = MAX_DATA_BYTES + HEADER_BYTES;

/** Bytes that an open call counts for in the server's budget: 2 KiB, what its objects take. */
export const CALL_BYTES = 2 * 1024;

/** Calls of a connection that are taken even if the budget is full: 16, to see and to scrub. */
export const FREE_CALLS = 16;

/** Most bytes of an error's message on the wire: 4 KiB; longer ones are cut. */
export const MAX_ERROR_BYTES = 4 * 1024;

/** Most bytes of a method's name. */
export const MAX_METHOD_BYTES = 64;

/** Most bytes of a path: 64 components of 255 bytes, and their slashes. */
export const MAX_PATH_BYTES = 64 * 256;

/** Connections that a server has at a time, with clients and with servers: one more is refused. */
export const MAX_CONNECTIONS = 4_096;

/**
 * Connections beyond {@linkcode MAX_CONNECTIONS} that there are for servers only, so that clients
 * cannot take a server out of its circuit.
 */
export const SERVER_RESERVE = 64;

/** Connections beside those that are not yet done with hello and key; one more ends another one. */
export const MAX_HANDSHAKES = 1_024;

/** Milliseconds that a peer has for its hello and for the exchange of keys. */
export const HELLO_TIMEOUT_MS = 5_000;

/** Most bytes of the text in a hello. */
export const MAX_HELLO_TEXT_BYTES = 1_024;

/** Milliseconds between looks at whether a connection is alive. */
export const KEEPALIVE_MS = 2_000;

/**
 * Milliseconds of silence, while calls are open, after which a connection counts as lost; one
 * without calls after {@linkcode IDLE_PING_MS} more.
 */
export const SILENCE_MS = 10_000;

/** Milliseconds after which an idle connection without calls is pinged, for the sake of NATs. */
export const IDLE_PING_MS = 30_000;

/** Milliseconds that a closing connection has to write what is queued, or to hear why it is refused. */
export const FLUSH_TIMEOUT_MS = 500;

/** Bytes of a connection's first read buffer: small, since most connections are idle. */
export const MIN_READ_BYTES = 2 * 1024;

/** Bytes of the read buffer of a busy connection: 256 KiB. */
export const MAX_READ_BYTES = 256 * 1024;
