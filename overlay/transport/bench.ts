/**
 * What the transport costs by itself, beside a bare TCP echo in the same run: two processes over
 * loopback, one answering. `deno run --allow-net --allow-read --allow-run overlay/transport/bench.ts`
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { answerSession, dialSession } from "./connect.ts";
import type { Session } from "./session.ts";
import { tcp } from "./tcp.ts";

const ID = "X0123456789abcdef";
const CALLS = 20_000;
const IN_FLIGHT = 64;
const CALLS_IN_FLIGHT = 200_000;
const STREAM_BYTES = 1024 ** 3;
const PIECE = new Uint8Array(64 * 1024);
const WINDOW = 1024 * 1024;
const ROUNDS = 3;

/** The answering process: a bare echo and a session each, on ports of its own. */
async function serve(): Promise<void> {
  const echo = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = tcp.listen("127.0.0.1", 0);
  console.log(`${echo.addr.port} ${listener.port}`);
  const self = { id: ID, address: `circuit://127.0.0.1:${listener.port}/1/Q0123456789abcdef` };
  const bare = await echo.accept();
  bare.setNoDelay(true);
  echoAll(bare);
  const conn = await listener.accept();
  if (!conn) return;
  const session = await answerSession({
    network: tcp,
    self,
    onRequest(incoming) {
      const call = incoming.session.accept(incoming);
      if (incoming.method === "bench.call") call.accept({ last: true });
      else sink(call);
    },
  }, conn);
  await session.closed;
  Deno.exit();
}

async function echoAll(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return conn.close();
    await conn.write(buffer.subarray(0, count));
  }
}

async function sink(call: ReturnType<Session["accept"]>): Promise<void> {
  call.accept();
  call.grant(WINDOW);
  for (let piece = await call.read(); piece; piece = await call.read()) call.grant(piece.length);
  call.end();
}

async function oneAtATime(work: () => Promise<unknown>): Promise<number> {
  const times = new Float64Array(CALLS);
  for (let i = 0; i < CALLS; i++) {
    const before = performance.now();
    await work();
    times[i] = performance.now() - before;
  }
  return times.sort()[CALLS / 2]! * 1000; // there are CALLS of them
}

async function inFlight(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  let left = CALLS_IN_FLIGHT;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return CALLS_IN_FLIGHT / (performance.now() - before) * 1000;
}

async function upload(session: Session): Promise<number> {
  const before = performance.now();
  const stream = session.open("bench.sink", "/");
  for (let sent = 0; sent < STREAM_BYTES; sent += PIECE.length) await stream.write(PIECE);
  stream.end();
  await stream.read();
  return STREAM_BYTES / (performance.now() - before) / 1000;
}

async function measure(): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--allow-read", import.meta.filename ?? "", "serve"],
    stdout: "piped",
  });
  const child = command.spawn();
  const first = await child.stdout.getReader().read();
  const [echoPort = 0, port = 0] = new TextDecoder().decode(first.value).split(" ").map(Number);
  const bare = await Deno.connect({ hostname: "127.0.0.1", port: echoPort });
  bare.setNoDelay(true);
  const message = new Uint8Array(32);
  const into = new Uint8Array(4096);
  const session = await dialSession({ network: tcp }, { host: "127.0.0.1", port, id: ID });
  const call = () => session.open("bench.call", "/X0123456789abcdef", { end: true }).reply();
  for (let round = 0; round < ROUNDS; round++) {
    const echo = await oneAtATime(async () => {
      await bare.write(message);
      await bare.read(into);
    });
    const p50 = await oneAtATime(call);
    console.log(
      `call p50 ${p50.toFixed(1)} µs, TCP echo ${echo.toFixed(1)} µs, ` +
        `ratio ${(p50 / echo).toFixed(2)}; ${IN_FLIGHT} in flight ` +
        `${Math.round(await inFlight(call))} /s; stream ${Math.round(await upload(session))} MB/s`,
    );
  }
  bare.close();
  await session.close(new CircuitError("CLOSED", "done"));
  await child.status;
}

await (Deno.args[0] === "serve" ? serve() : measure());
