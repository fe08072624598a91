/**
 * Channels of the library, over two servers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Chan, Client } from "../../mod.ts";
import { bytes, digest, digestOf, pattern, text } from "../bytes.ts";
import { assertFails } from "../fails.ts";
import { cluster, dialTo, type RunningServer } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { program } from "../program.ts";
import { onBothRoutes } from "../routes.ts";
import { RunningTool } from "../tool.ts";
import { callsAt, untilCalls } from "../traces.ts";
import { until, within } from "../until.ts";

/** Bytes of a message that a channel takes without a receiver. */
const BUFFER_BYTES = 32 * 1024;

/** Makes a channel on a server and returns a handle that was looked up. */
async function channel(client: Client, server: RunningServer, capacity: number): Promise<Chan> {
  const anchor = client.anchor(server.path).walk("channel");
  await anchor.makeChan(capacity);
  return await sameChannel(client, server);
}

async function sameChannel(client: Client, server: RunningServer): Promise<Chan> {
  const element = await client.anchor(server.path).walk("channel").get();
  if (element?.kind !== "chan") throw new Error(`want a channel, not ${element?.kind}`);
  return element;
}

onBothRoutes("Chan.sendBytes() and recvBytes() pass messages in order", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 3);
  const sent = ["one", "", "x".repeat(BUFFER_BYTES)];
  for (const message of sent) await chan.sendBytes(bytes(message));
  assertEquals(await chan.stat(), {
    cap: 3,
    closed: false,
    aborted: false,
    numSend: 3,
    numRecv: 0,
  });
  for (const message of sent) assertEquals(text(await chan.recvBytes()), message);
  assertEquals((await chan.stat()).numRecv, 3);

  // Sends that wait are taken in the order of their arrival, and so are receives.
  const received: number[] = [];
  const receiving = Array.from({ length: 10 }, async () => {
    received.push(Number(text(await chan.recvBytes())));
  });
  for (let i = 0; i < 10; i++) await chan.sendBytes(bytes(String(i)));
  await Promise.all(receiving);
  assertEquals(received, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

onBothRoutes("Chan.send() waits for a receiver without a buffer", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 0);
  let sent = false;
  const sending = chan.sendBytes(bytes("hello")).then(() => sent = true);
  await untilCalls(client, far, 1);
  assertEquals([sent, (await chan.stat()).numSend], [false, 0]);
  assertEquals(text(await chan.recvBytes()), "hello");
  await sending;
  const { numSend, numRecv } = await chan.stat();
  assertEquals([numSend, numRecv], [1, 1]);
});

onBothRoutes("Chan.send() and recv() stream a message piece by piece", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 1);
  const writer = (await chan.send()).getWriter();
  await writer.write(bytes("first "));
  const reader = (await chan.recv()).getReader();
  // The message is on its way while its sender is still writing it.
  assertEquals(text((await reader.read()).value ?? bytes("nothing")), "first ");
  await writer.write(bytes("second"));
  assertEquals(text((await reader.read()).value ?? bytes("nothing")), "second");
  await Promise.all([writer.close(), reader.read().then(({ done }) => assert(done))]);
});

onBothRoutes(
  "Chan.send() holds its sender back at 32 KiB without a receiver",
  async ({ near, far }) => {
    await using client = await dialTo(near);
    const chan = await channel(client, far, 1);
    const message = pattern(BUFFER_BYTES + 4);
    let sent = false;
    const sending = chan.sendBytes(message).then(() => sent = true);
    await until(
      "the message to be in the buffer",
      () => chan.stat(),
      ({ numSend }) => numSend === 1,
    );
    await client.servers();
    assertEquals(sent, false);
    assertEquals(digestOf(await chan.recvBytes()), digestOf(message));
    await sending;
  },
);

onBothRoutes("Chan iterates over messages until it is closed", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 5);
  for (const message of ["a", "b", "c"]) await chan.sendBytes(bytes(message));
  await chan.close();
  const messages = [];
  for await (const message of chan) messages.push(text(message));
  assertEquals(messages, ["a", "b", "c"]);
});

onBothRoutes("Chan iterates without taking more than the loop was given", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 5);
  for (const message of ["a", "b"]) await chan.sendBytes(bytes(message));
  for await (const message of chan) {
    assertEquals(text(message), "a");
    break;
  }
  assertEquals(text(await chan.recvBytes()), "b");
});

onBothRoutes("Chan.close() lets out what is buffered and fails the rest", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 1);
  await chan.sendBytes(bytes("buffered"));
  const waiting = assertFails("CLOSED", chan.sendBytes(bytes("waits for room")));
  await untilCalls(client, far, 1);
  await chan.close();
  await waiting;
  assertEquals((await chan.stat()).closed, true);
  await assertFails("CLOSED", chan.sendBytes(bytes("late")));
  await assertFails("CLOSED", chan.send());
  assertEquals(text(await chan.recvBytes()), "buffered");
  await assertFails("CLOSED", chan.recvBytes());
  await assertFails("CLOSED", chan.recv());
  await assertFails("CLOSED", chan.close());
});

onBothRoutes("Chan.close() ends receives that wait", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 0);
  const waiting = [chan.recvBytes(), chan.recvBytes()].map((each) => assertFails("CLOSED", each));
  await untilCalls(client, far, 2);
  await chan.close();
  await Promise.all(waiting);
});

onBothRoutes("Chan.scrub() fails everyone who waits with ABORTED", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 0);
  const receiving = assertFails("ABORTED", chan.recvBytes());
  await untilCalls(client, far, 1);
  await chan.scrub();
  await receiving;
  const again = await channel(client, far, 0);
  const sending = assertFails("ABORTED", again.sendBytes(bytes("never read")));
  await untilCalls(client, far, 1);
  await again.scrub();
  await sending;
  await assertFails("NOT_FOUND", again.stat());
  // The anchor is free for another one.
  const third = await channel(client, far, 1);
  await third.sendBytes(bytes("well"));
  assertEquals(text(await third.recvBytes()), "well");
});

onBothRoutes("a cancelled receive loses nothing", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 0);
  const controller = new AbortController();
  const cancelled = assertFails("ABORTED", chan.recvBytes({ signal: controller.signal }));
  await untilCalls(client, far, 1);
  controller.abort();
  await cancelled;
  await untilCalls(client, far, 0);
  // Nobody waits any more: the message goes to the one who comes.
  const sending = chan.sendBytes(bytes("for the living"));
  assertEquals(text(await chan.recvBytes()), "for the living");
  await sending;
  const { numSend, numRecv } = await chan.stat();
  assertEquals([numSend, numRecv], [1, 1]);
});

onBothRoutes(
  "a receive that is cancelled half-way puts the message back in front",
  async ({ near, far }) => {
    await using client = await dialTo(near);
    const chan = await channel(client, far, 2);
    const first = pattern(BUFFER_BYTES);
    await chan.sendBytes(first);
    await chan.sendBytes(bytes("second"));
    const stream = await chan.recv();
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();
    await until("the message to be back", () => chan.stat(), ({ numRecv }) => numRecv === 0);
    assertEquals(digestOf(await chan.recvBytes()), digestOf(first));
    assertEquals(text(await chan.recvBytes()), "second");
  },
);

onBothRoutes("a cancelled send was never there", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 0);
  const controller = new AbortController();
  const cancelled = assertFails("ABORTED", chan.sendBytes(bytes("no"), controller));
  await untilCalls(client, far, 1);
  controller.abort();
  await cancelled;
  await untilCalls(client, far, 0);
  const receiving = chan.recvBytes();
  await chan.sendBytes(bytes("yes"));
  assertEquals(text(await receiving), "yes");
  assertEquals((await chan.stat()).numSend, 1);
});

circuitTest("10,000 cancelled receives leave nothing behind", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dialTo(circuit.near);
  const chan = await channel(client, circuit.far, 0);
  const count = 10_000;
  const batch = 500;
  for (let done = 0; done < count; done += batch) {
    const controllers = Array.from({ length: batch }, () => new AbortController());
    const calls = controllers.map(({ signal }) =>
      assertFails("ABORTED", chan.recvBytes({ signal }))
    );
    // Some are cancelled before they leave, some on their way, and some when they wait.
    if (done % (4 * batch) === 0) await untilCalls(client, circuit.far, batch);
    else if (done % (2 * batch) === 0) await client.servers();
    for (const controller of controllers) controller.abort();
    await Promise.all(calls);
  }
  await untilCalls(client, circuit.far, 0);
  assertEquals(await callsAt(client, circuit.near), 0);
  assertEquals(await chan.stat(), {
    cap: 0,
    closed: false,
    aborted: false,
    numSend: 0,
    numRecv: 0,
  });
  const receiving = chan.recvBytes();
  await chan.sendBytes(bytes("still well"));
  assertEquals(text(await receiving), "still well");
});

onBothRoutes("Chan carries 100 MB between two clients", async ({ near, far }) => {
  await using sender = await dialTo(near);
  await using receiver = await dialTo(near);
  const message = pattern(100_000_000);
  const sending = await channel(sender, far, 0);
  const receiving = await sameChannel(receiver, far);
  const [, received] = await Promise.all([
    sending.sendBytes(message),
    receiving.recv().then(digest),
  ]);
  assertEquals(received, digestOf(message));
});

onBothRoutes(
  "a sender that is killed half-way fails its receiver with ABORTED",
  async ({ near, far }, route) => {
    await using client = await dialTo(near);
    const chan = await channel(client, far, 0);
    const where = `${far.path}/channel`;
    await using sender = new RunningTool(["send", "-d", near.address, where], {
      program: route.program ?? program(),
    });
    const reader = (await chan.recv()).getReader();
    const half = pattern(200_000);
    const writing = sender.write(half);
    const taking = async () => {
      for (let taken = 0; taken < half.length;) taken += (await reader.read()).value?.length ?? 0;
    };
    await within(20_000, "the first half", taking());
    await writing;
    sender.kill("SIGKILL");
    await within(5_000, "the receiver's failure", assertFails("ABORTED", reader.read()));
    // The channel is as it was.
    const receiving = chan.recvBytes();
    await chan.sendBytes(bytes("whole"));
    assertEquals(text(await receiving), "whole");
  },
);

onBothRoutes(
  "a receiver that is killed puts a buffered message back in front",
  async ({ near, far }, route) => {
    await using client = await dialTo(near);
    const chan = await channel(client, far, 2);
    const first = pattern(BUFFER_BYTES);
    await chan.sendBytes(first);
    await chan.sendBytes(bytes("second"));
    // Its standard output is full, so it cannot say that it has the message.
    const { command, args } = route.program ?? program();
    const filling = ["-c", 'head -c 60000 /dev/zero; exec "$@"', "sh", command, ...args];
    await using receiver = new RunningTool(["recv", "-d", near.address, `${far.path}/channel`], {
      program: { command: "/bin/sh", args: filling },
    });
    await until("the message to be taken", () => chan.stat(), ({ numRecv }) => numRecv === 1);
    receiver.kill("SIGKILL");
    await until("the message to be back", () => chan.stat(), ({ numRecv }) => numRecv === 0);
    assertEquals(digestOf(await chan.recvBytes()), digestOf(first));
    assertEquals(text(await chan.recvBytes()), "second");
  },
);

onBothRoutes(
  "a receiver that is killed in a long message has its sender told",
  async ({ near, far }, route) => {
    await using client = await dialTo(near);
    const chan = await channel(client, far, 1);
    const sending = assertFails("ABORTED", chan.sendBytes(pattern(10_000_000)));
    await using receiver = new RunningTool(["recv", "-d", near.address, `${far.path}/channel`], {
      program: route.program ?? program(),
    });
    await receiver.stdout.bytes(100_000);
    receiver.kill("SIGKILL");
    await within(5_000, "the sender's failure", sending);
    // The channel goes on.
    await chan.sendBytes(bytes("next"));
    assertEquals(text(await chan.recvBytes()), "next");
  },
);

onBothRoutes("a reader may bring its own buffer, of any size", async ({ near, far }) => {
  await using client = await dialTo(near);
  const chan = await channel(client, far, 0);
  for (const size of [1, 1_000, 65_536, 300_000]) {
    const [sending, stream] = await Promise.all([chan.send(), chan.recv()]);
    const message = pattern(500_000);
    const sent = sending.getWriter();
    const written = sent.write(message).then(() => sent.close());
    const reader = stream.getReader({ mode: "byob" });
    const received = new Uint8Array(message.length);
    let [at, buffer] = [0, new ArrayBuffer(size === 1 ? 4_000 : size)];
    for (;;) {
      // A buffer of one byte now and then, of the size otherwise.
      const own = new Uint8Array(buffer, 0, size === 1 && at % 3 === 0 ? 1 : buffer.byteLength);
      const { value, done } = await reader.read(own);
      if (value) buffer = value.buffer;
      if (done) break;
      received.set(value, at);
      at += value.length;
    }
    await written;
    assertEquals(at, message.length);
    assertEquals(await digestOf(received), await digestOf(message));
  }

  // A reader that goes while it waits takes nothing with it: the next one gets the message.
  const [sending, stream] = await Promise.all([chan.send(), chan.recv()]);
  const reader = stream.getReader({ mode: "byob" });
  const read = reader.read(new Uint8Array(10));
  await reader.cancel();
  assertEquals((await read).done, true);
  const writer = sending.getWriter();
  const written = writer.write(bytes("still there")).then(() => writer.close());
  assertEquals(text(await chan.recvBytes()), "still there");
  await written;
});
