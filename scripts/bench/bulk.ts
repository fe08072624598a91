/**
 * Bytes in bulk: one message through a channel, and the streams of processes.
 *
 * @module
 */

import { type Anchor, type Chan, dial } from "../../mod.ts";
import { startServerProcess } from "../server_process.ts";
import type { Target } from "./figure.ts";
import { compare, throughput } from "./measure.ts";
import { startRaw } from "./raw.ts";
import { type Bench, compared, MIB, size } from "./section.ts";

/** Sizes in bytes. */
const LADDER = [100, 4 * 1024, 64 * 1024, MIB, 16 * MIB, 256 * MIB, 1024 * MIB];

/** The size with `--quick`. */
const QUICK_LADDER = [256 * MIB];

/** Bytes from which on a transfer is a large one. */
const LARGE = 256 * MIB;

/** Bytes of a write. */
const PIECE = new Uint8Array(256 * 1024);

/** One message, and the output and input of a process. */
export async function bulk(bench: Bench): Promise<void> {
  await using server = await startServerProcess();
  await using client = await dial(server.address);
  await using raw = await startRaw();
  const root = client.anchor(`/${server.serverId}`);
  const chan = await root.walk("chan").makeChan();
  for (const bytes of bench.quick ? QUICK_LADDER : LADDER) {
    const add = async (
      work: string,
      ours: () => Promise<number>,
      against: string,
      below: () => Promise<number>,
      atLeast: number,
    ) => {
      const target: Target | undefined = bytes < LARGE ? undefined : { of: "ratio", atLeast };
      // The largest come behind others that were large.
      const warmUp = bytes > LARGE ? 0 : undefined;
      const result = await compare(bench.rounds, ours, below, warmUp);
      bench.add(compared(`${work}, ${size(bytes)}`, "MB/s", against, result, target));
    };
    const echo = () => raw.throughput(bytes);
    const pipe = () => raw.pipeThroughput(bytes);
    const input = () => raw.inputThroughput(bytes);
    await add("one message, through the server", () => message(chan, bytes), "TCP echo", echo, 0.6);
    await add("stdout to a client", () => stdout(root, bytes), "pipe to TCP", pipe, 0.7);
    await add("stdin from a client", () => stdin(root, bytes), "TCP to pipe", input, 0.7);
  }
}

/** MB/s of one message. */
export function message(chan: Chan, bytes: number): Promise<number> {
  return throughput(bytes, async () => {
    const sending = chan.send().then((message) => zeros(bytes).pipeTo(message));
    expect(await count(await chan.recv()), bytes);
    await sending;
  });
}

/** MB/s of what a process prints. */
export async function stdout(root: Anchor, bytes: number): Promise<number> {
  const anchor = root.walk("stdout");
  const proc = await anchor.makeProc({ path: "head", args: ["-c", `${bytes}`, "/dev/zero"] });
  const speed = await throughput(bytes, async () => expect(await count(proc.stdout()), bytes));
  await proc.wait();
  await proc.scrub();
  return speed;
}

/** MB/s of what a process is sent; the time is that until it has read all of it and exited. */
async function stdin(root: Anchor, bytes: number): Promise<number> {
  const anchor = root.walk("stdin");
  const proc = await anchor.makeProc({ path: "sh", args: ["-c", "cat > /dev/null"] });
  const speed = await throughput(bytes, async () => {
    await zeros(bytes).pipeTo(proc.stdin());
    await proc.wait();
  });
  await proc.scrub();
  return speed;
}

function zeros(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(PIECE.subarray(0, Math.min(left, PIECE.length)));
      left -= Math.min(left, PIECE.length);
      if (left === 0) controller.close();
    },
  });
}

/** Reads all, into one buffer. */
async function count(stream: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stream.getReader({ mode: "byob" });
  let [bytes, buffer] = [0, new ArrayBuffer(PIECE.length)];
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(buffer));
    if (done) return bytes;
    bytes += value.length;
    buffer = value.buffer;
  }
}

function expect(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} bytes came, ${wanted} were sent`);
}
