/**
 * A network in memory: for tests, and for peers in one process.
 *
 * @module
 */

import { formatHostPort } from "../address.ts";
import { CircuitError } from "../errors.ts";
import type { Conn, Listener, Network } from "./network.ts";

/** Bytes that a connection holds between writer and reader: 64 KiB. */
const PIPE_BYTES = 64 * 1024;

/** A port that dials can be made to; what it accepts it gets in order. */
interface Bound {
  readonly pending: Conn[];
  waiting: ((conn: Conn | undefined) => void) | undefined;
}

/**
 * A network of its own: hosts are any names, ports are numbers, connections are bounded pipes.
 * Faults can be put in by hand.
 */
export class MemoryNetwork implements Network {
  readonly #bound = new Map<string, Bound>();
  readonly #open = new Set<Pipe>();
  #nextPort = 1;

  /** Refused unless somebody listens at exactly this host and port. */
  dial(host: string, port: number, signal: AbortSignal): Promise<Conn> {
    const where = formatHostPort(host, port);
    const bound = this.#bound.get(where);
    if (signal.aborted || !bound) {
      const cause = new Error(signal.aborted ? "cancelled" : "connection refused");
      if (!signal.aborted) cause.name = "ConnectionRefused";
      return Promise.reject(
        new CircuitError("UNREACHABLE", `cannot connect to ${where}: ${cause.message}`, { cause }),
      );
    }
    const up = this.#pipe();
    const down = this.#pipe();
    const accepted = connection(up, down, "dialler:0", host);
    if (bound.waiting) bound.waiting(accepted);
    else bound.pending.push(accepted);
    return Promise.resolve(connection(down, up, where, "dialler"));
  }

  /** Port 0 picks one that was never used before. */
  listen(host: string, port: number): Listener {
    const chosen = port || this.#nextPort++;
    const where = formatHostPort(host, chosen);
    if (this.#bound.has(where)) {
      throw new CircuitError("BUSY", `cannot listen on ${where}: the port is in use`);
    }
    const bound: Bound = { pending: [], waiting: undefined };
    this.#bound.set(where, bound);
    return {
      port: chosen,
      accept: () => {
        const next = bound.pending.shift();
        if (next || this.#bound.get(where) !== bound) return Promise.resolve(next);
        return new Promise((resolve) => {
          bound.waiting = (conn) => {
            bound.waiting = undefined;
            resolve(conn);
          };
        });
      },
      close: () => {
        if (this.#bound.get(where) === bound) this.#bound.delete(where);
        for (const conn of bound.pending.splice(0)) conn.close();
        bound.waiting?.(undefined);
      },
    };
  }

  /** Breaks every connection there is, as a cable that is cut. */
  cut(): void {
    for (const pipe of [...this.#open]) pipe.close();
  }

  /** Holds back (true) or lets through (false) the bytes of every connection that there is now. */
  stall(stalled: boolean): void {
    for (const pipe of this.#open) pipe.stall(stalled);
  }

  #pipe(): Pipe {
    const pipe = new Pipe(() => this.#open.delete(pipe));
    this.#open.add(pipe);
    return pipe;
  }
}

function connection(reads: Pipe, writes: Pipe, remote: string, localHost: string): Conn {
  return {
    remote,
    localHost,
    read: (buffer) => reads.read(buffer),
    write: (bytes) => writes.write(bytes),
    close() {
      reads.close();
      writes.close();
    },
  };
}

/** One direction of a connection: a ring of bytes with a reader and a writer that wait. */
class Pipe {
  readonly #ring = new Uint8Array(PIPE_BYTES);
  readonly #onClose: () => void;
  #at = 0;
  #length = 0;
  #closed = false;
  #stalled = false;
  #changed: PromiseWithResolvers<void> | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#length === 0 || this.#stalled) {
      if (this.#closed) return null;
      await this.#change();
    }
    const count = Math.min(buffer.length, this.#length, PIPE_BYTES - this.#at);
    buffer.set(this.#ring.subarray(this.#at, this.#at + count));
    this.#at = (this.#at + count) % PIPE_BYTES;
    this.#length -= count;
    this.#notify();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#length === PIPE_BYTES && !this.#closed) await this.#change();
    if (this.#closed) throw new Error("the connection is closed");
    const to = (this.#at + this.#length) % PIPE_BYTES;
    const count = Math.min(bytes.length, PIPE_BYTES - this.#length, PIPE_BYTES - to);
    this.#ring.set(bytes.subarray(0, count), to);
    this.#length += count;
    this.#notify();
    return count;
  }

  stall(stalled: boolean): void {
    this.#stalled = stalled;
    this.#notify();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    this.#notify();
  }

  #change(): Promise<void> {
    this.#changed ??= Promise.withResolvers();
    return this.#changed.promise;
  }

  #notify(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}
