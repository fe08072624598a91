/**
 * The byte streams of calls as Web Streams.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../overlay/errors.ts";
import type { Stream } from "../overlay/transport/stream.ts";

/** Bytes that may be on their way to a reader that reads: 256 KiB. */
export const READ_WINDOW_BYTES = 256 * 1024;

/** Opens a call. The signal says that nobody wants it any more. */
export type Opener = (unwanted: AbortSignal) => Stream | Promise<Stream>;

/**
 * What a call sends down. Bytes count as consumed when the reader asks for more, and the whole as
 * received when the reader has seen the end; cancelling tells the server exactly how far it got.
 * A reader with a buffer of its own (`getReader({ mode: "byob" })`) gets them there, without a copy
 * between: the fastest way for bytes in bulk.
 *
 * @param source The call, or what opens it when the first byte is asked for.
 */
export function readable(source: Stream | Opener): ReadableStream<Uint8Array> {
  let stream = typeof source === "function" ? undefined : source;
  let taken = 0;
  const unwanted = new AbortController();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      try {
        if (typeof source === "function") stream ??= await open(source, unwanted.signal);
        if (!stream) return;
        stream.grant(taken);
        taken = 0;
        const request = controller.byobRequest;
        const chunk = await stream.read(request?.view ? bytesOf(request.view) : undefined);
        if (chunk) {
          taken = chunk.length;
          if (request) request.respond(taken);
          else controller.enqueue(chunk as Uint8Array<ArrayBuffer>); // nothing here is shared
        } else {
          stream.end();
          controller.close();
          request?.respond(0);
        }
      } catch (error) {
        controller.error(toCircuitError(error));
      }
    },
    cancel(reason) {
      const error = abandoned("the reader cancelled the stream", reason);
      unwanted.abort(error);
      stream?.grant(taken);
      stream?.fail(error);
    },
  }, { highWaterMark: 0 });
}

/**
 * What a call takes up. A write resolves when its bytes are on their way; closing resolves when the
 * server has said that it has all of them.
 *
 * @param source The call, or what opens it at once; the stream's writes wait for it.
 */
export function writable(source: Stream | Opener): WritableStream<Uint8Array> {
  let stream: Stream;
  let confirmed: Promise<unknown>;
  const unwanted = new AbortController();
  return new WritableStream<Uint8Array>({
    async start(controller) {
      const { signal } = controller;
      // The sink's own `abort` is called only when the write under way is over, which may never be.
      signal.addEventListener("abort", () => {
        const error = abandoned("the writer aborted the stream", signal.reason);
        unwanted.abort(error);
        stream?.fail(error);
      }, { once: true });
      stream = typeof source === "function" ? await open(source, unwanted.signal) : source;
      // Nothing comes down but the end, which says that the server has all of it. A call that fails
      // between two writes is noticed here too.
      confirmed = stream.read();
      confirmed.catch((error) => controller.error(error));
    },
    write(chunk) {
      try {
        checkBytes(chunk);
      } catch (error) {
        stream.fail(toCircuitError(error));
        throw error;
      }
      return stream.write(chunk);
    },
    async close() {
      stream.end();
      await confirmed;
    },
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Opens a call which may be wanted no more once it is open. */
async function open(source: Opener, unwanted: AbortSignal): Promise<Stream> {
  const stream = await source(unwanted);
  if (!unwanted.aborted) return stream;
  stream.fail(unwanted.reason);
  throw unwanted.reason;
}

/**
 * What a call has sent down, and says that it was received: where all of it came along with the
 * answer, in one piece.
 *
 * @returns undefined if there is more to come; nothing has changed then.
 */
export function readWhole(stream: Stream): Uint8Array | undefined {
  if (!stream.whole) return undefined;
  const bytes = stream.poll() ?? new Uint8Array(0);
  stream.end();
  return bytes;
}

/** Reads all that a call sends down, and says that it was received. */
export async function readAll(stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read();
    if (!chunk) break;
    stream.grant(chunk.length);
    chunks.push(chunk);
  }
  stream.end();
  const [first] = chunks;
  if (first && chunks.length === 1) return first;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * Makes sure that what a program wants to send is bytes, which its compiler may not have done.
 *
 * @throws {CircuitError} `BAD_REQUEST` if it is something else.
 */
export function checkBytes(chunk: unknown): void {
  if (chunk instanceof Uint8Array) return;
  const found = typeof chunk === "object" && chunk ? chunk.constructor?.name : typeof chunk;
  throw new CircuitError("BAD_REQUEST", `cannot send a ${found}: want a Uint8Array`);
}

function abandoned(what: string, cause: unknown): CircuitError {
  return new CircuitError("ABORTED", what, { cause });
}
