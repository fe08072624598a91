import { assert, assertEquals, assertMatch } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { EMPTY } from "./codec.ts";
import { Flag, FrameType } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { INITIAL_WINDOW, MAX_WINDOW } from "./limits.ts";
import { readError, writeOpen } from "./payload.ts";
import { relay } from "./relay.ts";
import type { Session } from "./session.ts";
import type { Incoming } from "./session_types.ts";
import type { Stream } from "./stream.ts";
import { RawPeer } from "./_raw_peer.ts";
import { connectPair, failureOf, NETWORKS, type Pair, readAll, settle, until } from "./_testing.ts";
import { newSeed, Random } from "../../tests/random.ts";

const MEGABYTE = 1024 * 1024;

/** A client, a server that passes its calls on, and the server that answers them. */
class Chain implements AsyncDisposable {
  readonly near: Pair;
  readonly far: Pair;
  take = (_stream: Stream, _incoming: Incoming): void => {};
  /** What calls are passed on to. */
  target!: Session | Promise<Session>; // set before the first call

  private constructor(near: Pair, far: Pair) {
    this.near = near;
    this.far = far;
  }

  static async connect(network = NETWORKS.memory!): Promise<Chain> {
    const far = await connectPair({
      network: network(),
      acceptor: {
        onRequest: (incoming) => chain.take(incoming.session.accept(incoming), incoming),
      },
    });
    const near = await connectPair({
      network: network(),
      acceptor: { onRequest: (incoming) => relay(incoming, chain.target) },
    });
    const chain: Chain = new Chain(near, far);
    chain.target = far.dialler;
    return chain;
  }

  get client(): Session {
    return this.near.dialler;
  }

  /** Streams that are open anywhere. */
  get streams(): number {
    const { near, far } = this;
    return [near.dialler, near.acceptor, far.dialler, far.acceptor]
      .reduce((sum, { streamCount }) => sum + streamCount, 0);
  }

  async [Symbol.asyncDispose]() {
    await this.near[Symbol.asyncDispose]();
    await this.far[Symbol.asyncDispose]();
  }
}

for (const [name, network] of Object.entries(NETWORKS)) {
  Deno.test(`relay() passes calls of all kinds on, intact (${name})`, async () => {
    await using chain = await Chain.connect(network);
    const random = new Random(newSeed("relay"));
    chain.take = async (stream, incoming) => {
      assertEquals(incoming.flags & Flag.RELAYED, Flag.RELAYED);
      if (incoming.method === "small") {
        return stream.accept({ result: incoming.path, first: stream.poll()!, last: true });
      }
      stream.accept();
      for (let part = await stream.read(); part; part = await stream.read()) {
        await stream.write(part);
        stream.grant(part.length);
      }
      stream.end();
    };
    await Promise.all(Array.from({ length: 10 }, async (_, i) => {
      const body = random.bytes(1 + random.below(1000));
      const small = chain.client.open("small", `/X/${i}`, { body, end: true });
      assertEquals(await small.reply(), `/X/${i}`);
      assertEquals(await readAll(small), body);
      const bytes = random.bytes(random.below(MEGABYTE));
      const stream = chain.client.open("echo", "/", { window: 1 + random.below(100_000) });
      stream.write(bytes).then(() => stream.end());
      assertEquals(await readAll(stream), bytes);
    }));
    await until(() => chain.streams === 0);
  });
}

Deno.test("relay() waits for a target that is still being dialled", async () => {
  await using chain = await Chain.connect();
  const target = Promise.withResolvers<Session>();
  chain.target = target.promise;
  chain.take = (stream) => {
    stream.accept();
    readAll(stream).then(async (bytes) => {
      await stream.write(bytes);
      stream.end();
    });
  };
  const bytes = new Random(7).bytes(300_000);
  const stream = chain.client.open("echo", "/", { body: bytes.slice(0, 100), window: 10_000 });
  const writing = stream.write(bytes.subarray(100)).then(() => stream.end());
  // Granted before anybody can have sent anything.
  stream.grant(200_000);
  await chain.client.ping();
  // The read buffer is used for other things while the request waits.
  for (let i = 0; i < 50; i++) await chain.client.ping();
  target.resolve(chain.far.dialler);
  assertEquals(await readAll(stream), bytes);
  await writing;
  await until(() => chain.streams === 0);
});

Deno.test("relay() tells the caller when the target cannot be had", async () => {
  await using chain = await Chain.connect();
  chain.target = Promise.reject(new CircuitError("SERVER_GONE", "cannot reach it"));
  const error = await failureOf(chain.client.open("call", "/").reply());
  assertEquals([error.code, error.message], ["SERVER_GONE", "cannot reach it"]);
  await chain.far.dialler.close();
  for (const target of [chain.far.dialler, Promise.resolve(chain.far.dialler)]) {
    chain.target = target;
    assertEquals((await failureOf(chain.client.open("call", "/").reply())).code, "SERVER_GONE");
  }
  assertEquals(chain.streams, 0);
});

Deno.test("relay() drops a call that was cancelled or lost before its target was there", async () => {
  for (const how of ["cancel", "cut"]) {
    await using chain = await Chain.connect();
    const target = Promise.withResolvers<Session>();
    chain.target = target.promise;
    let requests = 0;
    chain.take = () => requests++;
    const stream = chain.client.open("call", "/");
    await chain.client.ping();
    if (how === "cancel") stream.fail(new CircuitError("ABORTED", "cancelled"));
    else chain.near.conns.dialler.close();
    await until(() => chain.near.acceptor.streamCount === 0);
    target.resolve(chain.far.dialler);
    await chain.far.dialler.ping();
    assertEquals([requests, chain.far.dialler.streamCount], [0, 0]);
  }
});

Deno.test("relay() passes errors and cancellations on, with what was consumed", async () => {
  await using chain = await Chain.connect();
  chain.take = (stream) => stream.fail(new CircuitError("EXISTS", "is there already"));
  assertEquals((await failureOf(chain.client.open("call", "/").reply())).code, "EXISTS");

  const over = Promise.withResolvers<[string | undefined, number]>();
  chain.take = (stream) => {
    stream.onOver((error) => over.resolve([error?.code, stream.acknowledged]));
    stream.accept({ first: new Uint8Array(1000) });
  };
  const stream = chain.client.open("recv", "/");
  await stream.read();
  stream.grant(321);
  stream.fail(new CircuitError("ABORTED", "enough"));
  assertEquals(await over.promise, ["ABORTED", 321]);
  await until(() => chain.streams === 0);
});

for (const [name, network] of Object.entries(NETWORKS)) {
  Deno.test(`relay() passes the last word of a caller on that goes right after it (${name})`, async () => {
    await using chain = await Chain.connect(network);
    const over = Promise.withResolvers<CircuitError | undefined>();
    chain.take = (stream) => {
      stream.onOver(over.resolve);
      stream.accept({ first: new Uint8Array(3), last: true });
    };
    const stream = chain.client.open("recv", "/");
    assertEquals((await readAll(stream)).length, 3);
    stream.end();
    // The end and the farewell arrive together.
    await chain.client.close();
    assertEquals(await over.promise, undefined);
    await until(() => chain.streams === 0);
  });
}

Deno.test("relay() tells the caller that the server is gone, and the server that the caller is", async () => {
  {
    await using chain = await Chain.connect();
    const calls = Array.from({ length: 100 }, () => chain.client.open("wait", "/"));
    await until(() => chain.far.acceptor.streamCount === 100);
    chain.far.conns.acceptor.close();
    for (const call of calls) assertEquals((await failureOf(call.reply())).code, "SERVER_GONE");
    assertEquals(chain.client.error, undefined);
    await until(() => chain.streams === 0);
  }
  {
    await using chain = await Chain.connect();
    const taken: Stream[] = [];
    chain.take = (stream) => taken.push(stream);
    for (let i = 0; i < 100; i++) chain.client.open("wait", "/");
    await until(() => taken.length === 100);
    chain.near.conns.dialler.close();
    // The client of this test is a server too, for whoever loses it.
    for (const stream of taken) assertMatch((await failureOf(stream.read())).message, /^lost /);
    assertEquals(chain.far.acceptor.error, undefined);
    await until(() => chain.streams === 0);
  }
  {
    await using chain = await Chain.connect();
    const taken: Stream[] = [];
    chain.take = (stream) => taken.push(stream);
    const call = chain.client.open("wait", "/");
    await until(() => taken.length === 1);
    // The relaying server itself is lost.
    chain.near.conns.acceptor.close();
    chain.far.conns.dialler.close();
    assertEquals((await failureOf(call.reply())).code, "SERVER_GONE");
    assertEquals((await failureOf(taken[0]!.read())).code, "SERVER_GONE");
    await until(() => chain.streams === 0);
  }
});

Deno.test("relay() holds a sender back for a reader that stalls, and for nobody else", async () => {
  await using chain = await Chain.connect();
  const stalled = Promise.withResolvers<Stream>();
  chain.take = (stream, { method }) => {
    stream.accept();
    if (method === "stall") return stalled.resolve(stream);
    readAll(stream).then(() => stream.end());
  };
  const stuck = chain.client.open("stall", "/");
  let through = false;
  const writing = stuck.write(new Uint8Array(MEGABYTE)).then(() => through = true);
  const reader = await stalled.promise;
  const free = chain.client.open("sink", "/");
  await free.write(new Uint8Array(MEGABYTE));
  free.end();
  await free.read();
  assert(!through);
  const got = readAll(reader);
  await writing;
  stuck.end();
  assertEquals((await got).length, MEGABYTE);
});

/** A raw client whose calls are passed on to `target`. */
function rawRelay(target: Session | Promise<Session>): Promise<RawPeer> {
  return RawPeer.connect({ onRequest: (incoming) => relay(incoming, target) });
}

function open(window = 100): Uint8Array {
  const out = new FrameBuffer();
  writeOpen(out, 1, 0, { method: "m", path: "/", window, args: EMPTY, body: EMPTY });
  return out.view().slice(10);
}

const credit = (bytes: number) => new Uint8Array([bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes]);

Deno.test("relay() ends the call of a caller that breaks the rules, with or without a target", async () => {
  const faults: [RegExp, (peer: RawPeer) => Promise<void>][] = [
    [/than it had credit for/, async (peer) => {
      await peer.send(FrameType.DATA, 1, new Uint8Array(INITIAL_WINDOW));
      await peer.send(FrameType.DATA, 1, new Uint8Array(1));
    }],
    [/after its end/, async (peer) => {
      await peer.send(FrameType.DATA, 1, EMPTY, Flag.END);
      await peer.send(FrameType.DATA, 1, EMPTY, Flag.END);
    }],
    [/granted more than/, (peer) => peer.send(FrameType.CREDIT, 1, credit(MAX_WINDOW))],
    [/malformed/, (peer) => peer.send(FrameType.CREDIT, 1, new Uint8Array(2))],
    [/REPLY out of turn/, (peer) => peer.send(FrameType.REPLY, 1, new Uint8Array(4))],
  ];
  for (const [told, misbehave] of faults) {
    for (const dialled of [true, false]) {
      await using chain = await Chain.connect();
      const codes: (string | undefined)[] = [];
      chain.take = (stream) => stream.onOver((error) => codes.push(error?.code));
      const { dialler } = chain.far;
      await using peer = await rawRelay(dialled ? dialler : new Promise(() => {}));
      await peer.send(FrameType.OPEN, 1, open());
      await dialler.ping();
      await misbehave(peer);
      const reset = readError((await peer.frame(FrameType.RESET)).payload);
      assertEquals(reset.code, "PROTOCOL");
      assertMatch(reset.message, told);
      await dialler.ping();
      assertEquals(codes, dialled ? ["PROTOCOL"] : []);
      assertEquals([peer.session.streamCount, dialler.streamCount], [0, 0]);
    }
  }
});

Deno.test("relay() ends the call when the server breaks the rules", async () => {
  const faults: [RegExp, (peer: RawPeer) => Promise<void>][] = [
    [/than it had credit for/, (peer) => peer.send(FrameType.REPLY, 2, new Uint8Array(4 + 101))],
    [/than it had credit for/, async (peer) => {
      await peer.send(FrameType.REPLY, 2, new Uint8Array(4));
      await peer.send(FrameType.DATA, 2, new Uint8Array(101));
    }],
    [/REPLY out of turn/, async (peer) => {
      await peer.send(FrameType.REPLY, 2, new Uint8Array(4));
      await peer.send(FrameType.REPLY, 2, new Uint8Array(4));
    }],
    [/REPLY frame that is malformed/, (peer) => peer.send(FrameType.REPLY, 2, EMPTY)],
  ];
  for (const [told, misbehave] of faults) {
    await using far = await RawPeer.connect();
    await using near = await connectPair({
      acceptor: { onRequest: (incoming) => relay(incoming, far.session) },
    });
    const stream = near.dialler.open("call", "/", { window: 100 });
    await far.frame(FrameType.OPEN);
    await misbehave(far);
    await until(() => stream.error !== undefined);
    assertEquals(stream.error?.code, "PROTOCOL");
    assertMatch(stream.error?.message ?? "", told);
    await far.frame(FrameType.RESET);
    assertEquals([near.acceptor.streamCount, far.session.streamCount], [0, 0]);
  }
});

Deno.test("relay() keeps little of frames without bytes and of single bytes", async () => {
  await using chain = await Chain.connect();
  const target = Promise.withResolvers<Session>();
  await using peer = await rawRelay(target.promise);
  await peer.send(FrameType.OPEN, 1, open(0));
  const out = new FrameBuffer();
  for (let i = 0; i < 100_000; i++) out.frame(FrameType.DATA, 0, 1, EMPTY);
  for (let i = 0; i < INITIAL_WINDOW; i++) out.frame(FrameType.DATA, 0, 1, new Uint8Array([i]));
  for (let i = 0; i < 100_000; i++) out.frame(FrameType.CREDIT, 0, 1, credit(1));
  const bytes = out.view();
  for (let at = 0; at < bytes.length;) at += await peer.conn.write(bytes.subarray(at));
  await peer.send(FrameType.PING, 0, new Uint8Array(8));
  await peer.frame(FrameType.PONG);
  // All of it is there, in a few frames: an OPEN, a CREDIT and the bytes.
  let got = new Uint8Array(0);
  chain.take = (stream) => {
    stream.accept();
    readAll(stream).then((bytes) => got = new Uint8Array(bytes));
  };
  chain.far.conns.dialler.record = true;
  target.resolve(chain.far.dialler);
  await peer.send(FrameType.DATA, 1, EMPTY, Flag.END);
  await until(() => got.length > 0);
  assertEquals(got, new Uint8Array(INITIAL_WINDOW).map((_, i) => i));
  assert(chain.far.conns.dialler.written.length < INITIAL_WINDOW + 2_000);
  await settle();
});
