/** Connections take what they hold from one budget, and give it back. */

import { assertEquals, assertMatch } from "@std/assert";
import { Random } from "../../tests/random.ts";
import { Budget } from "../budget.ts";
import { CircuitError } from "../errors.ts";
import { CALL_BYTES, FREE_CALLS, UNCOUNTED_UNSENT_BYTES } from "./limits.ts";
import { relay } from "./relay.ts";
import type { Incoming } from "./session_types.ts";
import type { Stream } from "./stream.ts";
import { connectPair, failureOf, until } from "./_testing.ts";

const KIB = 1024;
const BODY = new Uint8Array(32 * KIB);

Deno.test("connections share a budget, and each gives back what it has taken of it", async () => {
  const budget = new Budget(3 * BODY.length + 7 * CALL_BYTES);
  const acceptor = {
    budget,
    onRequest: (incoming: Incoming) => void incoming.session.accept(incoming),
  };
  const one = await connectPair({ acceptor });
  const two = await connectPair({ acceptor });
  const open = ({ dialler }: typeof one) => dialler.open("send", "/", { body: BODY, end: true });
  const held = [open(one), open(one), open(two)];
  await Promise.all([one.dialler.ping(), two.dialler.ping()]);
  assertEquals(held.map(({ error }) => error), [undefined, undefined, undefined]);
  assertEquals([budget.inflow.used, budget.calls.used], [3 * BODY.length, 3 * CALL_BYTES]);
  const refused = await failureOf(open(two).reply());
  assertEquals(refused.code, "BUSY");
  assertMatch(refused.message, /no memory for 32768 bytes more: .* \(circuit start -memory\)/);
  // Calls without bytes have no more room either, but for a few of each connection.
  const small = Array.from({ length: FREE_CALLS }, () => two.dialler.open("recv", "/"));
  assertEquals((await failureOf(small.pop()!.reply())).code, "BUSY"); // there are some
  assertEquals(small.map(({ error }) => error), Array(FREE_CALLS - 1).fill(undefined));
  // One connection that is lost makes room for the other.
  await one[Symbol.asyncDispose]();
  await until(() => budget.calls.used === FREE_CALLS * CALL_BYTES);
  assertEquals(budget.inflow.used, BODY.length);
  const again = open(two);
  await two.dialler.ping();
  assertEquals(again.error, undefined);
  await two[Symbol.asyncDispose]();
  await until(() => budget.used === 0);
});

Deno.test("what a call has sent that nobody reads counts until the call is over", async () => {
  const budget = new Budget(3 * BODY.length);
  await using pair = await connectPair({
    acceptor: {
      budget,
      onRequest: (incoming) => incoming.session.accept(incoming).accept({ last: true }),
    },
  });
  for (let i = 0; i < 10; i++) {
    await pair.dialler.open("stat", "/", { body: BODY, end: true }).reply();
  }
  assertEquals(budget.used, 0);
});

Deno.test("a peer that does not read is cut off where the budget has no room for its answers", async () => {
  const budget = new Budget(256 * KIB);
  const answer = "x".repeat(32 * KIB);
  await using pair = await connectPair({
    acceptor: {
      budget,
      onRequest: (incoming) =>
        incoming.session.accept(incoming).accept({ result: answer, last: true }),
    },
  });
  pair.conns.acceptor.stall(true);
  const most = (UNCOUNTED_UNSENT_BYTES + budget.limit) / answer.length;
  const calls = Array.from(
    { length: most + 4 },
    () => pair.dialler.open("get", "/", { end: true }),
  );
  for (const call of calls) call.reply().catch(() => {});
  const error = await pair.acceptor.closed;
  assertMatch(error.message, /does not read what it is sent; no memory for \d+ bytes more/);
  assertEquals(budget.used, 0);
});

Deno.test("a frame that the budget has no room for costs its connection, and smaller ones go on", async () => {
  const budget = new Budget(200 * KIB);
  const acceptor = {
    budget,
    onRequest: (incoming: Incoming) => incoming.session.accept(incoming).accept({ last: true }),
  };
  await using honest = await connectPair({ acceptor });
  await using greedy = await connectPair({ acceptor });
  budget.inflow.add(150 * KIB);
  const small = honest.dialler.open("call", "/", { args: "x".repeat(40 * KIB), end: true });
  assertEquals(await small.reply(), undefined);
  const large = greedy.dialler.open("call", "/", { args: "x".repeat(400 * KIB), end: true });
  assertMatch((await failureOf(large.reply())).message, /lost/);
  assertMatch((await greedy.acceptor.closed).message, /no memory for \d+ bytes more/);
  budget.inflow.add(-150 * KIB);
  await until(() => budget.used === 0);
});

Deno.test("nothing leaks in the account, whatever becomes of calls and connections", async () => {
  const random = new Random(7);
  const budget = new Budget(2 * 1024 * KIB);
  const far = await connectPair({
    acceptor: { onRequest: (incoming) => void serve(incoming.session.accept(incoming)) },
  });
  /** Reads some, answers some, fails some, leaves some alone. */
  const serve = async (stream: Stream) => {
    const roll = random.next();
    if (roll < 0.1) return;
    if (roll < 0.2) return stream.fail(new CircuitError("ABORTED", "no"));
    stream.accept();
    stream.write(new Uint8Array(random.integer(0, 100_000))).then(() => stream.end(), () => {});
    if (roll < 0.4) return;
    for (let chunk; (chunk = await stream.read().catch(() => undefined));) {
      stream.grant(chunk.length);
    }
  };
  for (let round = 0; round < 30; round++) {
    const near = await connectPair({
      acceptor: {
        budget,
        onRequest: (incoming) =>
          random.chance(0.5)
            ? relay(incoming, random.chance(0.5) ? far.dialler : Promise.resolve(far.dialler))
            : void serve(incoming.session.accept(incoming)),
      },
    });
    near.conns.acceptor.stall(random.chance(0.3));
    const calls = Array.from({ length: 40 }, () => {
      const stream = near.dialler.open("call", "/X/a", {
        body: BODY.subarray(0, random.integer(0, BODY.length)),
        end: random.chance(0.3),
        window: random.pick([0, 10, 32 * KIB, 256 * KIB]) ?? 0,
      });
      stream.reply().catch(() => {});
      return stream;
    });
    for (let step = 0; step < 60; step++) {
      const stream = random.pick(calls);
      const roll = random.next();
      if (roll < 0.3) stream?.write(BODY.subarray(0, random.integer(1, 9_000))).catch(() => {});
      else if (roll < 0.5) stream?.read().catch(() => {});
      else if (roll < 0.6) stream?.grant(random.integer(0, 50_000));
      else if (roll < 0.7) stream?.fail(new CircuitError("ABORTED", "cancelled"));
      else if (roll < 0.9) await new Promise((resolve) => setTimeout(resolve));
    }
    await near[Symbol.asyncDispose]();
    await until(() => budget.used === 0 && far.dialler.streamCount === 0);
  }
  await far[Symbol.asyncDispose]();
});
