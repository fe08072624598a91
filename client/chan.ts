/**
 * Channels, as the client sees them.
 *
 * @module
 */

import { chanDescription } from "../elements/chan/description.ts";
import { CircuitError } from "../overlay/errors.ts";
import { INITIAL_WINDOW } from "../overlay/transport/limits.ts";
import { call, open, type Target } from "./call.ts";
import {
  checkBytes,
  READ_WINDOW_BYTES,
  readable,
  readAll,
  readWhole,
  writable,
} from "./streams.ts";
import type { CallOptions, Chan, ChanStat } from "./types.ts";
import { scrub } from "./scrub.ts";

const SEND = `${chanDescription.name}.send`;
const RECV = `${chanDescription.name}.recv`;

/** A request of a receiver. */
const WIDE = { window: READ_WINDOW_BYTES };

/** A handle of a channel. */
export class ChanHandle implements Chan {
  readonly kind = "chan";
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  async send(options?: CallOptions): Promise<WritableStream<Uint8Array>> {
    const stream = await open(this.#target, SEND, {}, options);
    await stream.reply();
    return writable(stream);
  }

  async recv(options?: CallOptions): Promise<ReadableStream<Uint8Array>> {
    const stream = await open(this.#target, RECV, WIDE, options);
    await stream.reply();
    return readable(stream);
  }

  async sendBytes(message: Uint8Array, options?: CallOptions): Promise<void> {
    checkBytes(message);
    const whole = message.length <= INITIAL_WINDOW;
    // What goes into the request is copied there; the caller may change its bytes once this returns.
    const request = whole ? { body: message, end: true } : {};
    // Each await takes time, so there is none where there is nothing to wait for.
    const opened = open(this.#target, SEND, request, options);
    const stream = opened instanceof Promise ? await opened : opened;
    if (!whole) {
      await stream.write(message);
      stream.end();
    }
    await stream.reply();
    // The server ends its side when it has the message for good.
    if (!stream.ended) await stream.read();
  }

  async recvBytes(options?: CallOptions): Promise<Uint8Array> {
    const opened = open(this.#target, RECV, WIDE, options);
    const stream = opened instanceof Promise ? await opened : opened;
    await stream.reply();
    return readWhole(stream) ?? await readAll(stream);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      let message: Uint8Array;
      try {
        message = await this.recvBytes();
      } catch (error) {
        const closed = error instanceof CircuitError && error.code === "CLOSED";
        // A client that was closed says the same, and is no end of the messages.
        if (closed && !this.#target.router.closing) return;
        throw error;
      }
      yield message;
    }
  }

  close(options?: CallOptions): Promise<void> {
    return call(this.#target, chanDescription, "close", undefined, options);
  }

  stat(options?: CallOptions): Promise<ChanStat> {
    return call(this.#target, chanDescription, "stat", undefined, options);
  }

  scrub(options?: CallOptions): Promise<void> {
    return scrub(this.#target, options);
  }
}
