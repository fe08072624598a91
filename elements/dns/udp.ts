/**
 * Answers queries over UDP.
 *
 * @module
 */

import { delay } from "../../overlay/delay.ts";
import { MAX_QUERY_BYTES, RETRY_MS } from "./limits.ts";

/** How queries are answered; undefined for no answer. */
export type Answer = (query: Uint8Array) => Uint8Array | undefined;

/**
 * Answers query after query until the socket is closed.
 *
 * One at a time: what comes too fast is dropped by the operating system, as UDP has it, and other
 * work gets its turns in between.
 *
 * @param signal Aborted before the socket is closed.
 * @param failed Gets errors of the socket, the first of a row.
 * @returns once the socket is closed.
 */
export async function serveUdp(
  socket: Deno.DatagramConn,
  answer: Answer,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Promise<void> {
  // One byte more shows which datagrams are too long.
  const buffer = new Uint8Array(MAX_QUERY_BYTES + 1);
  let well = true;
  while (!signal.aborted) {
    try {
      const [query, from] = await socket.receive(buffer);
      well = true;
      const reply = answer(query);
      if (reply && isReachable(from)) await send(socket, reply, from);
    } catch (error) {
      if (signal.aborted) return;
      if (well) failed(error);
      well = false;
      await delay(RETRY_MS, signal);
    }
  }
}

/** Port 0 is nobody's: who sends from there has forged its address. */
function isReachable(address: Deno.Addr): boolean {
  return address.transport === "udp" && address.port !== 0;
}

/** An answer that can't be sent is lost, as it may be on its way; the client asks again. */
async function send(socket: Deno.DatagramConn, reply: Uint8Array, to: Deno.Addr): Promise<void> {
  try {
    await socket.send(reply, to);
  } catch {
    // Where it should go to, a firewall or the lack of a route forbids.
  }
}
