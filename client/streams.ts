/**
 * The byte streams of calls as Web Streams.
 *
 * @module
 */

import { CircuitError, toCircuitError } from "../overlay/errors.ts";
import type { Stream } from "../overlay/transport/stream.ts";

/** Bytes that may be on their way to a reader that reads: 256 KiB. */
export const READ_WINDOW_BYTES = 256 * 1024;

/**
 * What a call sends down. Bytes count as consumed when the reader asks for more, and the whole as
 * received when the reader has seen the end; cancelling tells the server exactly how far it got.
 *
 * @param open Opens the call, when the first byte is asked for.
 */
export function readable(open: () => Promise<Stream>): ReadableStream<Uint8Array> {
  let stream: Stream | undefined;
  let taken = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        stream ??= await open();
        stream.grant(taken);
        taken = 0;
        const chunk = await stream.read();
        if (chunk) {
          taken = chunk.length;
          controller.enqueue(chunk);
        } else {
          stream.end();
          controller.close();
        }
      } catch (error) {
        controller.error(toCircuitError(error));
      }
    },
    cancel(reason) {
      stream?.grant(taken);
      stream?.fail(abandoned("the reader cancelled the stream", reason));
    },
  }, { highWaterMark: 0 });
}

/**
 * What a call takes up. A write resolves when its bytes are on their way; closing resolves when the
 * server has said that it has all of them.
 *
 * @param open Opens the call, at once; the stream's writes wait for it.
 */
export function writable(open: () => Promise<Stream>): WritableStream<Uint8Array> {
  let stream: Stream;
  let confirmed: Promise<unknown>;
  return new WritableStream<Uint8Array>({
    async start(controller) {
      stream = await open();
      // Nothing comes down but the end, which says that the server has all of it. A call that fails
      // between two writes is noticed here too.
      confirmed = stream.read();
      confirmed.catch((error) => controller.error(error));
    },
    write: (chunk) => stream.write(chunk),
    async close() {
      stream.end();
      await confirmed;
    },
    abort(reason) {
      stream?.fail(abandoned("the writer aborted the stream", reason));
    },
  });
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

function abandoned(what: string, cause: unknown): CircuitError {
  return new CircuitError("ABORTED", what, { cause });
}
