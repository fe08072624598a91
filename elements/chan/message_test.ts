import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Caller } from "../_testing/call_pair.ts";
import { settle } from "../_testing/settle.ts";
import { PATH, pattern, receive, TestChan } from "./_harness.ts";
import { RETAINED_BYTES, STREAM_WINDOW } from "./message.ts";

const SMALL = pattern(1_000);
const FULL = pattern(RETAINED_BYTES);
const LONG = pattern(RETAINED_BYTES * 5 + 77);

/** Sends all bytes as credit comes, then ends. */
async function sendAll(sender: Caller, message: Uint8Array): Promise<void> {
  for (let at = 0; at < message.length; at += 10_000) {
    await sender.write(message.subarray(at, at + 10_000));
  }
  sender.end();
}

function assertConfirmed(sender: Caller): void {
  assertEquals([sender.over, sender.error], [true, undefined]);
}

function assertAborted(caller: Caller, ...texts: string[]): void {
  assertEquals(caller.error?.code, "ABORTED");
  for (const text of [PATH, ...texts]) assertStringIncludes(caller.error?.message ?? "", text);
}

Deno.test("a message without a receiver takes 32 KiB and no more", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send();
    const sending = sendAll(sender, LONG);
    await settle();
    assertEquals([sender.sent, sender.allowed], [RETAINED_BYTES, RETAINED_BYTES]);
    assertEquals(await receive(chan.recv()), LONG);
    await sending;
    assertConfirmed(sender);
  }
});

Deno.test("a message's sender is held back by a slow receiver", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const receiver = chan.recv({ window: 1_000 });
    const sender = chan.send();
    const sending = sendAll(sender, pattern(2_000_000));
    await settle();
    // The receiver has not even got what may be retained, so nothing more is asked for.
    assertEquals([receiver.poll()?.length, sender.allowed], [1_000, RETAINED_BYTES]);
    receiver.grant(RETAINED_BYTES - 1_000);
    await settle();
    assertEquals(sender.sent, RETAINED_BYTES + STREAM_WINDOW);
    receiver.grant(50_000);
    await settle();
    const ahead = sender.sent - (RETAINED_BYTES + 50_000);
    assert(ahead <= STREAM_WINDOW && ahead > STREAM_WINDOW - 10_000, `${ahead} bytes ahead`);
    receiver.grant(2_000_000);
    assertEquals((await receive(receiver)).length, 2_000_000 - 1_000);
    await sending;
    assertConfirmed(sender);
  }
});

Deno.test("a message reaches a receiver with a small window in pieces", async () => {
  const chan = new TestChan(0);
  const receiver = chan.recv({ window: 7 });
  chan.sendWhole(SMALL);
  assertEquals(await receive(receiver), SMALL);
  const stubborn = chan.recv({ window: 0 });
  chan.sendWhole(SMALL);
  await settle();
  assertEquals([stubborn.answered, stubborn.poll()], [true, undefined]);
  stubborn.grant(SMALL.length);
  assertEquals(await receive(stubborn), SMALL);
});

Deno.test("a message that comes in single bytes is retained in one piece", async () => {
  const chan = new TestChan(1);
  const sender = chan.send();
  for (const byte of SMALL) sender.push(Uint8Array.of(byte));
  sender.end();
  await settle();
  const receiver = chan.recv();
  assertEquals([receiver.poll(), receiver.finished], [SMALL, true]);
});

Deno.test("a buffered message is confirmed once it is whole in hand", async () => {
  const chan = new TestChan(1);
  const sender = chan.send({ body: SMALL.subarray(0, 10) });
  await settle();
  assertEquals([sender.answered, sender.finished], [true, false]);
  sender.push(SMALL.subarray(10));
  await settle();
  assertEquals(sender.finished, false);
  sender.end();
  await settle();
  assertConfirmed(sender);
});

Deno.test("a message in a channel with a buffer is confirmed before a slow receiver has it", async () => {
  const chan = new TestChan(1);
  const receiver = chan.recv({ window: 1 });
  const sender = chan.send();
  await sendAll(sender, FULL);
  await settle();
  assertConfirmed(sender);
  assertEquals(await receive(receiver), FULL);
});

Deno.test("a message in a channel without a buffer is confirmed by its receiver", async () => {
  const chan = new TestChan(0);
  const sender = chan.sendWhole(SMALL);
  const receiver = chan.recv();
  assertEquals(await receiver.readAll(), SMALL);
  await settle();
  assertEquals([sender.answered, sender.finished], [true, false]);
  receiver.end();
  assertConfirmed(sender);
});

Deno.test("a message longer than 32 KiB is confirmed by its receiver", async () => {
  const chan = new TestChan(1);
  const sender = chan.send();
  const sending = sendAll(sender, pattern(RETAINED_BYTES + 1));
  const receiver = chan.recv();
  assertEquals((await receiver.readAll()).length, RETAINED_BYTES + 1);
  await sending;
  await settle();
  assertEquals(sender.finished, false);
  receiver.end();
  assertConfirmed(sender);
});

Deno.test("a message whose receiver goes away is given whole to the next", async () => {
  for (const capacity of [0, 1]) {
    for (const leave of ["cancel", "goAway"] as const) {
      for (const message of [SMALL, FULL]) {
        const chan = new TestChan(capacity);
        const sender = chan.send();
        const sending = sendAll(sender, message);
        const first = chan.recv();
        assertEquals(await first.readAll(), message);
        first[leave]();
        const other = chan.sendWhole(SMALL.subarray(1));
        assertEquals(await receive(chan.recv()), message);
        assertEquals(await receive(chan.recv()), SMALL.subarray(1));
        await sending;
        assertConfirmed(sender);
        assertConfirmed(other);
      }
    }
  }
});

Deno.test("a message that is not whole yet goes back too, and on to the next receiver", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send({ body: LONG.subarray(0, 10_000) });
    for (let i = 0; i < 3; i++) {
      const receiver = chan.recv();
      assertEquals((await receiver.read())?.length, 10_000);
      const waiting = chan.recv();
      receiver.goAway();
      assertEquals((await waiting.read())?.length, 10_000);
      waiting.goAway();
    }
    const sending = sendAll(sender, LONG.subarray(10_000));
    await settle();
    assertEquals([sender.sent, sender.allowed], [RETAINED_BYTES, RETAINED_BYTES]);
    assertEquals(await receive(chan.recv()), LONG);
    await sending;
    assertConfirmed(sender);
  }
});

Deno.test("a message goes back before its sender used the window that a receiver opened", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send({ body: FULL });
    const first = chan.recv();
    await settle();
    assertEquals(sender.allowed, RETAINED_BYTES + STREAM_WINDOW);
    first.goAway();
    const second = chan.recv();
    sender.push(SMALL);
    sender.end();
    const message = await receive(second);
    assertEquals(message.length, FULL.length + SMALL.length);
    assertEquals(message.subarray(0, FULL.length), FULL);
    assertConfirmed(sender);
  }
});

Deno.test("a message of exactly 32 KiB goes back whether its end has come or not", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send({ body: FULL });
    const first = chan.recv();
    await settle();
    first.goAway();
    sender.end();
    await settle();
    assertEquals(sender.finished, capacity > 0);
    assertEquals(await receive(chan.recv()), FULL);
    assertConfirmed(sender);
  }
});

Deno.test("a message that outgrows 32 KiB with its receiver gone is refused, not held", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send({ body: FULL });
    const first = chan.recv();
    await settle();
    first.goAway();
    const next = chan.sendWhole(SMALL);
    sender.push(SMALL);
    await settle();
    assertAborted(sender, "send to", "the receiver went away after 32768 bytes");
    assertEquals(await receive(chan.recv()), SMALL);
    assertConfirmed(next);
    const { numSend, numRecv } = await chan.stat();
    assertEquals([numSend, numRecv], [1, 1]);
  }
});

Deno.test("a message longer than 32 KiB is lost with its receiver, and the sender told", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send();
    const sending = sendAll(sender, LONG);
    const receiver = chan.recv();
    let bytes = 0;
    while (bytes <= RETAINED_BYTES) bytes += (await receiver.read())?.length ?? 0;
    receiver.goAway();
    await sending.catch(() => {});
    assertAborted(sender, "send to", "the receiver went away after");
    assertEquals(chan.recv().answered, false);
  }
});

Deno.test("a message longer than 32 KiB is lost even behind its end, without an acknowledgement", async () => {
  const chan = new TestChan(1);
  const sender = chan.send();
  const sending = sendAll(sender, LONG);
  const receiver = chan.recv();
  assertEquals((await receiver.readAll()).length, LONG.length);
  await sending;
  receiver.cancel();
  assertAborted(sender, "send to", `the receiver went away after ${LONG.length} bytes`);
});

Deno.test("a receiver is told when the sender goes away half-way", async () => {
  for (const capacity of [0, 1]) {
    for (const leave of ["cancel", "goAway"] as const) {
      const chan = new TestChan(capacity);
      const sender = chan.send({ body: SMALL });
      const receiver = chan.recv();
      assertEquals(await receiver.read(), SMALL);
      sender[leave]();
      assertEquals(receiver.finished, false);
      assertAborted(receiver, "receive from", "the sender went away after 1000 bytes");
      // The channel is as good as before.
      chan.sendWhole(FULL);
      assertEquals(await receive(chan.recv()), FULL);
    }
  }
});

Deno.test("a receiver keeps a whole message whose sender goes away", async () => {
  for (const capacity of [0, 1]) {
    const chan = new TestChan(capacity);
    const sender = chan.send({ body: FULL });
    const receiver = chan.recv({ window: 1_000 });
    sender.end();
    await settle();
    sender.goAway();
    assertEquals(await receive(receiver), FULL);
  }
});

Deno.test("a buffered message whose sender goes away half-way leaves the buffer", async () => {
  const chan = new TestChan(1);
  const sender = chan.send({ body: SMALL });
  const next = chan.sendWhole(FULL);
  assertEquals([sender.answered, next.answered], [true, false]);
  sender.goAway();
  assertEquals(next.answered, true);
  assertEquals(await receive(chan.recv()), FULL);
  const { numSend, numRecv } = await chan.stat();
  assertEquals([numSend, numRecv], [1, 1]);
});

Deno.test("a buffered message that is whole outlives its sender", async () => {
  const chan = new TestChan(1);
  const sender = chan.sendWhole(SMALL);
  sender.goAway();
  chan.recv().goAway();
  assertEquals(await receive(chan.recv()), SMALL);
});

Deno.test("without a buffer, a message that came back leaves with its sender", async () => {
  const chan = new TestChan(0);
  const sender = chan.sendWhole(SMALL);
  chan.recv().goAway();
  await settle();
  assertEquals([sender.over, sender.finished], [false, false]);
  sender.cancel();
  const receiver = chan.recv();
  assertEquals(receiver.answered, false);
  chan.sendWhole(FULL);
  assertEquals(await receive(receiver), FULL);
});

Deno.test("without a buffer, a message is gone when sender and receiver are", async () => {
  const chan = new TestChan(0);
  const sender = chan.sendWhole(SMALL);
  const receiver = chan.recv();
  sender.goAway();
  receiver.goAway();
  await settle();
  assertEquals(chan.recv().answered, false);
});

Deno.test("a receiver may end its stream first: then the message is finished when it is written", async () => {
  const chan = new TestChan(0);
  const sender = chan.sendWhole(SMALL);
  const receiver = chan.recv({ end: true });
  assertConfirmed(sender);
  assertEquals(await receiver.readAll(), SMALL);
});
