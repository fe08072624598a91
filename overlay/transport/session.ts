/**
 * A session: one connection between two peers, and the streams on it.
 *
 * @module
 */

import { Budget } from "../budget.ts";
import { CircuitError, toCircuitError } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Codec, EMPTY } from "./codec.ts";
import { Flag, frameName, FrameType, isAboutConnection, NO_STREAM } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { FrameReader } from "./incoming.ts";
import { KnownTexts } from "./known_texts.ts";
import { sayLast } from "./last_words.ts";
import {
  FLUSH_TIMEOUT_MS,
  INITIAL_WINDOW,
  KEEPALIVE_MS,
  MAX_HELD_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_STREAMS,
  MAX_WINDOW,
} from "./limits.ts";
import type { Conn } from "./network.ts";
import { type FrameSource, Outgoing } from "./outgoing.ts";
import { readError, readOpen, writeError, writeOpen, writeReply } from "./payload.ts";
import { Pulse } from "./pulse.ts";
import type {
  FrameSink,
  Incoming,
  OpenOptions,
  Peer,
  Purpose,
  SessionOptions,
} from "./session_types.ts";
import { SpareMemory } from "./spare_memory.ts";
import { Stream } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";

export type { FrameSink, FrameSource, Incoming, OpenOptions, Peer, Purpose, SessionOptions };

/**
 * Carries any number of concurrent streams over one connection, both ways. Frames that are queued in
 * one turn of the event loop go out as one write. Small frames go before stream bytes, and streams
 * take turns, so a large transfer delays a small call by one batch at most.
 */
export class Session {
  readonly peer: Peer;
  readonly codec: Codec;
  /** What bytes of streams are copied into. */
  readonly memory: SpareMemory = new SpareMemory();
  readonly #options: SessionOptions;
  readonly #budget: Budget;
  readonly #conn: Conn;
  readonly #clock: Clock;
  readonly #in: FrameReader;
  readonly #out: Outgoing;
  readonly #streams: StreamTable;
  readonly #texts = new KnownTexts();
  readonly #pulse: Pulse;
  readonly #closed = Promise.withResolvers<CircuitError>();
  #error: CircuitError | undefined;
  #held = 0;
  /** What this side ends the session with, once it does so in order. */
  #reason: CircuitError | undefined;
  /** What the peer has announced that it will end the session with, and when it did. */
  #farewell: { readonly error: CircuitError; readonly at: number } | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.codec = options.codec;
    this.#conn = options.conn;
    this.#clock = options.clock ?? systemClock;
    const budget = this.#budget = options.budget ?? new Budget();
    const { maxStreams = MAX_STREAMS, maxUnsentBytes } = options;
    this.#streams = new StreamTable(options.dialled, maxStreams, budget.calls);
    this.#in = new FrameReader(options.conn, budget.inflow);
    this.#out = new Outgoing(options.conn, (error) => this.#lose(error), {
      ...(maxUnsentBytes !== undefined && { maxUnsent: maxUnsentBytes }),
      share: budget.replies,
    });
    this.#pulse = new Pulse({
      sendFrame: (type, flags, stream, payload) => this.sendFrame(type, flags, stream, payload),
      onTick: () => this.#tick(),
    }, this.#clock);
    this.#read();
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
    return !(this.#error ?? this.#reason ?? this.#farewell);
  }

  /** Streams that are open now. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** What each open stream is for; undefined for those that are passed on. */
  *purposes(): Generator<Purpose | undefined> {
    for (const sink of this.#streams.sinks()) yield sink.purpose;
  }

  /** Bytes received and sent so far. */
  get traffic(): { in: number; out: number } {
    return { in: this.#in.bytes, out: this.#out.bytes };
  }

  /** Bytes of memory that reading and writing hold now; a busy session has more than an idle one. */
  get bufferBytes(): number {
    return this.#in.capacity + this.#out.capacity + this.memory.capacity;
  }

  // --- requests -------------------------------------------------------------------------------

  /**
   * Sends a request.
   *
   * @throws {CircuitError} `SERVER_GONE` if the session has ended; `BAD_REQUEST` if the request is
   * too large or its arguments cannot travel; `BUSY` if too many streams are open.
   */
  open(method: string, path: string, options: OpenOptions = {}): Stream {
    this.#checkUsable();
    const { body = EMPTY, end = false } = options;
    const window = Math.min(options.window ?? INITIAL_WINDOW, MAX_WINDOW);
    const args = this.codec.encode(options.args);
    const id = this.#streams.newNumber();
    const request = { method, path, window, args, body };
    writeOpen(this.#out.control, id, end ? Flag.END : 0, request);
    const stream = new Stream(this, id, { method, path }, {
      opener: true,
      receivable: window,
      credit: INITIAL_WINDOW,
      sent: body.length,
      ended: end,
    });
    this.#streams.set(id, stream);
    this.#out.queued(body.length);
    return stream;
  }

  /**
   * Passes on a request as it came, for the relay; returns the new stream's number.
   *
   * @throws {CircuitError} as {@linkcode open}.
   */
  forward(incoming: Incoming, sink: FrameSink): number {
    this.#checkUsable();
    const id = this.#streams.newNumber();
    this.#streams.set(id, sink);
    const flags = incoming.flags | Flag.RELAYED;
    this.sendFrame(FrameType.OPEN, flags, id, incoming.payload, incoming.body.length);
    return id;
  }

  /** Takes a request: from here on the stream is the caller's to answer. */
  accept(incoming: Incoming): Stream {
    const { method, path } = incoming;
    const stream = new Stream(this, incoming.stream, { method, path }, {
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

  /**
   * So many bytes more (or fewer) of streams that the peer has opened wait in this process.
   *
   * @throws {CircuitError} `BUSY` if these would be more than {@linkcode MAX_HELD_BYTES}, or there is
   * no room for them in the server's budget.
   */
  hold(bytes: number): void {
    const most = this.#options.maxHeldBytes ?? MAX_HELD_BYTES;
    if (bytes > 0 && this.#held + bytes > most) {
      throw new CircuitError(
        "BUSY",
        `${this.#held} bytes that came on this connection wait to be read, ${most} are allowed`,
      );
    }
    if (bytes > 0) this.#budget.inflow.take(bytes);
    else this.#budget.inflow.add(bytes);
    this.#held += bytes;
  }

  // --- sending --------------------------------------------------------------------------------

  /**
   * Queues a REPLY frame.
   *
   * @throws {CircuitError} `UNSUPPORTED` if the result is too large.
   */
  sendReply(stream: number, flags: number, result: Uint8Array, body: Uint8Array): void {
    if (this.#error) return;
    writeReply(this.#out.control, stream, flags, result, body);
    this.#out.queued(body.length);
  }

  /** Queues a CREDIT frame. */
  sendCredit(stream: number, bytes: number): void {
    if (this.#error) return;
    this.#out.control.credit(stream, bytes);
    this.#out.queued();
  }

  /** Queues a RESET frame. */
  sendReset(stream: number, error: CircuitError): void {
    if (this.#error) return;
    writeError(this.#out.control, FrameType.RESET, stream, error);
    this.#out.queued();
  }

  /**
   * Queues a small frame as it is.
   *
   * @param bodyBytes Stream bytes in it.
   */
  sendFrame(
    type: FrameType,
    flags: number,
    stream: number,
    payload: Uint8Array,
    bodyBytes = 0,
  ): void {
    if (this.#error) return;
    this.#out.control.frame(type, flags, stream, payload);
    this.#out.queued(bodyBytes);
  }

  /**
   * Queues a message of the membership protocol.
   *
   * @throws {CircuitError} `BAD_REQUEST` if it is too large for a frame.
   */
  sendMember(payload: Uint8Array): void {
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw new CircuitError(
        "BAD_REQUEST",
        `a membership message of ${payload.length} bytes: at most ${MAX_PAYLOAD_BYTES} can be sent`,
      );
    }
    this.sendFrame(FrameType.MEMBER, 0, NO_STREAM, payload);
  }

  /** Asks `source` for frames when there is room. */
  sendWhenReady(source: FrameSource): void {
    this.#out.ready(source);
  }

  /**
   * Sends a PING; resolves when its PONG is there, however many transfers are under way.
   *
   * @throws {CircuitError} why the session ended.
   */
  ping(): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    return this.#pulse.ping();
  }

  // --- receiving ------------------------------------------------------------------------------

  async #read(): Promise<void> {
    try {
      await this.#in.run(
        (type, flags, stream, payload) => {
          this.#onFrame(type, flags, stream, payload);
          return !this.#error;
        },
        () => this.#pulse.heard(),
      );
      this.#lose(undefined);
    } catch (error) {
      if (error instanceof CircuitError && error.code === "PROTOCOL") this.#refuse(error);
      else this.#lose(error);
    }
  }

  #onFrame(type: FrameType, flags: number, stream: number, payload: Uint8Array): void {
    if (isAboutConnection(type) !== (stream === NO_STREAM)) {
      throw new CircuitError("PROTOCOL", `it sent a ${frameName(type)} frame on stream ${stream}`);
    }
    switch (type) {
      case FrameType.OPEN:
        return this.#onOpen(flags, stream, payload);
      case FrameType.PING:
      case FrameType.PONG:
        return this.#pulse.onFrame(type, payload);
      case FrameType.GOAWAY:
        this.#farewell ??= { error: readError(payload), at: this.#clock.now() };
        return;
      case FrameType.MEMBER:
        return this.#options.onMember?.(payload);
      default:
        // A stream that is over here may be news to the peer: what it still sends is ignored.
        this.#streams.get(stream)?.onFrame(type, flags, payload);
    }
  }

  #onOpen(flags: number, stream: number, payload: Uint8Array): void {
    if (!this.#streams.isFreeForPeer(stream)) {
      throw new CircuitError("PROTOCOL", `it opened a stream with number ${stream}, out of turn`);
    }
    const { method, path, window, args, body } = readOpen(payload, this.#texts);
    try {
      if (this.#reason) throw new CircuitError("SERVER_GONE", this.#reason.message);
      this.#streams.checkRoom();
      const { onRequest } = this.#options;
      if (!onRequest) throw new CircuitError("UNSUPPORTED", "a client answers no requests");
      onRequest({ session: this, stream, flags, payload, method, path, window, args, body });
    } catch (error) {
      const known = toCircuitError(error);
      this.sendReset(stream, known);
      const sink = this.#streams.get(stream);
      this.#streams.delete(stream);
      // It was taken before it failed: whoever has it waits for an end.
      sink?.onLost(known);
    }
  }

  // --- life and death -------------------------------------------------------------------------

  #tick(): void {
    const now = this.#clock.now();
    if (this.#farewell && now - this.#farewell.at > KEEPALIVE_MS) {
      return this.#lose(this.#farewell.error);
    }
    // The pings' answers are small reads, which make the reader let go of a large buffer.
    const lost = this.#pulse.check(this.#streams.size > 0, this.#in.large);
    if (lost) return this.#lose(new CircuitError("TIMEOUT", "nothing came for too long"));
    this.#out.shrink();
    this.memory.clear();
  }

  /**
   * Ends the session in order: tells the peer why, writes what is queued (for at most
   * {@linkcode FLUSH_TIMEOUT_MS}) and closes the connection. Streams that are open fail with
   * `reason` on this side, and on the other with SERVER_GONE if this is a server, else ABORTED.
   * Closing twice is harmless: the first reason counts.
   */
  async close(
    reason = new CircuitError("SERVER_GONE", "the connection was closed"),
  ): Promise<void> {
    if (this.#error) return;
    if (this.#reason) return void await this.closed;
    this.#reason = reason;
    writeError(this.#out.control, FrameType.GOAWAY, NO_STREAM, reason);
    this.#out.queued();
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after(FLUSH_TIMEOUT_MS, late.resolve);
    await Promise.race([this.#out.flushed(), late.promise, this.closed]);
    cancel();
    this.#lose(reason);
  }

  /** The connection is of no use any more. */
  #lose(cause: unknown): void {
    if (this.#error) return;
    this.#conn.close();
    this.#end(cause);
  }

  /** The peer has broken the rules: it is told, if it still listens. */
  #refuse(cause: CircuitError): void {
    if (this.#error) return;
    const flushed = this.#out.flushed();
    this.#end(cause);
    const words = new FrameBuffer();
    const told = new CircuitError(
      "PROTOCOL",
      `a rule of the protocol was broken: ${cause.message}`,
    );
    writeError(words, FrameType.GOAWAY, NO_STREAM, told);
    const cancel = this.#clock.after(FLUSH_TIMEOUT_MS, () => this.#conn.close());
    // A write that is under way may have put out half a frame.
    flushed.then(() => {
      cancel();
      return sayLast(this.#conn, words.view(), this.#clock);
    });
  }

  /** Everybody who waits is told, each once. */
  #end(cause: unknown): void {
    const error = this.#error = this.#lossError(cause);
    this.#out.stop();
    this.#pulse.stop(error);
    this.#closed.resolve(error);
    const thrown: unknown[] = [];
    for (const stream of this.#streams.clear()) {
      try {
        stream.onLost(error);
      } catch (fault) {
        // Whoever is to blame, the others are told first.
        thrown.push(fault);
      }
    }
    if (thrown.length > 0) throw thrown[0];
  }

  #lossError(cause: unknown): CircuitError {
    if (this.#reason && cause === this.#reason) return this.#reason;
    const { role, address } = this.peer;
    const why = this.#farewell?.error.message ?? this.#reason?.message ??
      (cause instanceof Error ? cause.message : "the connection was closed by the other side");
    const code = cause instanceof CircuitError && cause.code === "PROTOCOL"
      ? "PROTOCOL"
      : role === "server"
      ? "SERVER_GONE"
      : "ABORTED";
    return new CircuitError(code, `lost ${role} ${address}: ${why}`, { cause });
  }

  #checkUsable(): void {
    const error = this.#error ?? this.#reason ?? this.#farewell?.error;
    if (error) throw new CircuitError("SERVER_GONE", error.message, { cause: error });
  }
}
