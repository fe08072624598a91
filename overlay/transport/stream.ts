/**
 * One stream of a session: a call, seen from either side.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { CREDIT_BYTES, Flag, FrameType, readU32 } from "./frame.ts";
import type { FrameBuffer } from "./frame_buffer.ts";
import { Inflow } from "./inflow.ts";
import { MAX_INLINE_BYTES } from "./limits.ts";
import { Outflow } from "./outflow.ts";
import type { FrameSource } from "./outgoing.ts";
import { malformed, readError, readReply } from "./payload.ts";
import type { Session } from "./session.ts";
import type { FrameSink, Purpose } from "./session_types.ts";

/** What a stream needs of the session that it is on. */
export type StreamHost = Pick<
  Session,
  | "codec"
  | "memory"
  | "hold"
  | "sendReply"
  | "sendFrame"
  | "sendCredit"
  | "sendReset"
  | "sendWhenReady"
  | "forget"
>;

/**
 * A call with a byte stream each way. The opener sent the request and waits for {@linkcode reply};
 * the other side answers with {@linkcode accept}. Each direction has its own credit window: a side
 * may send what the other has granted and no more, so a slow reader holds back its own sender and
 * nobody else. The stream is over when both directions have ended in order, or at once when either
 * side fails it or the connection is lost; every wait on it then ends with the same error.
 */
export class Stream implements FrameSink, FrameSource {
  readonly purpose: Purpose;
  readonly #host: StreamHost;
  readonly #id: number;
  readonly #opener: boolean;
  readonly #in: Inflow;
  readonly #out: Outflow;

  #answer: unknown;
  #answered = false;
  #replied: PromiseWithResolvers<unknown> | undefined;
  #error: CircuitError | undefined;
  #over = false;
  #onOver: ((error: CircuitError | undefined) => void) | undefined;

  /**
   * @param host The session.
   * @param id The stream's number on it.
   * @param purpose What it was opened for.
   * @param options `opener`: this side sent the request; `receivable`: bytes that the other side may
   * send; `credit`: bytes that this side may send; `sent`, `ended`: what of this side's stream is in
   * the request already.
   */
  constructor(
    host: StreamHost,
    id: number,
    purpose: Purpose,
    options: {
      opener: boolean;
      receivable: number;
      credit: number;
      sent?: number;
      ended?: boolean;
    },
  ) {
    this.purpose = purpose;
    this.#host = host;
    this.#id = id;
    this.#opener = options.opener;
    this.#in = new Inflow(host, id, options.receivable, options.opener ? undefined : host);
    this.#out = new Outflow(options.credit);
    this.#out.sentAlong(options.sent ?? 0, options.ended ?? false);
  }

  /** The error that ended the stream, if one did. */
  get error(): CircuitError | undefined {
    return this.#error;
  }

  // --- what the other side says ---------------------------------------------------------------

  /** Takes the first bytes of the other side's stream, which came with its request. */
  receive(body: Uint8Array, ended: boolean): void {
    if (this.#over) return;
    try {
      this.#take(body, ended);
    } catch (error) {
      this.#disobeyed(error);
    }
  }

  /** A frame of this stream arrived. */
  onFrame(type: FrameType, flags: number, payload: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#onFrame(type, (flags & Flag.END) !== 0, payload);
    } catch (error) {
      this.#disobeyed(error);
    }
  }

  /** The connection is lost. */
  onLost(error: CircuitError): void {
    this.#close(error);
  }

  #onFrame(type: FrameType, end: boolean, payload: Uint8Array): void {
    switch (type) {
      case FrameType.DATA:
        if (!this.#answered && this.#opener) {
          throw new CircuitError("PROTOCOL", "the peer sent bytes before it answered the request");
        }
        return this.#take(payload, end);
      case FrameType.CREDIT:
        if (payload.length !== CREDIT_BYTES) throw malformed("a CREDIT");
        this.#out.addCredit(readU32(payload, 0));
        if (this.#out.ready) this.#host.sendWhenReady(this);
        return;
      case FrameType.REPLY:
        return this.#onReply(payload, end);
      case FrameType.RESET:
        return this.#close(readError(payload));
    }
  }

  #onReply(payload: Uint8Array, end: boolean): void {
    if (!this.#opener || this.#answered) {
      const what = this.#opener ? "a request twice" : "a request that it has sent itself";
      throw new CircuitError("PROTOCOL", `the peer answered ${what}`);
    }
    const { result, body } = readReply(payload);
    // Decoded binary would alias the read buffer.
    this.#answer = result.length === 0 ? undefined : this.#host.codec.decode(result.slice());
    this.#answered = true;
    this.#replied?.resolve(this.#answer);
    this.#take(body, end);
  }

  #take(body: Uint8Array, end: boolean): void {
    this.#in.take(body, end);
    if (end) this.#finishIfDone();
  }

  /** A peer that breaks a rule on a stream loses that stream. */
  #disobeyed(error: unknown): void {
    if (!(error instanceof CircuitError)) throw error;
    this.fail(error);
  }

  // --- the answer -----------------------------------------------------------------------------

  /**
   * The opener's side: what the request was answered with.
   *
   * @throws {CircuitError} what the other side failed the call with, or why the connection was lost.
   */
  reply(): Promise<unknown> {
    if (this.#answered) return Promise.resolve(this.#answer);
    if (this.#error) return Promise.reject(this.#error);
    this.#replied ??= Promise.withResolvers();
    return this.#replied.promise;
  }

  /**
   * The other side: answers the request; see `Call.accept` in `elements/call.ts`. No effect on a
   * stream that is over or was answered.
   *
   * @throws {CircuitError} `BAD_REQUEST` if the result cannot travel, `UNSUPPORTED` if it is too
   * large, `INTERNAL` if `first` is. Nothing was sent then.
   */
  accept(options: { result?: unknown; first?: Uint8Array; last?: boolean } = {}): void {
    if (this.#over || this.#answered || this.#opener) return;
    const first = options.first ?? EMPTY;
    const last = options.last ?? false;
    const most = Math.min(MAX_INLINE_BYTES, this.window);
    if (first.length > most) {
      throw new CircuitError(
        "INTERNAL",
        `${first.length} bytes were to go along with an answer: at most ${most} can`,
      );
    }
    const result = this.#host.codec.encode(options.result);
    this.#host.sendReply(this.#id, last ? Flag.END : 0, result, first);
    this.#answered = true;
    this.#out.sentAlong(first.length, last);
    if (last) this.#finishIfDone();
  }

  // --- reading --------------------------------------------------------------------------------

  /** Bytes that arrived and were not read yet, without waiting; undefined for none. */
  poll(): Uint8Array | undefined {
    return this.#in.poll();
  }

  /** True once the other side has ended its stream and all of it was read. */
  get ended(): boolean {
    return this.#in.drained && !this.#error;
  }

  /** True once the other side has ended its stream and all of it that was not read is one piece. */
  get whole(): boolean {
    return this.#in.whole && !this.#error;
  }

  /**
   * The next bytes from the other side; undefined after its end. What has arrived before an error is
   * dropped with it. One read at a time.
   *
   * @param into Memory of the reader's for them, not empty; they are the first bytes of it then, and
   * nobody else may use it before. Default: memory of their own.
   * @throws {CircuitError} the error that ended the stream.
   */
  read(into?: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#error ? Promise.reject(this.#error) : this.#in.read(into);
  }

  /** The reader is done with bytes; see `Call.recycle` in `elements/call.ts`. */
  recycle(chunk: Uint8Array): void {
    this.#host.memory.recycle(chunk);
  }

  /**
   * Lets the other side send this many bytes more. Small grants are gathered into one frame of half
   * a window, unless the other side has run out.
   */
  grant(bytes: number): void {
    if (!this.#over) this.#in.grant(bytes);
  }

  /** Tells the other side of all grants now, so that it knows exactly what was consumed. */
  flushGrants(): void {
    if (!this.#over) this.#in.flush();
  }

  // --- writing --------------------------------------------------------------------------------

  /** Bytes that the other side can take right now. */
  get window(): number {
    return this.#out.credit;
  }

  /** Of the bytes sent, how many the other side has granted back, hence consumed. */
  get acknowledged(): number {
    return this.#out.acknowledged;
  }

  /**
   * Sends bytes; resolves when all of them are on their way, which is when the other side has
   * granted that much. They must not be changed before. One write at a time.
   *
   * @throws {CircuitError} the error that ended the stream.
   */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    if (!this.#answered && !this.#opener) return Promise.reject(unanswered("write"));
    const written = this.#out.write(chunk);
    if (this.#out.ready) this.#host.sendWhenReady(this);
    return written;
  }

  /** Nothing will follow what was written. The stream may be over when this returns. */
  end(): void {
    if (this.#over || this.#out.ended) return;
    if (!this.#answered && !this.#opener) throw unanswered("end");
    if (!this.#out.empty) return this.#out.end();
    // There is no need to wait for a turn: it goes behind all of this stream that is on its way.
    this.#host.sendFrame(FrameType.DATA, Flag.END, this.#id, EMPTY);
    this.#out.sentAlong(0, true);
    this.#finishIfDone();
  }

  /** Called by the session when it has room: puts at most one frame into the batch. */
  produce(out: FrameBuffer): boolean {
    if (this.#over || this.#out.endSent) return false;
    const more = this.#out.produce(out, this.#id);
    if (this.#out.endSent) this.#finishIfDone();
    return more;
  }

  // --- the end --------------------------------------------------------------------------------

  /** Ends the stream in both directions, with an error that the other side is told. */
  fail(error: CircuitError): void {
    if (this.#over) return;
    this.flushGrants();
    this.#host.sendReset(this.#id, error);
    this.#close(error);
  }

  /**
   * Calls back once when the stream is over; at once if it is. One callback a stream: a new one
   * replaces the one before.
   */
  onOver(callback: (error: CircuitError | undefined) => void): void {
    if (this.#over) callback(this.#error);
    else this.#onOver = callback;
  }

  #finishIfDone(): void {
    if (this.#in.ended && this.#out.endSent && !this.#over) this.#settle();
  }

  #close(error: CircuitError): void {
    if (this.#over) return;
    this.#error = error;
    this.#in.fail(error);
    this.#out.fail(error);
    // Whoever holds the promise sees the rejection; where nobody does, there is nobody to tell.
    this.#replied?.promise.catch(() => {});
    this.#replied?.reject(error);
    this.#settle();
  }

  #settle(): void {
    this.#over = true;
    this.#in.release();
    this.#host.forget(this.#id);
    const callback = this.#onOver;
    this.#onOver = undefined;
    callback?.(this.#error);
  }
}

/** The error for an element that sends before it has answered. */
function unanswered(what: string): CircuitError {
  return new CircuitError("INTERNAL", `${what} of a stream before its request was answered`);
}
