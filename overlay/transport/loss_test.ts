import { assert, assertEquals, assertMatch } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { FrameType, NO_STREAM } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { KEEPALIVE_MS, SILENCE_MS } from "./limits.ts";
import { writeError } from "./payload.ts";
import type { Stream } from "./stream.ts";
import { RawPeer } from "./_raw_peer.ts";
import { connectPair, failureOf, FakeClock, settle, testEachWay, until } from "./_testing.ts";
import { FairClock } from "../../tests/until.ts";

const CALLS = 1_000;

testEachWay("a cut connection fails each of many calls exactly once", async (sides) => {
  sides.onRequest = (stream, { method }) => method !== "wait" && stream.accept();
  let failures = 0;
  const over: number[] = new Array(2 * CALLS).fill(0);
  const waits: Promise<CircuitError>[] = [];
  for (let i = 0; i < CALLS; i++) {
    const waiting = sides.opener.open("wait", "/");
    waiting.onOver(() => over[i]!++);
    waits.push(failureOf(waiting.reply()));
    const streaming = sides.opener.open("stream", "/");
    streaming.onOver(() => over[CALLS + i]!++);
    waits.push(failureOf(streaming.read()), failureOf(streaming.write(new Uint8Array(100_000))));
    // Nobody waits for this one: its failure must not go unhandled.
    sides.opener.open("wait", "/").write(new Uint8Array(100_000)).catch(() => failures++);
  }
  const pinging = failureOf(sides.opener.ping().then(() => sides.opener.ping()));
  await sides.opener.ping();
  using clock = new FairClock();
  sides.answererConn.close();
  for (const error of await Promise.all(waits)) assertEquals(error.code, "SERVER_GONE");
  assert(clock.ms < 1_000);
  await pinging.catch(() => {});
  assertEquals(over, over.map(() => 1));
  assertEquals(failures, CALLS);
  assertEquals([sides.opener.streamCount, sides.opener.usable], [0, false]);
  assertEquals((await failureOf(sides.opener.ping())).code, "SERVER_GONE");
  await sides.answerer.closed;
  assertEquals(sides.answerer.streamCount, 0);
});

testEachWay("a call back that throws keeps no other call from its end", async (sides) => {
  sides.onRequest = () => {};
  const calls = Array.from({ length: 5 }, () => sides.opener.open("wait", "/"));
  calls[1]!.onOver(() => {
    throw new Error("on purpose");
  });
  await sides.opener.ping();
  const all = Promise.all(calls.map((call) => failureOf(call.reply())));
  // The thrower is told of in the end.
  let thrown = "";
  await sides.opener.close().catch((error) => thrown = error.message);
  assertEquals((await all).map(({ code }) => code), calls.map(() => "SERVER_GONE"));
  assertEquals(thrown, "on purpose");
});

testEachWay("close() writes what is queued, says why, and ends both sides", async (sides) => {
  const got: number[] = [];
  sides.onRequest = (stream) => {
    got.push(stream.poll()?.length ?? 0);
    stream.accept({ last: true });
  };
  const kept = sides.opener.open("wait", "/");
  const last = sides.opener.open("call", "/", { body: new Uint8Array(30_000), end: true });
  const reason = new CircuitError("CLOSED", "the client was closed");
  const closing = Promise.all([sides.opener.close(reason), sides.opener.close()]);
  assert(!sides.opener.usable);
  assertEquals(
    (await failureOf(Promise.resolve().then(() => void sides.opener.open("x", "/")))).code,
    "SERVER_GONE",
  );
  await closing;
  const error = await sides.answerer.closed;
  assertEquals(got, [0, 30_000]);
  assertEquals(error.code, "SERVER_GONE");
  assertMatch(error.message, /^lost server circuit:.*: the client was closed$/);
  assertEquals(sides.opener.error, reason);
  for (const stream of [kept, last]) assertEquals((await failureOf(stream.read())).code, "CLOSED");
  await sides.opener.close();
});

Deno.test("close() gives up on a peer that does not read", async () => {
  const clock = new FakeClock();
  await using pair = await connectPair({ dialler: { clock } });
  pair.conns.dialler.stall(true);
  const closing = pair.dialler.close();
  await clock.pass(1_000);
  await closing;
  assertEquals(clock.pending, 0);
});

Deno.test("a lost client is ABORTED for the server, a lost server SERVER_GONE for the client", async () => {
  let stream: Stream | undefined;
  await using peer = await RawPeer.connect({
    onRequest: (incoming) => stream = incoming.session.accept(incoming),
  });
  const out = new FrameBuffer();
  out.frame(FrameType.OPEN, 0, 1, new Uint8Array([1, 97, 0, 1, 47, 0, 0, 0, 0, 0, 0, 0, 0]));
  await peer.send(FrameType.OPEN, 1, out.view().slice(10));
  await until(() => stream !== undefined);
  const reading = failureOf(stream!.read());
  peer.conn.close();
  assertEquals((await reading).code, "ABORTED");
});

Deno.test("GOAWAY of a peer that does not close ends the session all the same", async () => {
  const clock = new FakeClock();
  await using peer = await RawPeer.connect({ clock });
  const out = new FrameBuffer();
  writeError(out, FrameType.GOAWAY, NO_STREAM, new CircuitError("CLOSED", "good night"));
  await peer.send(FrameType.GOAWAY, 0, out.view().slice(10));
  await until(() => !peer.session.usable);
  assertEquals(peer.session.error, undefined);
  await clock.pass(3 * KEEPALIVE_MS);
  assertMatch((await peer.session.closed).message, /good night$/);
  assertEquals(clock.pending, 0);
});

Deno.test("a request that comes while closing is refused", async () => {
  let requests = 0;
  await using peer = await RawPeer.connect({ onRequest: () => requests++ });
  const payload = new Uint8Array([1, 97, 0, 1, 47, 0, 0, 0, 0, 0, 0, 0, 0]);
  const sent = peer.send(FrameType.OPEN, 1, payload);
  await Promise.all([sent, peer.session.close()]);
  assertEquals(requests, 0);
});

Deno.test("a silent peer is lost after SILENCE_MS while calls are open", async () => {
  const clock = new FakeClock();
  await using peer = await RawPeer.connect({ clock });
  const call = peer.session.open("wait", "/");
  const failed = failureOf(call.reply());
  await clock.pass(SILENCE_MS);
  assertEquals(peer.session.error, undefined);
  assert(peer.frames.some(({ type }) => type === FrameType.PING));
  await clock.pass(2 * KEEPALIVE_MS);
  assertMatch((await failed).message, /nothing came/);
  assertEquals(clock.pending, 0);
});

Deno.test("a peer that answers pings is never lost, and an idle one is left alone", async () => {
  const clock = new FakeClock();
  await using pair = await connectPair({
    dialler: { clock },
    acceptor: { clock, onRequest: (incoming) => incoming.session.accept(incoming) },
  });
  const call = pair.dialler.open("wait", "/");
  const before = pair.dialler.traffic.in;
  await clock.pass(100_000);
  assertEquals(pair.dialler.error, undefined);
  assert(pair.dialler.traffic.in > before);
  call.fail(new CircuitError("ABORTED", "done"));
  await until(() => pair.acceptor.streamCount === 0);
  const quiet = pair.dialler.traffic.in;
  await clock.pass(25_000);
  assertEquals(pair.dialler.traffic.in, quiet);
  await clock.pass(1_000_000);
  assertEquals([pair.dialler.error, pair.acceptor.error], [undefined, undefined]);
});

Deno.test("an idle peer that is gone without a word is lost at last", async () => {
  const clock = new FakeClock();
  await using peer = await RawPeer.connect({ clock });
  await clock.pass(30_000);
  assertEquals(peer.session.error, undefined);
  await clock.pass(15_000);
  assertEquals(peer.session.error?.code, "ABORTED");
});

Deno.test("a process that was stopped does not take its peer for lost", async () => {
  const clock = new FakeClock();
  await using pair = await connectPair({
    dialler: { clock },
    acceptor: {
      clock: new FakeClock(),
      onRequest: (incoming) => incoming.session.accept(incoming),
    },
  });
  const call = pair.dialler.open("wait", "/");
  await clock.pass(KEEPALIVE_MS);
  clock.stop(10 * SILENCE_MS);
  await clock.pass(2 * SILENCE_MS);
  assertEquals([pair.dialler.error, call.error], [undefined, undefined]);
});

Deno.test("a peer that asks and does not read is dropped before it costs much", async () => {
  let replies = 0;
  await using pair = await connectPair({
    acceptor: {
      onRequest: (incoming) => {
        replies++;
        incoming.session.accept(incoming).accept({ result: "x".repeat(400_000), last: true });
      },
    },
  });
  pair.conns.acceptor.stall(true);
  for (let i = 0; i < 500; i++) pair.dialler.open("call", "/", { end: true });
  const error = await pair.acceptor.closed;
  assertMatch(error.message, /does not read/);
  assert(replies < 250);
});

Deno.test("a peer that asks for stream bytes and does not read is dropped, too", async () => {
  let replies = 0;
  const first = new Uint8Array(32 * 1024);
  await using pair = await connectPair({
    acceptor: {
      maxUnsentBytes: 100 * first.length,
      onRequest: (incoming) => {
        replies++;
        incoming.session.accept(incoming).accept({ first, last: true });
      },
    },
  });
  pair.conns.acceptor.stall(true);
  for (let i = 0; i < 500; i++) pair.dialler.open("recv", "/", { end: true });
  const error = await pair.acceptor.closed;
  assertMatch(error.message, /does not read/);
  assert(replies <= 100, `${replies} replies`);
});

Deno.test("replies that carry stream bytes may be many", async () => {
  const calls: Stream[] = [];
  await using pair = await connectPair({
    acceptor: { onRequest: (incoming) => void calls.push(incoming.session.accept(incoming)) },
  });
  const count = 1_200;
  const opened = Array.from({ length: count }, () => pair.dialler.open("recv", "/", { end: true }));
  await until(() => calls.length === count);
  // 37 MiB at once: more than may be queued of small frames.
  const first = new Uint8Array(32 * 1024);
  for (const call of calls) call.accept({ first, last: true });
  for (const stream of opened) assertEquals((await stream.read())?.length, first.length);
  await settle();
  assertEquals([pair.dialler.error, EMPTY.length], [undefined, 0]);
});
