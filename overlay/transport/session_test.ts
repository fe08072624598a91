import { assert, assertEquals, assertMatch } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { FrameType } from "./frame.ts";
import { INITIAL_WINDOW, MAX_PAYLOAD_BYTES, MAX_WINDOW } from "./limits.ts";
import { splitFrames } from "./_raw_peer.ts";
import { failureOf, readAll, settle, testEachWay, until } from "./_testing.ts";
import { newSeed, Random } from "../../tests/random.ts";
import type { Stream } from "./stream.ts";

const MEGABYTE = 1024 * 1024;

testEachWay("open() and accept() take one frame each", async (sides) => {
  sides.onRequest = (stream) => stream.accept({ result: { cap: 3 }, last: true });
  sides.openerConn.record = sides.answererConn.record = true;
  const stream = sides.opener.open("chan.stat", "/X/a", { args: 1, end: true });
  assertEquals(await stream.reply(), { cap: 3 });
  const asked = splitFrames(sides.openerConn.written.view());
  const answered = splitFrames(sides.answererConn.written.view());
  assertEquals(asked.map(({ type, flags }) => [type, flags]), [[FrameType.OPEN, 1]]);
  assertEquals(answered.map(({ type, flags }) => [type, flags]), [[FrameType.REPLY, 1]]);
  assertEquals([sides.opener.streamCount, sides.answerer.streamCount], [0, 0]);
});

testEachWay("a small message and its answer take one frame each", async (sides) => {
  const message = new Random(1).bytes(100);
  sides.onRequest = (stream) => stream.accept({ first: stream.poll()!, last: true });
  sides.openerConn.record = sides.answererConn.record = true;
  const stream = sides.opener.open("echo", "/", { body: message, end: true });
  await stream.reply();
  assertEquals(await stream.read(), message);
  assertEquals(await stream.read(), undefined);
  assertEquals(splitFrames(sides.openerConn.written.view()).length, 1);
  assertEquals(splitFrames(sides.answererConn.written.view()).length, 1);
});

testEachWay("frames of one turn go out in one write", async (sides) => {
  sides.onRequest = (stream) => stream.accept({ last: true });
  const before = sides.openerConn.writes;
  const calls = Array.from({ length: 50 }, () => sides.opener.open("call", "/", { end: true }));
  await Promise.all(calls.map((call) => call.reply()));
  assertEquals(sides.openerConn.writes - before, 1);
});

testEachWay("streams of random sizes in random pieces arrive intact", async (sides) => {
  const random = new Random(newSeed("streams"));
  const send = async (stream: Stream, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) {
      const count = 1 + random.below(random.below(2) ? 200_000 : 50);
      await stream.write(bytes.subarray(at, at + count));
      at += count;
    }
    stream.end();
  };
  const messages = Array.from({ length: 12 }, () => ({
    up: random.bytes(random.below(random.below(3) ? 400_000 : 10)),
    down: random.bytes(random.below(random.below(3) ? 400_000 : 10)),
    window: random.below(3) ? 1 + random.below(100_000) : MAX_WINDOW,
    got: undefined as Promise<Uint8Array> | undefined,
  }));
  sides.onRequest = (stream, { args }) => {
    const message = messages[args[0]!]!;
    stream.accept();
    message.got = readAll(stream);
    send(stream, message.down);
  };
  await Promise.all(messages.map(async (message, number) => {
    const { up, down, window } = message;
    const stream = sides.opener.open("both", "/", { args: number, window });
    const [, got] = await Promise.all([send(stream, up), readAll(stream)]);
    assertEquals(got, down);
    assertEquals(await message.got, up);
  }));
  await until(() => sides.opener.streamCount + sides.answerer.streamCount === 0);
});

testEachWay("a sender sends no more than it was granted", async (sides) => {
  const taken = Promise.withResolvers<Stream>();
  sides.onRequest = (stream) => taken.resolve(stream);
  const stream = sides.opener.open("up", "/");
  const writing = stream.write(new Uint8Array(MEGABYTE));
  const other = await taken.promise;
  await sides.opener.ping();
  assertEquals(stream.window, 0);
  let got = 0;
  const drain = () => {
    for (let part = other.poll(); part; part = other.poll()) got += part.length;
  };
  drain();
  assertEquals(got, INITIAL_WINDOW);
  for (const grant of [1, 1000, 300_000]) {
    const before = got;
    other.grant(grant);
    await until(() => (drain(), got - before === grant));
    await sides.opener.ping();
    drain();
    assertEquals(got - before, grant);
  }
  other.fail(new CircuitError("CLOSED", "enough"));
  assertEquals((await failureOf(writing)).code, "CLOSED");
});

testEachWay("grant() ahead of the bytes does not strand their sender", async (sides) => {
  const taken = Promise.withResolvers<Stream>();
  sides.onRequest = (stream) => taken.resolve(stream);
  const stream = sides.opener.open("up", "/", { body: new Uint8Array(INITIAL_WINDOW - 100) });
  const other = await taken.promise;
  // Less than half a window, while some is left: it is not worth a frame yet.
  other.grant(50);
  await stream.write(new Uint8Array(150));
  stream.end();
  other.accept({ last: true });
  await until(() => sides.answerer.streamCount === 0);
  assertEquals((await readAll(other)).length, INITIAL_WINDOW + 50);
});

testEachWay("a stalled reader holds back its own stream only", async (sides) => {
  const stalled = Promise.withResolvers<Stream>();
  sides.onRequest = (stream, { method }) => {
    stream.accept();
    if (method === "stall") stalled.resolve(stream);
    else readAll(stream).then(() => stream.end());
  };
  const stuck = sides.opener.open("stall", "/");
  let through = false;
  const writing = stuck.write(new Uint8Array(MEGABYTE)).then(() => through = true);
  const reader = await stalled.promise;
  for (let i = 0; i < 5; i++) {
    const free = sides.opener.open("sink", "/");
    await free.write(new Uint8Array(MEGABYTE));
    free.end();
    await free.read();
    await sides.opener.ping();
  }
  assert(!through);
  const got = readAll(reader);
  stuck.end();
  await writing;
  assertEquals((await got).length, MEGABYTE);
});

testEachWay("fail() of either side frees both", async (sides) => {
  for (const who of ["opener", "answerer"]) {
    const taken = Promise.withResolvers<Stream>();
    sides.onRequest = (stream) => taken.resolve(stream);
    const stream = sides.opener.open("wait", "/");
    const other = await taken.promise;
    const [failing, failed] = who === "opener" ? [stream, other] : [other, stream];
    const told: unknown[] = [];
    failed.onOver((error) => told.push(error?.code));
    const reading = failureOf(failed.read());
    failing.fail(new CircuitError("ABORTED", "no longer wanted – «ü»"));
    const error = await reading;
    assertEquals([error.code, error.message], ["ABORTED", "no longer wanted – «ü»"]);
    assertEquals(told, ["ABORTED"]);
    assertEquals([sides.opener.streamCount, sides.answerer.streamCount], [0, 0]);
    assertEquals((await failureOf(failed.read())).code, "ABORTED");
    assertEquals((await failureOf(failed.write(new Uint8Array(1)))).code, "ABORTED");
  }
});

testEachWay("fail() after the reply leaves the reply", async (sides) => {
  sides.onRequest = (stream) => {
    stream.accept({ result: "yes", first: new Uint8Array(5) });
    stream.fail(new CircuitError("CLOSED", "and no more"));
  };
  const stream = sides.opener.open("call", "/");
  assertEquals(await stream.reply(), "yes");
  await until(() => stream.error !== undefined);
  assertEquals((await failureOf(stream.read())).message, "and no more");
  assertEquals(await stream.reply(), "yes");
});

testEachWay("fail() tells first how much was consumed", async (sides) => {
  const over = Promise.withResolvers<number>();
  sides.onRequest = (stream) => {
    stream.onOver(() => over.resolve(stream.acknowledged));
    stream.accept();
    stream.write(new Uint8Array(5_000)).catch(() => {});
  };
  const stream = sides.opener.open("down", "/", { window: 4_000 });
  let got = 0;
  while (got < 4_000) got += (await stream.read())!.length;
  stream.grant(123);
  stream.fail(new CircuitError("ABORTED", "enough"));
  assertEquals(await over.promise, 123);
});

testEachWay("a long error message is cut and stays well-formed", async (sides) => {
  sides.onRequest = (stream) => stream.fail(new CircuitError("BUSY", "😀".repeat(10_000)));
  const error = await failureOf(sides.opener.open("call", "/").reply());
  assertEquals(error.code, "BUSY");
  assertMatch(error.message, /^😀{600,}/u);
});

testEachWay("what is thrown by onRequest goes to the caller", async (sides) => {
  let taken: Stream | undefined;
  sides.onRequest = (stream) => {
    taken = stream;
    throw new CircuitError("NOT_FOUND", "no such thing");
  };
  assertEquals((await failureOf(sides.opener.open("call", "/").reply())).code, "NOT_FOUND");
  assertEquals(taken?.error?.code, "NOT_FOUND");
  assertEquals(sides.answerer.streamCount, 0);
});

testEachWay("a request that cannot be sent breaks nothing", async (sides) => {
  sides.onRequest = (stream) => stream.accept({ result: 1, last: true });
  const codeOf = async (work: () => void) => {
    return (await failureOf(Promise.resolve().then(work))).code;
  };
  const open = (...args: Parameters<typeof sides.opener.open>) => () =>
    void sides.opener.open(...args);
  assertEquals(await codeOf(open("m".repeat(65), "/")), "BAD_REQUEST");
  assertEquals(await codeOf(open("m", "/".repeat(20_000))), "BAD_REQUEST");
  assertEquals(
    await codeOf(open("m", "/", { args: "a".repeat(MAX_PAYLOAD_BYTES) })),
    "BAD_REQUEST",
  );
  assertEquals(
    await codeOf(open("m", "/", { body: new Uint8Array(INITIAL_WINDOW + 1) })),
    "BAD_REQUEST",
  );
  assertEquals(await codeOf(open("m", "/", { args: () => 1 })), "BAD_REQUEST");
  assertEquals(await codeOf(open("m", "/", { args: new Map() })), "BAD_REQUEST");
  assertEquals(
    await codeOf(() => sides.opener.sendMember(new Uint8Array(MAX_PAYLOAD_BYTES + 1))),
    "BAD_REQUEST",
  );
  assertEquals(sides.opener.streamCount, 0);
  assertEquals(await sides.opener.open("m", "/", { end: true }).reply(), 1);
});

testEachWay(
  "accept() of what cannot be sent throws and leaves the call to be failed",
  async (sides) => {
    const thrown: unknown[] = [];
    sides.onRequest = (stream, { method }) => {
      const result = method === "large" ? "a".repeat(MAX_PAYLOAD_BYTES) : { f: () => 1 };
      const first = new Uint8Array(method === "first" ? INITIAL_WINDOW + 1 : 0);
      try {
        stream.accept({ result: method === "first" ? 1 : result, first });
      } catch (error) {
        thrown.push((error as CircuitError).code);
        stream.fail(error as CircuitError);
      }
    };
    for (const method of ["large", "function", "first"]) {
      await failureOf(sides.opener.open(method, "/", { window: MAX_WINDOW }).reply());
    }
    assertEquals(thrown, ["UNSUPPORTED", "BAD_REQUEST", "INTERNAL"]);
  },
);

testEachWay("a stream's misuse fails where it happens", async (sides) => {
  const taken = Promise.withResolvers<Stream>();
  sides.onRequest = (stream) => taken.resolve(stream);
  const stream = sides.opener.open("call", "/");
  const other = await taken.promise;
  const messageOf = async (work: () => unknown) => {
    return (await failureOf(Promise.resolve().then(work))).message;
  };
  const write = () => other.write(new Uint8Array(MEGABYTE));
  assertEquals(await messageOf(write), "write of a stream before its request was answered");
  assertEquals(
    await messageOf(() => other.end()),
    "end of a stream before its request was answered",
  );
  other.accept();
  const writing = failureOf(write());
  assertEquals(await messageOf(write), "write to a stream during another write");
  const reading = other.read();
  assertEquals(await messageOf(() => other.read()), "read of a stream during another read");
  stream.end();
  assertEquals(await reading, undefined);
  assertEquals(
    await messageOf(() => stream.write(new Uint8Array(1))),
    "write to a stream after its end",
  );
  stream.fail(new CircuitError("ABORTED", "done"));
  assertEquals((await writing).code, "ABORTED");
});

testEachWay("calls come and go beside one that stays", async (sides) => {
  sides.onRequest = (stream, { method }) => method === "call" && stream.accept({ last: true });
  const long = sides.opener.open("wait", "/");
  for (let i = 0; i < 100; i++) await sides.opener.open("call", "/", { end: true }).reply();
  assertEquals([sides.opener.streamCount, sides.answerer.streamCount], [1, 1]);
  long.fail(new CircuitError("ABORTED", "done"));
  await until(() => sides.answerer.streamCount === 0);
});

testEachWay("open() beyond the limit of streams is BUSY, and one less is not", async (sides) => {
  sides.onRequest = () => {};
  const calls = Array.from({ length: 10 }, () => sides.opener.open("wait", "/"));
  let busy: unknown;
  try {
    sides.opener.open("wait", "/");
  } catch (error) {
    busy = error;
  }
  assertEquals((busy as CircuitError).code, "BUSY");
  calls.pop()!.fail(new CircuitError("ABORTED", "done"));
  await until(() => sides.answerer.streamCount === 9);
  sides.onRequest = (stream) => stream.accept({ last: true });
  await sides.opener.open("call", "/", { end: true }).reply();
}, { maxStreams: 10 });

testEachWay("many windows full of small writes take turns", async (sides) => {
  const order: number[] = [];
  sides.onRequest = (stream, { args }) => {
    stream.accept();
    readAll(stream).then(() => {
      order.push(args[0]!);
      stream.end();
    });
  };
  const large = sides.opener.open("sink", "/", { args: 0 });
  const writing = large.write(new Uint8Array(8 * MEGABYTE)).then(() => large.end());
  const small = sides.opener.open("sink", "/", { args: 1 });
  await small.write(new Uint8Array(1000));
  small.end();
  await Promise.all([small.read(), writing.then(() => large.read())]);
  assertEquals(order, [1, 0]);
  await settle();
});
