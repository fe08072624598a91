/** What waits to be read on a connection is bounded, all its streams together. */

import { assertEquals, assertMatch } from "@std/assert";
import { MAX_HELD_BYTES } from "./limits.ts";
import { relay } from "./relay.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";
import { connectPair, failureOf, readAll, until } from "./_testing.ts";

const KIB = 1024;
const BODY = new Uint8Array(32 * KIB);

Deno.test("MAX_HELD_BYTES is what PROTOCOL.md says", () => assertEquals(MAX_HELD_BYTES, 2 ** 28));

Deno.test("a stream whose bytes find no room is BUSY, and the others live on", async () => {
  const taken: Stream[] = [];
  await using pair = await connectPair({
    acceptor: {
      maxHeldBytes: 4 * BODY.length,
      onRequest: (incoming) => void taken.push(incoming.session.accept(incoming)),
    },
  });
  const open = () => pair.dialler.open("send", "/", { body: BODY, end: true });
  const four = [open(), open(), open(), open()];
  await pair.dialler.ping();
  assertEquals(four.map(({ error }) => error), [undefined, undefined, undefined, undefined]);
  // A byte more is one too many, in a request as well as behind it.
  const empty = pair.dialler.open("send", "/");
  await empty.write(new Uint8Array(1));
  for (const refused of [open(), empty]) {
    const error = await failureOf(refused.reply());
    assertEquals(error.code, "BUSY");
    assertMatch(error.message, /131072 bytes that came on this connection wait to be read/);
  }
  // What is read makes room, and so does what fails.
  assertEquals((await readAll(taken[0]!)).length, BODY.length); // four were taken
  four[1]?.fail(await failureOf(empty.reply()));
  const again = [open(), open()];
  await pair.dialler.ping();
  assertEquals(again.map(({ error }) => error), [undefined, undefined]);
  assertEquals((await failureOf(open().reply())).code, "BUSY");
});

Deno.test("what a relay keeps for a caller that does not read counts as the caller's", async () => {
  let asked = false;
  await using far = await connectPair({
    acceptor: {
      onRequest(incoming) {
        asked = true;
        const stream = incoming.session.accept(incoming);
        stream.accept();
        stream.write(new Uint8Array(1024 * KIB)).catch(() => {});
      },
    },
  });
  await using near = await connectPair({
    acceptor: {
      maxHeldBytes: 512 * KIB,
      onRequest: (incoming) => relay(incoming, far.dialler),
    },
  });
  near.conns.acceptor.stall(true);
  const stream = near.dialler.open("recv", "/X/a", { window: 1024 * KIB });
  await until(() => asked);
  await until(() => far.acceptor.streamCount === 0 && far.dialler.streamCount === 0);
  near.conns.acceptor.stall(false);
  assertEquals((await failureOf(stream.reply().then(() => readAll(stream)))).code, "BUSY");
  await near.dialler.ping();
  assertEquals(near.acceptor.streamCount, 0);
});

Deno.test("requests that wait for a relay's target count as the caller's", async () => {
  const target = Promise.withResolvers<Session>();
  await using far = await connectPair({
    acceptor: {
      onRequest: (incoming) => incoming.session.accept(incoming).accept({ last: true }),
    },
  });
  await using near = await connectPair({
    acceptor: {
      maxHeldBytes: 3 * BODY.length,
      onRequest: (incoming) => relay(incoming, target.promise),
    },
  });
  const args = "x".repeat(BODY.length);
  const open = () => near.dialler.open("call", "/X/a", { args, end: true });
  const two = [open(), open()];
  assertEquals((await failureOf(open().reply())).code, "BUSY");
  target.resolve(far.dialler);
  for (const stream of two) assertEquals(await stream.reply(), undefined);
  assertEquals(await open().reply(), undefined);
});
