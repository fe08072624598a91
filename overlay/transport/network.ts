/**
 * What the transport needs of a network: byte connections that can be dialled and accepted. TCP is
 * one, memory another.
 *
 * @module
 */

/** A reliable connection between two peers: bytes in order, both ways. */
export interface Conn {
  /** Reads into `buffer`; resolves with how many bytes, or null at the end. One read at a time. */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of `bytes`; resolves with how many. One write at a time. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Closes both directions; pending reads and writes end. Closing twice is harmless. */
  close(): void;
  /** The peer, for messages: `HOST:PORT`. */
  readonly remote: string;
  /** The address that this side has on the connection, without port. */
  readonly localHost: string;
}

/** Accepts connections. */
export interface Listener {
  /** The port that it listens on. */
  readonly port: number;
  /**
   * The next connection; undefined once the listener is closed.
   *
   * @throws {CircuitError} `BUSY` if the process has no file descriptor left for it. The listener is
   * well: asking again tries again.
   */
  accept(): Promise<Conn | undefined>;
  /** Stops accepting; connections that were accepted stay. Closing twice is harmless. */
  close(): void;
}

/** A way to reach peers. */
export interface Network {
  /**
   * Connects.
   *
   * @param signal Gives up when aborted.
   * @throws {CircuitError} `UNREACHABLE`, with the reason; its cause is named `ConnectionRefused`
   * where the host is there and nobody listens, see {@linkcode isRefusal}.
   */
  dial(host: string, port: number, signal: AbortSignal): Promise<Conn>;
  /**
   * Listens; port 0 picks one.
   *
   * @throws {CircuitError} `BUSY` if the port is in use, `BAD_REQUEST` if the address is not this
   * machine's, `DENIED` if it may not be used.
   */
  listen(host: string, port: number): Listener;
}

/** True when a dial failed because the host answered that nobody listens there. */
export function isRefusal(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.name === "ConnectionRefused";
}
