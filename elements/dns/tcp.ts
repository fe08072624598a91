/**
 * Answers queries over TCP (RFC 7766): each message has its length before it, in two bytes.
 *
 * @module
 */

import { delay } from "../../overlay/delay.ts";
import { MAX_QUERY_BYTES, MAX_TCP_CLIENTS, RETRY_MS, TCP_TURN_MS } from "./limits.ts";
import type { Answer } from "./udp.ts";

/** How TCP is served; each has a default in limits.ts. */
export interface TcpOptions {
  /** Clients at a time. */
  readonly maxClients?: number;
  /** Milliseconds for a query to arrive and its answer to be taken. */
  readonly turnMs?: number;
}

/**
 * Accepts clients and answers their queries until the listener is closed; then ends those that are
 * left.
 *
 * - Queries of one client are answered in their order, one at a time, so what waits is bounded.
 * - A client has its turn's time from the end of the one before, whatever it does with it: send
 *   nothing, send slowly, or not take its answer. Then it is disconnected.
 * - One that announces a query of more than {@linkcode MAX_QUERY_BYTES}, or gets no answer, is
 *   disconnected.
 *
 * @param signal Aborted before the listener is closed.
 * @param failed Gets errors of the listener, the first of a row.
 */
export async function serveTcp(
  listener: Deno.TcpListener,
  answer: Answer,
  signal: AbortSignal,
  failed: (error: unknown) => void,
  options: TcpOptions = {},
): Promise<void> {
  const { maxClients = MAX_TCP_CLIENTS, turnMs = TCP_TURN_MS } = options;
  // In the order of their last sign of life.
  const clients = new Set<Client>();
  const ends = new Set<Promise<void>>();
  let well = true;
  while (!signal.aborted) {
    try {
      const connection = await listener.accept();
      well = true;
      const client = new Client(connection, answer, turnMs, () => {
        clients.delete(client);
        clients.add(client);
      });
      clients.add(client);
      const end = client.serve().finally(() => {
        clients.delete(client);
        ends.delete(end);
      });
      ends.add(end);
      const [stalest] = clients;
      if (clients.size > maxClients) stalest?.close();
    } catch (error) {
      if (signal.aborted) break;
      if (well) failed(error);
      well = false;
      await delay(RETRY_MS, signal);
    }
  }
  for (const client of clients) client.close();
  await Promise.all(ends);
}

class Client {
  readonly #connection: Deno.TcpConn;
  readonly #answer: Answer;
  readonly #turnMs: number;
  readonly #alive: () => void;
  readonly #buffer = new Uint8Array(2 + MAX_QUERY_BYTES);
  #filled = 0;
  #closed = false;
  /** Ends the wait for a write under way. */
  #giveUp: ((reason: Error) => void) | undefined;

  constructor(connection: Deno.TcpConn, answer: Answer, turnMs: number, alive: () => void) {
    this.#connection = connection;
    this.#answer = answer;
    this.#turnMs = turnMs;
    this.#alive = alive;
  }

  /** Answers its queries; resolves when the connection is closed, and never fails. */
  async serve(): Promise<void> {
    try {
      while (await this.#turn()) this.#alive();
    } catch {
      // The client is gone, or its time is over.
    }
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#giveUp?.(new Error("the connection is closed"));
  }

  async #turn(): Promise<boolean> {
    const timer = setTimeout(() => this.close(), this.#turnMs);
    try {
      if (!await this.#fill(2)) return false;
      const length = this.#buffer[0]! << 8 | this.#buffer[1]!; // `#fill` has put two bytes there.
      if (length > MAX_QUERY_BYTES || !await this.#fill(2 + length)) return false;
      const reply = this.#answer(this.#buffer.subarray(2, 2 + length));
      this.#buffer.copyWithin(0, 2 + length, this.#filled);
      this.#filled -= 2 + length;
      if (!reply) return false;
      await this.#send(reply);
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads until the buffer holds so many bytes; false if the client has ended before. */
  async #fill(bytes: number): Promise<boolean> {
    while (this.#filled < bytes) {
      const count = await this.#connection.read(this.#buffer.subarray(this.#filled));
      if (count === null) return false;
      this.#filled += count;
    }
    return true;
  }

  /** Length and message in one write, since some clients take them for one segment. */
  async #send(reply: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(2 + reply.length);
    new DataView(bytes.buffer).setUint16(0, reply.length);
    bytes.set(reply, 2);
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#write(bytes.subarray(sent));
    }
  }

  /** Deno 2.7 goes on with a write after a close, until the client reads or is gone. */
  #write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      this.#connection.write(bytes).then(resolve, reject);
    });
  }
}
