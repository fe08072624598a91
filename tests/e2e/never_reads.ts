/**
 * A client that asks and asks, and never reads an answer. It prints a line when it has written more
 * than the system's buffers hold, so that the server has read some of it. It runs in a process of its own, which can be
 * killed: with an older Deno, a write that waits for the other side does not end by itself.
 *
 *     deno run never_reads.ts HOST PORT PATH
 *
 * @module
 */

import { Flag, FrameType } from "../../overlay/transport/frame.ts";
import { FrameBuffer } from "../../overlay/transport/frame_buffer.ts";
import { clientHello } from "../../overlay/transport/_raw_peer.ts";
import { writeOpen } from "../../overlay/transport/payload.ts";

/** Pings before each call. */
const PINGS = 1_000;

/** Bytes that no buffers of a connection hold whose other end does not read: 8 MiB. */
const BUFFERS = 8 * 1024 * 1024;

const NONE = new Uint8Array(0);

const [hostname = "", port, path = ""] = Deno.args;
using conn = await Deno.connect({ hostname, port: Number(port) });
const out = new FrameBuffer();
await write(clientHello());
let written = 0;
for (let stream = 1;; stream += 2) {
  const call = { method: "server.peek", path, window: 32 * 1024, args: NONE, body: NONE };
  writeOpen(out, stream, Flag.END, call);
  for (let i = 0; i < PINGS; i++) out.frame(FrameType.PING, 0, 0, new Uint8Array(8));
  await write(out.view());
  const before = written;
  written += out.length;
  if (before < BUFFERS && written >= BUFFERS) console.log("asking");
  out.clear();
}

async function write(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
