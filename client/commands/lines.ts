/**
 * Lines of a byte stream.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";

/** Most characters of a line: 64 Ki. */
const MAX_LINE = 64 * 1024;

/**
 * The lines of UTF-8 text, without their ends, as they come. What follows the last newline is a line
 * if it is not empty.
 *
 * @param signal Ends the lines as if the stream had ended.
 * @throws {CircuitError} `BAD_REQUEST` for a line of more than 64 Ki characters.
 */
export async function* lines(
  bytes: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const reader = bytes.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  if (signal?.aborted) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    yield* split(reader);
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

async function* split(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const pieces = (rest + decoder.decode(next.value, { stream: true })).split("\n");
    rest = pieces.pop() ?? "";
    if (rest.length > MAX_LINE) {
      throw new CircuitError("BAD_REQUEST", `a line of the input is longer than ${MAX_LINE}`);
    }
    yield* pieces;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
