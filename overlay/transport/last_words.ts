/**
 * Telling a peer why its connection is closed, so that it gets to read it.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { writeAll } from "./hello.ts";
import { FLUSH_TIMEOUT_MS } from "./limits.ts";
import type { Conn } from "./network.ts";

/** Bytes that are read and thrown away at a time. */
const DISCARD_BYTES = 16 * 1024;

/**
 * Writes `bytes` and closes the connection: when the peer has closed it, and after
 * {@linkcode FLUSH_TIMEOUT_MS} in any case. What it still sends is thrown away until then: TCP
 * resets a connection that is closed before it was read to its end, and the reset can overtake the
 * words. Never rejects.
 *
 * @param reading True while a read of the connection is under way elsewhere: nothing is read then.
 */
export async function sayLast(
  conn: Conn,
  bytes: Uint8Array<ArrayBuffer>,
  clock: Clock,
  reading = false,
): Promise<void> {
  const cancel = clock.after(FLUSH_TIMEOUT_MS, () => conn.close());
  try {
    await writeAll(conn, bytes);
    const discarded = new Uint8Array(DISCARD_BYTES);
    while (!reading && await conn.read(discarded) !== null);
  } catch {
    // It has gone away already, or does not read: nobody is left to tell.
  } finally {
    cancel();
    conn.close();
  }
}
