/**
 * Passing a call on to another server, without reading what it is about.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../errors.ts";
import { ByteQueue } from "./byte_queue.ts";
import { EMPTY } from "./codec.ts";
import { CREDIT_BYTES, Flag, FrameType, NO_STREAM, readU32 } from "./frame.ts";
import type { FrameBuffer } from "./frame_buffer.ts";
import { INITIAL_WINDOW, MAX_DATA_BYTES, MAX_WINDOW } from "./limits.ts";
import type { FrameSource } from "./outgoing.ts";
import { malformed, readReply } from "./payload.ts";
import type { Session } from "./session.ts";
import type { FrameSink, Incoming } from "./session_types.ts";

/**
 * Connects a request that came on one session with a new stream on another, which may still be on
 * its way. Credit goes from end to end, so what waits here is bounded by the windows of the two
 * ends; an end that sends more loses the call. When one side is lost the other is told: the caller
 * with SERVER_GONE, the server with ABORTED. Whatever goes wrong goes to the caller.
 */
export function relay(incoming: Incoming, target: Session | Promise<Session>): void {
  const { session, stream, flags, body, window } = incoming;
  // All that waits is there on behalf of the caller.
  const caller = new Leg(INITIAL_WINDOW - body.length, false, session);
  const server = new Leg(window, true, session);
  caller.other = server;
  server.other = caller;
  if (flags & Flag.END) server.ended = server.sent = caller.heardEnd = true;
  caller.connect(session, stream);
  session.attach(stream, caller);
  const failed = (error: unknown) => caller.fail(toCircuitError(error));
  if (target instanceof Promise) {
    // The request's bytes are the read buffer's, which is used again before the session is there.
    const { length } = incoming.payload;
    session.hold(length);
    const kept = { ...incoming, payload: incoming.payload.slice() };
    target.finally(() => session.hold(-length))
      .then((found) => caller.over || server.open(found, kept)).catch(failed);
    return;
  }
  try {
    server.open(target, incoming);
  } catch (error) {
    failed(error);
  }
}

/** One end of a relayed call: takes the frames of its session, and sends what the other end took. */
class Leg implements FrameSink, FrameSource {
  readonly #waiting: ByteQueue;
  readonly #holder: Pick<Session, "hold" | "memory">;
  #session: Session | undefined;
  #stream = NO_STREAM;
  /** Bytes that may still come from this end. */
  #receivable: number;
  /** Credit that is still to go out here. */
  #credit = 0;
  #mayReply: boolean;
  other!: Leg; // set right after construction, before any frame can come
  /** The other end has sent its END, which goes out here behind what waits. */
  ended = false;
  /** That END has gone out. */
  sent = false;
  /** END has come from this end. */
  heardEnd = false;
  /** The call is over, or cannot go on. */
  over = false;

  constructor(receivable: number, mayReply: boolean, holder: Pick<Session, "hold" | "memory">) {
    this.#holder = holder;
    this.#waiting = new ByteQueue(holder.memory);
    this.#receivable = receivable;
    this.#mayReply = mayReply;
  }

  /** Passes the request on over this end. */
  open(session: Session, incoming: Incoming): void {
    this.connect(session, session.forward(incoming, this));
  }

  /** From here on this end has a stream. */
  connect(session: Session, stream: number): void {
    this.#session = session;
    this.#stream = stream;
    this.#wake();
  }

  onFrame(type: FrameType, flags: number, payload: Uint8Array): void {
    try {
      this.#pass(type, flags, payload);
    } catch (error) {
      const known = toCircuitError(error);
      this.other.#reset(known);
      this.fail(known);
    }
  }

  onLost(error: CircuitError): void {
    // Who has heard and said everything may go: its last word is on its way to the other end.
    if (this.heardEnd && this.sent) return;
    this.other.#reset(error);
    this.#drop();
  }

  /** Ends the call with an error, which this end is told. */
  fail(error: CircuitError): void {
    if (this.over) return;
    this.#reset(error);
    this.#drop();
  }

  produce(out: FrameBuffer): boolean {
    if (this.over) return false;
    if (this.#credit > 0) {
      out.credit(this.#stream, this.#credit);
      this.#credit = 0;
    } else {
      const bytes = this.#waiting.shift(MAX_DATA_BYTES);
      if (bytes) this.#holder.hold(-bytes.length);
      const last = this.ended && this.#waiting.length === 0 && !this.sent;
      if (bytes || last) {
        out.frame(FrameType.DATA, last ? Flag.END : 0, this.#stream, bytes ?? EMPTY);
      }
      if (bytes) this.#holder.memory.recycle(bytes);
      if (last) this.#ended();
    }
    return this.#ready;
  }

  #pass(type: FrameType, flags: number, payload: Uint8Array): void {
    const { other } = this;
    const end = (flags & Flag.END) !== 0;
    switch (type) {
      case FrameType.DATA:
        this.#take(payload.length, end);
        this.#holder.hold(payload.length);
        other.#waiting.push(payload);
        other.ended ||= end;
        return other.#wake();
      case FrameType.CREDIT:
        if (payload.length !== CREDIT_BYTES) throw malformed("a CREDIT");
        return other.#mayReceive(readU32(payload, 0));
      case FrameType.REPLY: {
        if (!this.#mayReply) {
          throw new CircuitError("PROTOCOL", "the peer sent a REPLY out of turn");
        }
        this.#mayReply = false;
        const { body } = readReply(payload);
        this.#take(body.length, end);
        other.#session?.sendFrame(type, flags, other.#stream, payload, body.length);
        if (end) other.#ended();
        return;
      }
      case FrameType.RESET:
        other.#flushCredit();
        other.#session?.sendFrame(type, flags, other.#stream, payload);
        this.#drop();
    }
  }

  /** Bytes have come from this end. */
  #take(bytes: number, end: boolean): void {
    if (bytes > this.#receivable || (this.heardEnd && (bytes > 0 || end))) {
      const why = this.heardEnd ? "after its end" : "than it had credit for";
      throw new CircuitError("PROTOCOL", `the peer sent more on a stream ${why}`);
    }
    this.#receivable -= bytes;
    this.heardEnd ||= end;
  }

  /** The other end lets this one send more, which this one is told. */
  #mayReceive(bytes: number): void {
    this.#receivable += bytes;
    this.#credit += bytes;
    if (this.#receivable > MAX_WINDOW) {
      throw new CircuitError(
        "PROTOCOL",
        `the peer granted more than ${MAX_WINDOW} bytes on a stream`,
      );
    }
    this.#wake();
  }

  get #ready(): boolean {
    return this.#credit > 0 || this.#waiting.length > 0 || (this.ended && !this.sent);
  }

  #wake(): void {
    if (this.#ready && !this.over) this.#session?.sendWhenReady(this);
  }

  /** What the reader has consumed is told before anything that ends the call. */
  #flushCredit(): void {
    if (this.#credit > 0) this.#session?.sendCredit(this.#stream, this.#credit);
    this.#credit = 0;
  }

  #reset(error: CircuitError): void {
    if (this.over) return;
    this.#flushCredit();
    this.#session?.sendReset(this.#stream, error);
  }

  #ended(): void {
    this.ended = this.sent = true;
    if (this.other.sent) this.#drop();
  }

  #drop(): void {
    // Later the numbers may be those of other streams.
    if (this.over) return;
    for (const leg of [this, this.other]) {
      leg.over = true;
      leg.#holder.hold(-leg.#waiting.length);
      leg.#waiting.clear();
      leg.#session?.forget(leg.#stream);
    }
  }
}
