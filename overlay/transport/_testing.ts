/**
 * What the transport's tests share: pairs of sessions over any network, a clock that a test moves,
 * and chance from a seed.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { CircuitError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import { answerSession, dialSession, type Endpoint } from "./connect.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Conn, Network } from "./network.ts";
import type { Session } from "./session.ts";
import type { Incoming } from "./session_types.ts";
import type { Stream } from "./stream.ts";
import { tcp } from "./tcp.ts";

/** The ID of the server that answers in tests. */
export const SERVER_ID = "X0123456789abcdef";

/** The ID of a server that dials in tests. */
export const OTHER_ID = "Xfedcba9876543210";

/** A server's address with this ID; nobody dials it. */
export function addressOf(id: string): string {
  return `circuit://127.0.0.1:1/1/Q${id.slice(1)}`;
}

/** Networks to run a test on. */
export const NETWORKS: Readonly<Record<string, () => Network>> = {
  memory: () => new MemoryNetwork(),
  TCP: () => tcp,
};

/** Resolves when everything has run that can run without new input. No time passes. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when `done` is true, however long that takes; the test runner has the last word. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await settle();
}

/** What went wrong in `work`. */
export async function failureOf(work: Promise<unknown>): Promise<CircuitError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CircuitError) return error;
    throw new Error(`not a CircuitError: ${error}`, { cause: error });
  }
  throw new Error("nothing went wrong, where something should have");
}

/** Counts what is read and written, and can cut or stall: a connection in a test's hands. */
export class Tap implements Conn {
  readonly #conn: Conn;
  readonly remote: string;
  readonly localHost: string;
  /** Everything that was written. */
  readonly written = new FrameBuffer();
  /** Writes so far. */
  writes = 0;
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(conn: Conn) {
    this.#conn = conn;
    this.remote = conn.remote;
    this.localHost = conn.localHost;
  }

  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#gate) await this.#gate.promise;
    const count = await this.#conn.write(bytes);
    if (this.record) this.written.bytes(bytes.subarray(0, count));
    this.writes++;
    return count;
  }

  /** Keep what is written. */
  record = false;

  /** Holds writes back (true) or lets them go (false). */
  stall(stalled: boolean): void {
    this.#gate?.resolve();
    this.#gate = stalled ? Promise.withResolvers() : undefined;
  }

  close(): void {
    this.#gate?.resolve();
    this.#conn.close();
  }
}

/** Two sessions with each other. */
export interface Pair extends AsyncDisposable {
  readonly dialler: Session;
  readonly acceptor: Session;
  /** The two ends' connections. */
  readonly conns: { readonly dialler: Tap; readonly acceptor: Tap };
}

/** What each end of a pair is made of. */
export interface PairOptions {
  readonly network?: Network;
  readonly dialler?: Partial<Endpoint>;
  readonly acceptor?: Partial<Endpoint>;
}

/** Connects two sessions. The dialler is a server too, so that both ends may be asked. */
export async function connectPair(options: PairOptions = {}): Promise<Pair> {
  const network = options.network ?? new MemoryNetwork();
  const taps: Tap[] = [];
  const tapped: Network = {
    async dial(host, port, signal) {
      const tap = new Tap(await network.dial(host, port, signal));
      taps.push(tap);
      return tap;
    },
    listen: (host, port) => network.listen(host, port),
  };
  const listener = network.listen("127.0.0.1", 0);
  const server = { id: SERVER_ID, address: addressOf(SERVER_ID) };
  const other = { id: OTHER_ID, address: addressOf(OTHER_ID) };
  const accepting = listener.accept();
  const [dialler, [acceptor, tap]] = await Promise.all([
    dialSession({ network: tapped, self: other, ...options.dialler }, {
      host: "127.0.0.1",
      port: listener.port,
      id: SERVER_ID,
    }),
    accepting.then(async (conn): Promise<[Session, Tap]> => {
      const tap = new Tap(conn!); // the listener is closed later only
      return [await answerSession({ network, self: server, ...options.acceptor }, tap), tap];
    }),
  ]);
  listener.close();
  const conns = { dialler: taps[0]!, acceptor: tap }; // the dial has succeeded
  return {
    dialler,
    acceptor,
    conns,
    async [Symbol.asyncDispose]() {
      conns.dialler.close();
      conns.acceptor.close();
      await Promise.all([dialler.closed, acceptor.closed]);
    },
  };
}

/** A pair, seen from who opens streams. */
export interface Sides extends AsyncDisposable {
  /** Opens streams. */
  readonly opener: Session;
  /** Answers them. */
  readonly answerer: Session;
  readonly openerConn: Tap;
  readonly answererConn: Tap;
  /** Takes the requests; set it before the first. */
  onRequest: (stream: Stream, incoming: Incoming) => void;
}

/** Registers a test for each network and each direction in which streams can be opened. */
export function testEachWay(
  name: string,
  body: (sides: Sides) => Promise<void>,
  options: Partial<Endpoint> = {},
): void {
  for (const [networkName, makeNetwork] of Object.entries(NETWORKS)) {
    for (const way of ["dialler", "acceptor"] as const) {
      Deno.test(`${name} (${networkName}, the ${way} opens)`, async () => {
        const requests = { take: (_stream: Stream, _incoming: Incoming): void => {} };
        const endpoint: Partial<Endpoint> = {
          ...options,
          onRequest: (incoming) => requests.take(incoming.session.accept(incoming), incoming),
        };
        const network = makeNetwork();
        await using pair = await connectPair({ network, dialler: endpoint, acceptor: endpoint });
        const other = way === "dialler" ? "acceptor" : "dialler";
        await body({
          opener: pair[way],
          answerer: pair[other],
          openerConn: pair.conns[way],
          answererConn: pair.conns[other],
          set onRequest(take: Sides["onRequest"]) {
            requests.take = take;
          },
          [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
        });
      });
    }
  }
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; readonly every?: number; readonly call: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  every(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, every: ms, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers call back in order, and what they cause happens in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      if (next.every === undefined) this.#timers.delete(next);
      else next.at += next.every;
      next.call();
    }
    this.#now = end;
    await settle();
  }

  /** Lets time pass in which nothing runs, as in a process that is stopped. */
  stop(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers) timer.at = Math.max(timer.at, this.#now);
  }
}

/** Reads a stream to its end, granting what was read. */
export async function readAll(stream: Stream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(); part; part = await stream.read()) {
    stream.grant(part.length);
    parts.push(part);
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
