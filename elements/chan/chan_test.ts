import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Budget } from "../../overlay/budget.ts";
import { settle } from "../_testing/settle.ts";
import { type Caller, callPair } from "../_testing/call_pair.ts";
import { makeChan } from "./chan.ts";
import { PATH, pattern, receive, TestChan } from "./_harness.ts";

const A = pattern(100, 1);
const B = pattern(100, 2);
const C = pattern(100, 3);

/** Checks that a call failed, with a message that names the action and the path. */
function assertFailed(caller: Caller, code: string, action: string, found: string): void {
  assertEquals([caller.over, caller.error?.code], [true, code]);
  assertStringIncludes(caller.error?.message ?? "", `cannot ${action} ${PATH}: `);
  assertStringIncludes(caller.error?.message ?? "", found);
}

Deno.test("send() without a buffer is answered when a receiver takes the message", async () => {
  const chan = new TestChan(0);
  const sender = chan.sendWhole(A);
  await settle();
  assertEquals(sender.answered, false);
  const receiver = chan.recv();
  assertEquals([sender.answered, receiver.answered], [true, true]);
  assertEquals(await receive(receiver), A);
});

Deno.test("send() is answered at once while the buffer has room, and then waits", async () => {
  const chan = new TestChan(2);
  const senders = [chan.sendWhole(A), chan.sendWhole(B), chan.sendWhole(C)];
  assertEquals(senders.map(({ answered }) => answered), [true, true, false]);
  const receiver = chan.recv();
  assertEquals(senders[2]?.answered, true);
  assertEquals(await receive(receiver), A);
  assertEquals(await receive(chan.recv()), B);
  assertEquals(await receive(chan.recv()), C);
});

Deno.test("recv() gets messages in the order of the sends, each once", async () => {
  for (const capacity of [0, 1, 3, 10]) {
    const chan = new TestChan(capacity);
    const receivers = [chan.recv(), chan.recv()];
    const messages = Array.from({ length: 8 }, (_, i) => pattern(i * 10, i));
    for (const message of messages) chan.sendWhole(message);
    for (let i = 2; i < 8; i++) receivers.push(chan.recv());
    // The receivers finish in the other order.
    for (const [i, receiver] of [...receivers.entries()].reverse()) {
      assertEquals(await receive(receiver), messages[i]);
    }
    assertEquals(chan.recv().answered, false);
  }
});

Deno.test("recv() answers with a small message in one frame", () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    chan.sendWhole(A);
    const early = chan.recv();
    // Nothing was awaited: it all came with the answer.
    assertEquals([early.finished, early.poll()], [true, A]);
    const late = chan.recv();
    chan.sendWhole(B);
    assertEquals([late.finished, late.poll()], [true, B]);
  }
});

Deno.test("send() and recv() carry an empty message", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send({ end: true });
    const receiver = chan.recv();
    assertEquals((await receive(receiver)).length, 0);
    assertEquals([sender.over, sender.error], [true, undefined]);
  }
});

Deno.test("send() that waits and is cancelled or lost leaves no trace", async () => {
  for (const leave of ["cancel", "goAway"] as const) {
    for (const capacity of [0, 1]) {
      const chan = new TestChan(capacity);
      if (capacity > 0) chan.sendWhole(A);
      const loser = chan.sendWhole(B);
      chan.sendWhole(C);
      loser[leave]();
      if (capacity > 0) assertEquals(await receive(chan.recv()), A);
      assertEquals(await receive(chan.recv()), C);
      const count = capacity + 1;
      const { numSend, numRecv } = await chan.stat();
      assertEquals([numSend, numRecv], [count, count]);
    }
  }
});

Deno.test("recv() that waits and is cancelled or lost leaves no trace", async () => {
  for (const leave of ["cancel", "goAway"] as const) {
    const chan = new TestChan(0);
    const [first, second] = [chan.recv(), chan.recv()];
    first[leave]();
    chan.sendWhole(A);
    assertEquals(await receive(second), A);
    assertEquals((await chan.stat()).numRecv, 1);
  }
});

Deno.test("send() and recv() whose calls were over before they began do nothing", async () => {
  const { handlers } = makeChan(1, { path: PATH, budget: new Budget() });
  for (const method of ["send", "recv"]) {
    const { call, caller } = callPair({ body: A });
    caller.cancel();
    handlers[method]?.(undefined, call);
  }
  // Neither a message nor a receiver was left behind.
  const receiver = callPair();
  handlers.recv?.(undefined, receiver.call);
  assertEquals(receiver.caller.answered, false);
  handlers.send?.(undefined, callPair({ body: B, end: true }).call);
  assertEquals(await receive(receiver.caller), B);
});

Deno.test("close() fails sends that wait and those that come", async () => {
  const chan = new TestChan(0);
  const waiting = chan.sendWhole(A);
  assertEquals(chan.close(), undefined);
  const late = chan.sendWhole(B);
  assertFailed(waiting, "CLOSED", "send to", "was closed while the message waited");
  assertFailed(late, "CLOSED", "send to", "is closed");
  assertEquals(await chan.stat(), {
    cap: 0,
    closed: true,
    aborted: false,
    numSend: 0,
    numRecv: 0,
  });
});

Deno.test("close() lets out what is buffered, then recv() reports CLOSED", async () => {
  const chan = new TestChan(2);
  const complete = chan.sendWhole(A);
  const partial = chan.send({ body: B.subarray(0, 40) });
  const unbuffered = chan.sendWhole(C);
  chan.close();
  assertFailed(unbuffered, "CLOSED", "send to", "was closed while");
  // A sender that was buffered may still finish.
  partial.push(B.subarray(40));
  partial.end();
  assertEquals(await receive(chan.recv()), A);
  assertEquals(await receive(chan.recv()), B);
  assertEquals([complete.error, partial.over, partial.error], [undefined, true, undefined]);
  assertFailed(chan.recv(), "CLOSED", "receive from", "no message is left");
});

Deno.test("close() tells receivers that wait for nothing", () => {
  const chan = new TestChan(3);
  const receivers = [chan.recv(), chan.recv()];
  chan.close();
  for (const receiver of receivers) assertFailed(receiver, "CLOSED", "receive from", "is closed");
});

Deno.test("close() keeps a receiver waiting for a message that may come back", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    chan.sendWhole(A);
    const first = chan.recv();
    chan.close();
    const second = chan.recv();
    const third = chan.recv();
    await settle();
    assertEquals(second.over, false);
    first.goAway();
    assertEquals(await receive(second), A);
    assertFailed(third, "CLOSED", "receive from", "no message is left");
  }
});

Deno.test("close() does not make a receiver wait for a message that cannot come back", async () => {
  const chan = new TestChan(1);
  const sender = chan.send({ body: pattern(32 * 1024) });
  const first = chan.recv({ window: 1 << 20 });
  await settle();
  sender.push(A);
  await settle();
  chan.close();
  assertFailed(chan.recv(), "CLOSED", "receive from", "no message is left");
  sender.end();
  assertEquals((await receive(first)).length, 32 * 1024 + A.length);
  assertEquals([sender.over, sender.error], [true, undefined]);
});

Deno.test("close() does not make a receiver wait for what its dead sender cannot send again", () => {
  const chan = new TestChan(0);
  const sender = chan.sendWhole(A);
  const first = chan.recv();
  chan.close();
  const second = chan.recv();
  assertEquals(second.over, false);
  sender.goAway();
  assertFailed(second, "CLOSED", "receive from", "no message is left");
  assertEquals(first.poll(), A);
});

Deno.test("close() fails the second time", () => {
  const chan = new TestChan(0);
  assertEquals(chan.close(), undefined);
  const error = chan.close();
  assertEquals(error?.code, "CLOSED");
  assertStringIncludes(error?.message ?? "", `cannot close ${PATH}: the channel is closed already`);
});

Deno.test("dispose() aborts whoever waits and whatever is under way", async () => {
  const chan = new TestChan(0);
  const sender = chan.send({ body: A });
  const receiver = chan.recv();
  const whole = chan.sendWhole(B);
  const reading = chan.recv();
  const waiting = chan.sendWhole(C);
  await chan.scrub();
  for (const caller of [sender, whole, waiting]) {
    assertFailed(caller, "ABORTED", "send to", "scrubbed");
  }
  for (const caller of [receiver, reading]) {
    assertFailed(caller, "ABORTED", "receive from", "scrubbed");
  }
  await settle();

  const idle = new TestChan(0);
  const forlorn = idle.recv();
  await idle.scrub();
  assertFailed(forlorn, "ABORTED", "receive from", "scrubbed");
});

Deno.test("dispose() aborts a buffered message that is not whole", async () => {
  const chan = new TestChan(2);
  const complete = chan.sendWhole(A);
  const partial = chan.send({ body: B });
  await chan.scrub();
  // Its sender was told that the buffer has it, and is not told otherwise any more.
  assertEquals([complete.over, complete.error], [true, undefined]);
  assertFailed(partial, "ABORTED", "send to", "scrubbed");
});

Deno.test("every method but stat fails with ABORTED after dispose()", async () => {
  const chan = new TestChan(1);
  await chan.scrub();
  assertFailed(chan.sendWhole(A), "ABORTED", "send to", "scrubbed");
  assertFailed(chan.recv(), "ABORTED", "receive from", "scrubbed");
  assertEquals(chan.close()?.code, "ABORTED");
  assertEquals((await chan.stat()).aborted, true);
});

Deno.test("stat() counts messages when they are matched or buffered", async () => {
  const chan = new TestChan(1);
  const counts = async () => {
    const { numSend, numRecv } = await chan.stat();
    return [numSend, numRecv];
  };
  assertEquals(await chan.stat(), {
    cap: 1,
    closed: false,
    aborted: false,
    numSend: 0,
    numRecv: 0,
  });
  chan.sendWhole(A);
  assertEquals(await counts(), [1, 0]);
  chan.sendWhole(B);
  assertEquals(await counts(), [1, 0], "B waits");
  const receiver = chan.recv();
  assertEquals(await counts(), [2, 1], "A is received and B is buffered");
  receiver.cancel();
  assertEquals(await counts(), [2, 0], "A is back");
  assertEquals(await receive(chan.recv()), A);
  assertEquals(await receive(chan.recv()), B);
  assertEquals(await counts(), [2, 2]);
  chan.send({ body: C }).cancel();
  assertEquals(await counts(), [2, 2], "C was buffered and has left");
});

Deno.test("a channel takes 30,000 waiting sends and receives", async () => {
  // If one that leaves had to be searched for, this would take long.
  const chan = new TestChan(0);
  const senders = Array.from({ length: 30_000 }, () => chan.sendWhole(A));
  for (const [i, sender] of senders.entries()) if (i % 1000 !== 0) sender.cancel();
  const receivers = Array.from({ length: 30_000 }, () => chan.recv());
  assertEquals(receivers.filter(({ answered }) => answered).length, 30);
  for (const receiver of receivers.toReversed()) if (!receiver.answered) receiver.goAway();
  const { numSend, numRecv } = await chan.stat();
  assertEquals([numSend, numRecv], [30, 30]);
  assert(!chan.recv().answered);
});
