/**
 * One stream of a session: a call, seen from either side.
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { Flag, type FrameBuffer, FrameType, readError, readReply } from "./frame.ts";
import { MAX_DATA_BYTES, MAX_WINDOW } from "./limits.ts";
import type { FrameSink, FrameSource, Session } from "./session.ts";

/** What a stream needs of the session that it is on. */
export type StreamHost = Pick<
  Session,
  "codec" | "sendReply" | "sendCredit" | "sendReset" | "sendWhenReady" | "forget"
>;

/**
 * A call with a byte stream each way. The opener sent the request and waits for {@linkcode reply};
 * the other side answers with {@linkcode accept}. Each direction has its own credit window: a side
 * may send what the other has granted and no more, so a slow reader holds back its own sender and
 * nobody else. The stream is over when both directions have ended in order, or at once when either
 * side fails it or the connection is lost; every wait on it then ends with the same error.
 */
export class Stream implements FrameSink, FrameSource {
  readonly #host: StreamHost;
  readonly #id: number;
  readonly #opener: boolean;

  #inbox: Uint8Array[] | undefined;
  #inboxAt = 0;
  #remoteEnded = false;
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #receivable: number;
  #ungranted = 0;
  #window: number;

  #credit: number;
  #sent = 0;
  #credited = 0;
  #chunk: Uint8Array | undefined;
  #chunkAt = 0;
  #writer: PromiseWithResolvers<void> | undefined;
  #localEnded = false;
  #endSent = false;

  #answer: unknown;
  #answered = false;
  #replied: PromiseWithResolvers<unknown> | undefined;
  #error: CircuitError | undefined;
  #over = false;
  #onOver: ((error: CircuitError | undefined) => void) | undefined;

  /**
   * @param host The session.
   * @param id The stream's number on it.
   * @param options `opener`: this side sent the request; `receivable`: bytes that the other side may
   * send; `credit`: bytes that this side may send; `ended`: this side's end is in the request.
   */
  constructor(
    host: StreamHost,
    id: number,
    options: {
      opener: boolean;
      receivable: number;
      credit: number;
      sent?: number;
      ended?: boolean;
    },
  ) {
    this.#host = host;
    this.#id = id;
    this.#opener = options.opener;
    this.#receivable = options.receivable;
    this.#window = options.receivable;
    this.#credit = options.credit;
    this.#sent = options.sent ?? 0;
    this.#localEnded = this.#endSent = options.ended ?? false;
  }

  /** The error that ended the stream, if one did. */
  get error(): CircuitError | undefined {
    return this.#error;
  }

  // --- what the other side says ---------------------------------------------------------------

  /** Takes the first bytes of the other side's stream, which came with its request. */
  receive(body: Uint8Array, ended: boolean): void {
    if (this.#over) return;
    if (body.length > this.#receivable || (this.#remoteEnded && body.length > 0)) {
      this.fail(
        new CircuitError("PROTOCOL", "the peer sent more on a stream than it had credit for"),
      );
      return;
    }
    this.#receivable -= body.length;
    if (ended) this.#remoteEnded = true;
    if (body.length > 0) {
      // The frame's memory is the read buffer's, which is used again for the next read.
      const copy = body.slice();
      if (this.#reader) {
        const reader = this.#reader;
        this.#reader = undefined;
        reader.resolve(copy);
      } else {
        (this.#inbox ??= []).push(copy);
      }
    } else if (ended && this.#reader) {
      const reader = this.#reader;
      this.#reader = undefined;
      reader.resolve(undefined);
    }
    if (ended) this.#finishIfDone();
  }

  /** A frame of this stream arrived. */
  onFrame(type: FrameType, flags: number, payload: Uint8Array): void {
    switch (type) {
      case FrameType.DATA:
        return this.receive(payload, (flags & Flag.END) !== 0);
      case FrameType.CREDIT:
        return this.#onCredit(payload);
      case FrameType.REPLY:
        return this.#onReply(flags, payload);
      case FrameType.RESET:
        return this.#close(readError(payload));
    }
  }

  /** The connection is lost. */
  onLost(error: CircuitError): void {
    this.#close(error);
  }

  #onReply(flags: number, payload: Uint8Array): void {
    if (!this.#opener || this.#answered) {
      this.fail(
        new CircuitError("PROTOCOL", "the peer answered a request that it had not, or twice"),
      );
      return;
    }
    try {
      const { result, body } = readReply(payload);
      // Decoded binary would alias the read buffer.
      this.#answer = result.length === 0 ? undefined : this.#host.codec.decode(result.slice());
      this.#answered = true;
      this.#replied?.resolve(this.#answer);
      this.receive(body, (flags & Flag.END) !== 0);
    } catch (error) {
      if (!(error instanceof CircuitError)) throw error;
      this.fail(error);
    }
  }

  #onCredit(payload: Uint8Array): void {
    if (payload.length !== 4) {
      this.fail(new CircuitError("PROTOCOL", "the peer sent a CREDIT frame that is malformed"));
      return;
    }
    const view = new DataView(payload.buffer, payload.byteOffset, 4);
    const bytes = view.getUint32(0);
    this.#credited += bytes;
    this.#credit += bytes;
    if (this.#credit > MAX_WINDOW) {
      this.fail(
        new CircuitError("PROTOCOL", `the peer granted more than ${MAX_WINDOW} bytes on a stream`),
      );
      return;
    }
    if (this.#chunk) this.#host.sendWhenReady(this);
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

  /** The other side: answers the request; see `Call.accept` in `elements/call.ts`. */
  accept(options: { result?: unknown; first?: Uint8Array; last?: boolean } = {}): void {
    if (this.#over || this.#answered || this.#opener) return;
    this.#answered = true;
    const first = options.first ?? EMPTY;
    const last = options.last ?? false;
    this.#credit -= first.length;
    this.#sent += first.length;
    if (last) this.#localEnded = this.#endSent = true;
    this.#host.sendReply(
      this.#id,
      last ? Flag.END : 0,
      this.#host.codec.encode(options.result),
      first,
    );
    if (last) this.#finishIfDone();
  }

  // --- reading --------------------------------------------------------------------------------

  /** Bytes that arrived and were not read yet, without waiting; undefined for none. */
  poll(): Uint8Array | undefined {
    const inbox = this.#inbox;
    if (!inbox) return undefined;
    const chunk = inbox[this.#inboxAt++];
    if (this.#inboxAt === inbox.length) {
      this.#inbox = undefined;
      this.#inboxAt = 0;
    }
    return chunk;
  }

  /** True once the other side has ended its stream and all of it was read. */
  get ended(): boolean {
    return this.#remoteEnded && !this.#inbox && !this.#error;
  }

  /**
   * The next bytes from the other side; undefined after its end. What has arrived before an error is
   * dropped with it. One read at a time.
   *
   * @throws {CircuitError} the error that ended the stream.
   */
  read(): Promise<Uint8Array | undefined> {
    if (this.#error) return Promise.reject(this.#error);
    const chunk = this.poll();
    if (chunk || this.#remoteEnded) return Promise.resolve(chunk);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /**
   * Lets the other side send this many bytes more. Small grants are gathered into one frame of half
   * a window, unless the other side has run out.
   */
  grant(bytes: number): void {
    if (this.#over) return;
    this.#ungranted += bytes;
    if (this.#remoteEnded) return;
    if (this.#ungranted * 2 >= this.#window || this.#receivable === 0) this.flushGrants();
  }

  /** Tells the other side of all grants now, so that it knows exactly what was consumed. */
  flushGrants(): void {
    if (this.#over || this.#ungranted === 0) return;
    const bytes = Math.min(this.#ungranted, MAX_WINDOW - this.#receivable);
    this.#receivable += bytes;
    this.#window = Math.max(this.#window, this.#receivable);
    this.#ungranted = 0;
    this.#host.sendCredit(this.#id, bytes);
  }

  // --- writing --------------------------------------------------------------------------------

  /** Bytes that the other side can take right now. */
  get window(): number {
    return this.#credit;
  }

  /** Of the bytes sent, how many the other side has granted back, hence consumed. */
  get acknowledged(): number {
    return Math.min(this.#sent, this.#credited);
  }

  /**
   * Sends bytes; resolves when all of them are on their way, which is when the other side has
   * granted that much. They must not be changed before. One write at a time.
   *
   * @throws {CircuitError} the error that ended the stream.
   */
  write(chunk: Uint8Array): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#localEnded || this.#chunk) {
      const why = this.#chunk ? "during another write" : "after the end";
      return Promise.reject(new CircuitError("INTERNAL", `write to a stream ${why}`));
    }
    if (chunk.length === 0) return Promise.resolve();
    this.#chunk = chunk;
    this.#chunkAt = 0;
    this.#writer = Promise.withResolvers();
    if (this.#credit > 0) this.#host.sendWhenReady(this);
    return this.#writer.promise;
  }

  /** Nothing will follow what was written. */
  end(): void {
    if (this.#over || this.#localEnded) return;
    this.#localEnded = true;
    if (!this.#chunk) this.#host.sendWhenReady(this);
  }

  /** Called by the session when it has room: puts at most one frame into the batch. */
  produce(out: FrameBuffer): boolean {
    if (this.#over || this.#endSent) return false;
    const chunk = this.#chunk;
    if (!chunk) {
      if (this.#localEnded) this.#sendEnd(out);
      return false;
    }
    const rest = chunk.length - this.#chunkAt;
    const count = Math.min(rest, this.#credit, MAX_DATA_BYTES);
    if (count === 0) return false;
    const done = count === rest;
    const last = done && this.#localEnded;
    out.frame(
      FrameType.DATA,
      last ? Flag.END : 0,
      this.#id,
      chunk.subarray(this.#chunkAt, this.#chunkAt + count),
    );
    this.#credit -= count;
    this.#sent += count;
    this.#chunkAt += count;
    if (!done) return this.#credit > 0;
    this.#chunk = undefined;
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.resolve();
    if (last) {
      this.#endSent = true;
      this.#finishIfDone();
    }
    return false;
  }

  #sendEnd(out: FrameBuffer): void {
    out.frame(FrameType.DATA, Flag.END, this.#id, EMPTY);
    this.#endSent = true;
    this.#finishIfDone();
  }

  // --- the end --------------------------------------------------------------------------------

  /** Ends the stream in both directions, with an error that the other side is told. */
  fail(error: CircuitError): void {
    if (this.#over) return;
    this.flushGrants();
    this.#host.sendReset(this.#id, error);
    this.#close(error);
  }

  /** Calls back once when the stream is over; at once if it is. One callback a stream. */
  onOver(callback: (error: CircuitError | undefined) => void): void {
    if (this.#over) callback(this.#error);
    else this.#onOver = callback;
  }

  #finishIfDone(): void {
    if (this.#remoteEnded && this.#endSent && !this.#over) this.#settle();
  }

  #close(error: CircuitError): void {
    if (this.#over) return;
    this.#error = error;
    this.#inbox = undefined;
    this.#chunk = undefined;
    this.#replied?.promise.catch(ignore);
    this.#replied?.reject(error);
    this.#reader?.promise.catch(ignore);
    this.#reader?.reject(error);
    this.#writer?.promise.catch(ignore);
    this.#writer?.reject(error);
    this.#reader = this.#writer = undefined;
    this.#settle();
  }

  #settle(): void {
    this.#over = true;
    this.#host.forget(this.#id);
    const callback = this.#onOver;
    this.#onOver = undefined;
    callback?.(this.#error);
  }
}

/** Whoever holds the promise sees the rejection; where nobody does, there is nobody to tell. */
function ignore(): void {}
