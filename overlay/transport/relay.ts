/**
 * Passing a call on to another server, frame by frame and without reading bodies.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { Flag, type FrameBuffer, FrameType } from "./frame.ts";
import { INITIAL_WINDOW, MAX_ERROR_BYTES } from "./limits.ts";
import type { FrameSink, FrameSource, Incoming, Session } from "./session.ts";

/**
 * Connects a request that came on one session with a new stream on another, which may still be on
 * its way. Credit goes from end to end, so what waits here is bounded by the windows of the two
 * ends. When one side is lost the other is told: the caller with SERVER_GONE, the server with
 * ABORTED.
 *
 * @throws {CircuitError} `SERVER_GONE` if `target` takes no more requests.
 */
export function relay(incoming: Incoming, target: Session | Promise<Session>): void {
  if (!(target instanceof Promise)) return void connect(incoming, target);
  const { session, stream } = incoming;
  const waiting = new Waiting(session, stream);
  session.attach(stream, waiting);
  // The request's bytes are the read buffer's, which will be used again before the session is there.
  const kept = { ...incoming, payload: incoming.payload.slice() };
  target.then((up) => {
    if (waiting.over) return;
    connect(kept, up).replay(waiting.frames);
  }).catch((error) => {
    if (waiting.over) return;
    session.forget(stream);
    session.sendReset(stream, toCircuitError(error));
  });
}

function connect(incoming: Incoming, target: Session): Leg {
  const down = new Leg(incoming.session);
  const up = new Leg(target);
  down.other = up;
  up.other = down;
  down.stream = incoming.stream;
  up.sent = (incoming.flags & Flag.END) !== 0;
  up.stream = target.forward(incoming, up);
  incoming.session.attach(down.stream, down);
  return down;
}

/** A frame that waits to be passed on. */
interface Frame {
  readonly type: FrameType;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Keeps the frames of a caller whose request cannot be passed on yet. */
class Waiting implements FrameSink {
  readonly frames: Frame[] = [];
  readonly #session: Session;
  readonly #stream: number;
  #bytes = 0;
  /** True once the caller is gone, or was sent away. */
  over = false;

  constructor(session: Session, stream: number) {
    this.#session = session;
    this.#stream = stream;
  }

  onFrame(type: FrameType, flags: number, payload: Uint8Array): void {
    this.#bytes += payload.length;
    // Nobody has granted anything yet, so there can be no more than the first window.
    const tooMuch = this.#bytes > INITIAL_WINDOW + MAX_ERROR_BYTES;
    if (type === FrameType.RESET || tooMuch) {
      this.over = true;
      this.#session.forget(this.#stream);
      if (tooMuch) {
        const what = "the peer sent more on a stream than it had credit for";
        this.#session.sendReset(this.#stream, new CircuitError("PROTOCOL", what));
      }
    } else {
      this.frames.push({ type, flags, payload: payload.slice() });
    }
  }

  onLost(): void {
    this.over = true;
  }
}

/** One end of a relayed stream: takes the frames of its session and sends what the other took. */
class Leg implements FrameSink, FrameSource {
  readonly #session: Session;
  readonly #waiting: { readonly flags: number; readonly payload: Uint8Array }[] = [];
  other!: Leg; // set right after construction, before any frame can come
  stream = 0;
  /** True when what goes out here has had its END. */
  sent = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Passes on frames that came before the two ends were connected. */
  replay(frames: readonly Frame[]): void {
    for (const { type, flags, payload } of frames) this.onFrame(type, flags, payload);
  }

  onFrame(type: FrameType, flags: number, payload: Uint8Array): void {
    this.other.#send(type, flags, payload);
  }

  onLost(error: CircuitError): void {
    const { other } = this;
    other.#waiting.length = 0;
    other.#session.forget(other.stream);
    other.#session.sendReset(other.stream, error);
  }

  produce(out: FrameBuffer): boolean {
    const next = this.#waiting.shift();
    if (!next) return false;
    out.frame(FrameType.DATA, next.flags, this.stream, next.payload);
    if (next.flags & Flag.END) this.#ended();
    return this.#waiting.length > 0;
  }

  #send(type: FrameType, flags: number, payload: Uint8Array): void {
    if (type === FrameType.DATA) {
      this.#waiting.push({ flags, payload: payload.length > 0 ? payload.slice() : EMPTY });
      this.#session.sendWhenReady(this);
      return;
    }
    this.#session.sendFrame(type, flags, this.stream, payload);
    if (type === FrameType.RESET) this.#drop();
    else if (type === FrameType.REPLY && flags & Flag.END) this.#ended();
  }

  #ended(): void {
    this.sent = true;
    if (this.other.sent) this.#drop();
  }

  #drop(): void {
    this.#waiting.length = 0;
    this.other.#waiting.length = 0;
    this.#session.forget(this.stream);
    this.other.#session.forget(this.other.stream);
  }
}
