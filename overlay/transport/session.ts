/**
 * A session: one connection between two peers, and the streams on it.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../errors.ts";
import { type Codec, EMPTY } from "./codec.ts";
import {
  Flag,
  FrameBuffer,
  FrameType,
  maxPayload,
  NO_STREAM,
  readError,
  readOpen,
  readU32,
  writeError,
  writeOpen,
  writeReply,
} from "./frame.ts";
import {
  BATCH_BYTES,
  FLUSH_TIMEOUT_MS,
  HEADER_BYTES,
  IDLE_PING_MS,
  INITIAL_WINDOW,
  KEEPALIVE_MS,
  MAX_QUEUED_BYTES,
  MAX_STREAMS,
  MAX_WINDOW,
  SILENCE_MS,
} from "./limits.ts";
import type { Conn } from "./network.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { Stream } from "./stream.ts";

/** Who is at the other end of a session. */
export interface Peer {
  readonly role: "client" | "server";
  /** Its server ID; undefined for a client. */
  readonly id: string | undefined;
  /** The address that it is known by, or for a client where it connected from. */
  readonly address: string;
}

/** Takes the frames of one stream. Payloads alias the read buffer: copy what is kept. */
export interface FrameSink {
  onFrame(type: FrameType, flags: number, payload: Uint8Array): void;
  /** The connection is lost; no frame will follow. */
  onLost(error: CircuitError): void;
}

/** Has stream bytes to send, and is asked for them when the connection has room. */
export interface FrameSource {
  /** Puts at most one frame into the batch; true if it has another one ready. */
  produce(out: FrameBuffer): boolean;
}

/** A request that a peer has sent. Its bytes alias the read buffer. */
export interface Incoming {
  readonly session: Session;
  readonly stream: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly method: string;
  readonly path: string;
  readonly window: number;
  readonly args: Uint8Array;
  readonly body: Uint8Array;
}

/** What a session is made of. */
export interface SessionOptions {
  readonly conn: Conn;
  /** True on the side that dialled: it numbers its streams oddly, the other side evenly. */
  readonly dialled: boolean;
  readonly peer: Peer;
  readonly codec: Codec;
  /** Takes requests; absent on a peer that serves none. It may throw: the stream is failed then. */
  readonly onRequest?: (incoming: Incoming) => void;
  /** Takes messages of the membership protocol. */
  readonly onMember?: (payload: Uint8Array) => void;
}

/** A request to send. */
export interface OpenOptions {
  /** A plain value; undefined for none. */
  readonly args?: unknown;
  /** The first bytes of the stream, at most {@linkcode INITIAL_WINDOW}. */
  readonly body?: Uint8Array;
  /** True: no more bytes will follow `body`. */
  readonly end?: boolean;
  /** Bytes that the other side may send before it is granted more; default 32 KiB. */
  readonly window?: number;
}

/**
 * Carries any number of concurrent streams over one connection, both ways. Frames that are queued in
 * one turn of the event loop go out as one write. Small frames go before stream bytes, and streams
 * take turns, so a large transfer delays a small call by one batch at most.
 */
export class Session {
  readonly peer: Peer;
  readonly codec: Codec;
  readonly #conn: Conn;
  readonly #options: SessionOptions;
  readonly #streams = new Map<number, FrameSink>();
  readonly #ready = new Set<FrameSource>();
  readonly #closed = Promise.withResolvers<CircuitError>();
  readonly #pings = new Map<number, PromiseWithResolvers<void>>();
  readonly #keepalive: ReturnType<typeof setInterval>;
  #control = new FrameBuffer();
  #spare = new FrameBuffer();
  #writing = false;
  #flushed: PromiseWithResolvers<void> | undefined;
  #nextStream: number;
  #pingCount = 0;
  #lastHeard = performance.now();
  #lastTick = this.#lastHeard;
  #error: CircuitError | undefined;
  #leaving: CircuitError | undefined;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#conn = options.conn;
    this.peer = options.peer;
    this.codec = options.codec;
    this.#nextStream = options.dialled ? 1 : 2;
    this.#keepalive = setInterval(() => this.#tick(), KEEPALIVE_MS);
    this.#readLoop();
  }

  /** Resolves when the session has ended, with why. Never rejects. */
  get closed(): Promise<CircuitError> {
    return this.#closed.promise;
  }

  /** Why the session has ended; undefined while it lives. */
  get error(): CircuitError | undefined {
    return this.#error;
  }

  /** True while requests can be sent: neither ended nor announced to end. */
  get usable(): boolean {
    return this.#error === undefined && this.#leaving === undefined;
  }

  /** Streams that are open now. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Bytes received and sent so far. */
  get traffic(): { in: number; out: number } {
    return { in: this.#bytesIn, out: this.#bytesOut };
  }

  // --- requests -------------------------------------------------------------------------------

  /**
   * Sends a request.
   *
   * @throws {CircuitError} `SERVER_GONE` if the session has ended; `BAD_REQUEST` if the request is
   * too large; `BUSY` if too many streams are open.
   */
  open(method: string, path: string, options: OpenOptions = {}): Stream {
    this.#checkUsable();
    const id = this.#newStreamId();
    const window = Math.min(options.window ?? INITIAL_WINDOW, MAX_WINDOW);
    const body = options.body ?? EMPTY;
    const ended = options.end ?? false;
    writeOpen(this.#control, id, ended ? Flag.END : 0, {
      method,
      path,
      window,
      args: this.codec.encode(options.args),
      body,
    });
    const stream = new Stream(this, id, {
      opener: true,
      receivable: window,
      credit: INITIAL_WINDOW - body.length,
      sent: body.length,
      ended,
    });
    this.#streams.set(id, stream);
    this.#schedule();
    return stream;
  }

  /** Passes on a request as it came, for the relay; returns the new stream's number. */
  forward(incoming: Incoming, sink: FrameSink): number {
    this.#checkUsable();
    const id = this.#newStreamId();
    this.#control.frame(FrameType.OPEN, incoming.flags | Flag.RELAYED, id, incoming.payload);
    this.#streams.set(id, sink);
    this.#schedule();
    return id;
  }

  /** Takes a request: from here on the stream is the caller's to answer. */
  accept(incoming: Incoming): Stream {
    const stream = new Stream(this, incoming.stream, {
      opener: false,
      receivable: INITIAL_WINDOW,
      credit: incoming.window,
    });
    this.#streams.set(incoming.stream, stream);
    stream.receive(incoming.body, (incoming.flags & Flag.END) !== 0);
    return stream;
  }

  /** Takes a request on behalf of another session: its frames go to `sink`. */
  attach(stream: number, sink: FrameSink): void {
    this.#streams.set(stream, sink);
  }

  /** The stream is over: frames that still come for it are ignored. */
  forget(stream: number): void {
    this.#streams.delete(stream);
  }

  // --- sending --------------------------------------------------------------------------------

  /** Queues a REPLY frame. */
  sendReply(stream: number, flags: number, result: Uint8Array, body: Uint8Array): void {
    if (this.#error) return;
    writeReply(this.#control, stream, flags, result, body);
    this.#schedule();
  }

  /** Queues a CREDIT frame. */
  sendCredit(stream: number, bytes: number): void {
    if (this.#error) return;
    this.#control.begin(FrameType.CREDIT, 0, stream);
    this.#control.u32(bytes);
    this.#control.finish();
    this.#schedule();
  }

  /** Queues a RESET frame. */
  sendReset(stream: number, error: CircuitError): void {
    if (this.#error) return;
    writeError(this.#control, FrameType.RESET, stream, error);
    this.#schedule();
  }

  /** Queues a small frame as it is. */
  sendFrame(type: FrameType, flags: number, stream: number, payload: Uint8Array): void {
    if (this.#error) return;
    this.#control.frame(type, flags, stream, payload);
    this.#schedule();
  }

  /** Queues a message of the membership protocol. */
  sendMember(payload: Uint8Array): void {
    this.sendFrame(FrameType.MEMBER, 0, NO_STREAM, payload);
  }

  /** Asks `source` for frames when there is room. */
  sendWhenReady(source: FrameSource): void {
    if (this.#error) return;
    this.#ready.add(source);
    this.#schedule();
  }

  /**
   * Sends a PING; resolves when its PONG is there, however many transfers are under way.
   *
   * @throws {CircuitError} why the session ended.
   */
  ping(): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    const number = ++this.#pingCount;
    const answered = Promise.withResolvers<void>();
    this.#pings.set(number, answered);
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setUint32(4, number);
    this.sendFrame(FrameType.PING, 0, NO_STREAM, payload);
    return answered.promise;
  }

  #schedule(): void {
    if (this.#writing || this.#error) return;
    this.#writing = true;
    queueMicrotask(() => this.#writeLoop());
  }

  async #writeLoop(): Promise<void> {
    try {
      while (this.#control.length > 0 || this.#ready.size > 0) {
        const batch = this.#control;
        this.#control = this.#spare;
        this.#fill(batch);
        let at = 0;
        const bytes = batch.view();
        while (at < bytes.length) {
          at += await this.#conn.write(at === 0 ? bytes : bytes.subarray(at));
        }
        this.#bytesOut += bytes.length;
        batch.clear();
        this.#spare = batch;
        if (this.#control.length > MAX_QUEUED_BYTES) {
          throw new CircuitError("BUSY", "it does not read what it is sent");
        }
      }
      this.#writing = false;
      this.#flushed?.resolve();
    } catch (error) {
      this.#lose(error);
    }
  }

  /** Streams take turns, a frame each, until the batch is full. */
  #fill(batch: FrameBuffer): void {
    for (const source of this.#ready) {
      if (batch.length >= BATCH_BYTES) return;
      // Out and in again: behind all others.
      this.#ready.delete(source);
      if (source.produce(batch)) this.#ready.add(source);
    }
  }

  // --- receiving ------------------------------------------------------------------------------

  async #readLoop(): Promise<void> {
    const buffer = new ReadBuffer();
    try {
      while (!this.#error) {
        const count = await this.#conn.read(buffer.space());
        if (count === null) return this.#lose(undefined);
        this.#bytesIn += count;
        this.#lastHeard = performance.now();
        buffer.filled(count);
        while (this.#takeFrame(buffer));
      }
    } catch (error) {
      this.#lose(error);
    }
  }

  #takeFrame(buffer: ReadBuffer): boolean {
    if (buffer.available < HEADER_BYTES) {
      buffer.want(HEADER_BYTES);
      return false;
    }
    const { bytes, at } = buffer;
    const length = readU32(bytes, at);
    const type = bytes[at + 4]!;
    const most = maxPayload(type);
    if (length > most) {
      throw new CircuitError(
        "PROTOCOL",
        most < 0 ? `it sent a frame of unknown type ${type}` : `it sent a frame of ${length} ` +
          `bytes, at most ${most} are allowed`,
      );
    }
    if (buffer.available < HEADER_BYTES + length) {
      buffer.want(HEADER_BYTES + length);
      return false;
    }
    buffer.take(HEADER_BYTES + length);
    const payload = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    this.#onFrame(type as FrameType, bytes[at + 5]!, readU32(bytes, at + 6), payload);
    return !this.#error;
  }

  #onFrame(type: FrameType, flags: number, stream: number, payload: Uint8Array): void {
    switch (type) {
      case FrameType.OPEN:
        return this.#onOpen(flags, stream, payload);
      case FrameType.PING:
        return this.sendFrame(FrameType.PONG, 0, NO_STREAM, payload);
      case FrameType.PONG:
        return this.#onPong(payload);
      case FrameType.GOAWAY:
        this.#leaving = readError(payload);
        return;
      case FrameType.MEMBER:
        return this.#options.onMember?.(payload);
      default:
        // A stream that is over here may be news to the peer: what it still sends is ignored.
        this.#streams.get(stream)?.onFrame(type, flags, payload);
    }
  }

  #onOpen(flags: number, stream: number, payload: Uint8Array): void {
    const parity = this.#options.dialled ? 0 : 1;
    if (stream === NO_STREAM || stream % 2 !== parity || this.#streams.has(stream)) {
      throw new CircuitError("PROTOCOL", `it opened a stream with number ${stream}, out of turn`);
    }
    const open = readOpen(payload);
    if (open.window > MAX_WINDOW || open.body.length > INITIAL_WINDOW) {
      throw new CircuitError("PROTOCOL", "it opened a stream with more bytes than are allowed");
    }
    const refuse = (error: CircuitError) => this.sendReset(stream, error);
    if (this.#streams.size >= MAX_STREAMS) {
      return refuse(
        new CircuitError("BUSY", `${MAX_STREAMS} calls are open on this connection, that is all`),
      );
    }
    const { onRequest } = this.#options;
    if (!onRequest) return refuse(new CircuitError("UNSUPPORTED", "a client answers no requests"));
    try {
      onRequest({ session: this, stream, flags, payload, ...open });
    } catch (error) {
      this.#streams.delete(stream);
      refuse(toCircuitError(error));
    }
  }

  #onPong(payload: Uint8Array): void {
    if (payload.length !== 8) return;
    const number = readU32(payload, 4);
    const answered = this.#pings.get(number);
    this.#pings.delete(number);
    answered?.resolve();
  }

  // --- life and death -------------------------------------------------------------------------

  #tick(): void {
    const now = performance.now();
    const stalled = now - this.#lastTick > 2 * KEEPALIVE_MS;
    this.#lastTick = now;
    // This process itself was stopped: what the peer sent in the meantime has not been read yet.
    if (stalled) this.#lastHeard = now;
    const silent = now - this.#lastHeard;
    if (this.#streams.size > 0 && silent > SILENCE_MS) {
      this.#lose(new CircuitError("TIMEOUT", `nothing came for ${SILENCE_MS / 1000} s`));
    } else if (silent > (this.#streams.size > 0 ? KEEPALIVE_MS : IDLE_PING_MS)) {
      this.sendFrame(FrameType.PING, 0, NO_STREAM, new Uint8Array(8));
    }
  }

  /**
   * Ends the session in order: tells the peer why, writes what is queued (for at most
   * {@linkcode FLUSH_TIMEOUT_MS}) and closes the connection. Streams that are open fail with
   * SERVER_GONE on both sides.
   */
  async close(
    reason = new CircuitError("SERVER_GONE", "the connection was closed"),
  ): Promise<void> {
    if (this.#error) return;
    writeError(this.#control, FrameType.GOAWAY, NO_STREAM, reason);
    this.#leaving = reason;
    this.#schedule();
    this.#flushed ??= Promise.withResolvers();
    const timer = setTimeout(() => this.#flushed?.resolve(), FLUSH_TIMEOUT_MS);
    await Promise.race([this.#flushed.promise, this.#closed.promise]);
    clearTimeout(timer);
    this.#lose(reason);
  }

  #lose(cause: unknown): void {
    if (this.#error) return;
    this.#error = this.#lossError(cause);
    clearInterval(this.#keepalive);
    // A peer that broke the rules is told, if it still listens.
    if (cause instanceof CircuitError && cause.code === "PROTOCOL" && !this.#writing) {
      const out = new FrameBuffer();
      writeError(out, FrameType.GOAWAY, NO_STREAM, cause);
      this.#conn.write(out.view()).catch(() => {}).finally(() => this.#conn.close());
    } else {
      this.#conn.close();
    }
    this.#ready.clear();
    this.#control = this.#spare = new FrameBuffer(0);
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.onLost(this.#error);
    for (const ping of this.#pings.values()) {
      ping.promise.catch(() => {});
      ping.reject(this.#error);
    }
    this.#pings.clear();
    this.#closed.resolve(this.#error);
  }

  #lossError(cause: unknown): CircuitError {
    // Ended from this side, with a reason of its own.
    if (cause instanceof CircuitError && cause === this.#leaving) return cause;
    const { role, address } = this.peer;
    const why = this.#leaving?.message ??
      (cause instanceof Error ? cause.message : "the connection was closed by the other side");
    const code = cause instanceof CircuitError && cause.code === "PROTOCOL"
      ? "PROTOCOL"
      : role === "server"
      ? "SERVER_GONE"
      : "ABORTED";
    return new CircuitError(code, `lost ${role} ${address}: ${why}`, { cause });
  }

  #checkUsable(): void {
    if (this.usable) return;
    const error = this.#error ?? this.#leaving!; // not usable means that one of them is set
    throw new CircuitError("SERVER_GONE", error.message, { cause: error });
  }

  #newStreamId(): number {
    if (this.#streams.size >= MAX_STREAMS) {
      throw new CircuitError(
        "BUSY",
        `${MAX_STREAMS} calls are open on this connection, that is all`,
      );
    }
    let id = this.#nextStream;
    while (this.#streams.has(id)) id = this.#after(id);
    this.#nextStream = this.#after(id);
    return id;
  }

  /** Numbers are used again after 2^31 streams; the odd and the even ones never mix. */
  #after(id: number): number {
    return id + 2 > 0xffff_ffff ? (this.#options.dialled ? 1 : 2) : id + 2;
  }
}
