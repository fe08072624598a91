/**
 * Listings as they come over the wire: records of fields, each field ended by a NUL.
 *
 * @module
 */

import { CircuitError } from "../overlay/errors.ts";
import type { Stream } from "../overlay/transport/stream.ts";

/**
 * Reads records of two fields, as they come. Leaving the loop early cancels the call.
 *
 * @throws {CircuitError} `PROTOCOL` if the listing ends inside a record, or why the call failed.
 */
export async function* readPairs(stream: Stream): AsyncGenerator<[string, string]> {
  const decoder = new TextDecoder();
  let rest = "";
  let whole = false;
  try {
    for (;;) {
      const chunk = await stream.read();
      if (!chunk) break;
      const fields = (rest + decoder.decode(chunk, { stream: true })).split("\0");
      // What follows the last NUL, and a first field without its second, wait for the next chunk.
      const complete = (fields.length - 1) & ~1;
      for (let i = 0; i < complete; i += 2) yield [fields[i] ?? "", fields[i + 1] ?? ""];
      rest = fields.slice(complete).join("\0");
      stream.grant(chunk.length);
    }
    whole = true;
    if (rest !== "") {
      throw new CircuitError("PROTOCOL", "a listing ended in the middle of a record");
    }
  } finally {
    if (!whole) stream.fail(new CircuitError("ABORTED", "the caller needs no more of the listing"));
  }
}
