/**
 * `deno task bench`: how fast a circuit is on this machine, each figure beside the raw limit that was
 * measured in the same run. Client and server are separate processes. `--json` prints JSON.
 *
 * @module
 */

import { type Anchor, type Chan, dial } from "../mod.ts";
import { startServerProcess } from "./server_process.ts";
import { startRaw } from "./bench_raw.ts";

/** Rounds of each measurement; what is printed is the median. */
const ROUNDS = 5;
/** Calls of a round of one at a time. */
const CALLS = 1_000;
/** Calls of a round of many in flight. */
const MANY = 20_000;
/** Bytes of a small message. */
const SMALL = 100;
/** Bytes of a large message: 256 MiB. */
const LARGE = 256 * 1024 * 1024;

/** One row: a figure, its baseline, and what the two have in common. */
interface Row {
  readonly work: string;
  readonly unit: "µs" | "/s" | "MB/s";
  readonly value: number;
  readonly baseline: string;
  readonly raw: number;
  readonly ratio: number;
}

if (import.meta.main) {
  const rows = await bench();
  if (Deno.args.includes("--json")) console.log(JSON.stringify(rows, undefined, 2));
  else printRows(rows);
}

async function bench(): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (
    work: string,
    unit: Row["unit"],
    value: number,
    [baseline, raw]: readonly [string, number],
  ) => rows.push({ work, unit, value, baseline, raw, ratio: value / raw });

  await using server = await startServerProcess();
  await using client = await dial(server.address);
  await using raw = await startRaw();
  const root = client.anchor(`/${server.serverId}`);
  const small = new Uint8Array(SMALL);

  const echo = ["TCP echo, p50", await median(() => latency(() => raw.echo(small)))] as const;
  const echoes = ["TCP echo, calls a second", 1e6 / echo[1]] as const;
  const buffered = await root.walk("buffered").makeChan(1_000);
  add("small call (stat)", "µs", await median(() => latency(() => buffered.stat())), echo);
  const get = () => root.walk("buffered").get();
  add("walk and get", "µs", await median(() => latency(get)), echo);
  const pass = async () => {
    await buffered.sendBytes(small);
    await buffered.recvBytes();
  };
  add("send + recv of 100 B", "µs", await median(() => latency(pass)), echo);
  const inFlight = () => rate(MANY, 64, () => buffered.stat());
  add("small calls, 64 in flight", "/s", await median(inFlight), echoes);
  const crowd = () => passAmong(32, buffered, small);
  add("send + recv, 32 senders and 32 receivers", "/s", await median(crowd), echoes);

  const bulk = ["TCP echo, throughput", await median(() => raw.throughput(LARGE))] as const;
  const chan = await root.walk("direct").makeChan();
  add("one large message", "MB/s", await median(() => large(chan)), bulk);
  const pipe = ["pipe to TCP to sink", await median(() => raw.pipeThroughput(LARGE))] as const;
  add("stdout of a process", "MB/s", await median(() => stdout(root)), pipe);
  add("stdin of a process", "MB/s", await median(() => stdin(root)), pipe);

  const one = ["Deno.Command, one at a time", await median(() => rate(100, 1, runTrue))] as const;
  add("/bin/true, wait, scrub", "/s", await median(() => rate(100, 1, spawner(root))), one);
  const some = ["Deno.Command, 16 in flight", await median(() => rate(200, 16, runTrue))] as const;
  add("the same, 16 in flight", "/s", await median(() => rate(200, 16, spawner(root))), some);
  return rows;
}

/** Median microseconds of a call, one at a time. */
async function latency(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return middle(times) * 1000;
}

/** Calls a second, this many at a time. */
async function rate(calls: number, inFlight: number, call: () => Promise<unknown>) {
  const start = performance.now();
  let left = calls;
  const worker = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return calls / seconds(start);
}

/** Messages a second through one channel. */
async function passAmong(crowd: number, chan: Chan, message: Uint8Array): Promise<number> {
  const [sent] = await Promise.all([
    rate(MANY, crowd, () => chan.sendBytes(message)),
    rate(MANY, crowd, () => chan.recvBytes()),
  ]);
  return sent;
}

async function large(chan: Chan): Promise<number> {
  const start = performance.now();
  const sending = chan.send().then((message) => zeros(LARGE).pipeTo(message));
  expect(await count(await chan.recv()), LARGE);
  await sending;
  return LARGE / 1e6 / seconds(start);
}

async function stdout(root: Anchor): Promise<number> {
  const anchor = root.walk("stdout");
  const proc = await anchor.makeProc({ path: "head", args: ["-c", `${LARGE}`, "/dev/zero"] });
  const start = performance.now();
  expect(await count(proc.stdout()), LARGE);
  const time = seconds(start);
  await proc.scrub();
  return LARGE / 1e6 / time;
}

async function stdin(root: Anchor): Promise<number> {
  const anchor = root.walk("stdin");
  const proc = await anchor.makeProc({ path: "sh", args: ["-c", "cat > /dev/null"] });
  const start = performance.now();
  await zeros(LARGE).pipeTo(proc.stdin());
  await proc.wait();
  const time = seconds(start);
  await proc.scrub();
  return LARGE / 1e6 / time;
}

function spawner(root: Anchor): () => Promise<void> {
  let number = 0;
  return async () => {
    const anchor = root.walk("true", `${number++}`);
    const proc = await anchor.makeProc({ path: "/bin/true" });
    await proc.wait();
    await proc.scrub();
  };
}

async function runTrue(): Promise<void> {
  await new Deno.Command("/bin/true", { stdin: "null", stdout: "piped", stderr: "piped" })
    .output();
}

function zeros(bytes: number): ReadableStream<Uint8Array> {
  const piece = new Uint8Array(256 * 1024);
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(piece.subarray(0, Math.min(left, piece.length)));
      left -= Math.min(left, piece.length);
      if (left === 0) controller.close();
    },
  });
}

async function count(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

async function median(round: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < ROUNDS; i++) values.push(await round());
  return middle(values);
}

function middle(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function seconds(start: number): number {
  return (performance.now() - start) / 1000;
}

function expect(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} bytes came, ${wanted} were sent`);
}

function printRows(rows: readonly Row[]): void {
  const number = (value: number) => Math.round(value).toLocaleString("en-US").padStart(9);
  for (const { work, unit, value, baseline, raw, ratio } of rows) {
    const figure = `${work.padEnd(42)}${number(value)} ${unit.padEnd(5)}`;
    console.log(`${figure} ${baseline.padEnd(28)}${number(raw)}   ratio ${ratio.toFixed(2)}`);
  }
}
