/**
 * The commands for channels: `mkchan`, `send`, `recv`, `close`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { bytes, digestOf, pattern, text } from "../bytes.ts";
import { cluster, dialTo } from "../launcher.ts";
import { circuitTest } from "../logs.ts";
import { assertRefused } from "../refused.ts";
import { run, RunningTool, tool } from "../tool.ts";
import { untilCalls } from "../traces.ts";
import { until } from "../until.ts";

circuitTest("mkchan makes a channel once, and changes nothing where there is one", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  const at = ["-d", near.address];
  const path = `${far.path}/c`;
  assertEquals(await run(["mkchan", ...at, path, "1"]), "");
  await run(["send", ...at, path], { stdin: "kept" });
  const before = await run(["peek", ...at, path]);
  await assertRefused(["mkchan", ...at, path, "7"], /it holds a chan already/);
  assertEquals(await run(["peek", ...at, path]), before);
  assertEquals(await run(["recv", ...at, path]), "kept");
  await assertRefused(["mkchan", ...at, far.path, "1"], /it holds a server already/);
  await assertRefused(["mkchan", ...at, "/", "1"], /\/ holds nothing/);
});

circuitTest("send and recv carry a message of any length exactly", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/c`;
  await client.anchor(path).makeChan();
  for (const length of [0, 4, 32 * 1024, 32 * 1024 + 4, 20_000_000]) {
    const message = pattern(length);
    await using receiver = new RunningTool(["recv", "-d", far.address, path]);
    const [sent, received] = await Promise.all([
      tool(["send", "-d", near.address, path], { stdin: message }),
      receiver.stdout.rest(),
    ]);
    assertEquals(sent, { code: 0, stdout: "", stderr: "" });
    assertEquals(digestOf(received), digestOf(message));
    assertEquals((await receiver.status).code, 0);
  }
});

circuitTest("close lets messages out, then everyone is told", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  const at = ["-d", near.address];
  const path = `${far.path}/c`;
  await run(["mkchan", ...at, path, "2"]);
  await run(["send", ...at, path], { stdin: "last" });
  assertEquals(await run(["close", ...at, path]), "");
  await assertRefused(["close", ...at, path], /cannot close .*\/c: the channel is closed already/);
  await assertRefused(["send", ...at, path], /cannot send to .*\/c: the channel is closed/);
  assertEquals(await run(["recv", ...at, path]), "last");
  await assertRefused(["recv", ...at, path], /cannot receive from .*\/c: the channel is closed/);
});

circuitTest(
  "an interrupted recv leaves the channel as if it had never been there",
  async (logs) => {
    await using circuit = await cluster(2, { logs });
    const { near, far } = circuit;
    await using client = await dialTo(near);
    const path = `${far.path}/c`;
    const chan = await client.anchor(path).makeChan(1);
    for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      await using receiver = new RunningTool(["recv", "-d", near.address, path]);
      await untilCalls(client, far, 1);
      receiver.kill(signal);
      assertEquals(await receiver.result(), { code: status, stdout: "", stderr: "" });
      await untilCalls(client, far, 0);
      assertEquals(await chan.stat(), {
        cap: 1,
        closed: false,
        aborted: false,
        numSend: 0,
        numRecv: 0,
      });
    }
    // Nobody is there to take the message but the one who comes now.
    await run(["send", "-d", near.address, path], { stdin: "hello" });
    assertEquals((await chan.stat()).numRecv, 0);
    assertEquals(await run(["recv", "-d", near.address, path]), "hello");
  },
);

circuitTest("an interrupted send withdraws its message", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/c`;
  const chan = await client.anchor(path).makeChan(1);
  await using sender = new RunningTool(["send", "-d", near.address, path]);
  await sender.write("half of a mess");
  await until("the message to be in the buffer", () => chan.stat(), ({ numSend }) => numSend === 1);
  sender.kill("SIGINT");
  assertEquals((await sender.result()).code, 130);
  await until("the message to be withdrawn", () => chan.stat(), ({ numSend }) => numSend === 0);
  await chan.sendBytes(bytes("whole"));
  assertEquals(text(await chan.recvBytes()), "whole");
});

circuitTest("scrub ends send and recv with a reason", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/c`;
  for (const name of ["recv", "send"]) {
    const chan = await client.anchor(path).makeChan();
    await using waiting = new RunningTool([name, "-d", near.address, path]);
    await waiting.closeStdin();
    await untilCalls(client, far, 1);
    await chan.scrub();
    const { code, stdout, stderr } = await waiting.result();
    assertEquals([code, stdout], [1, ""]);
    const action = name === "recv" ? "receive from" : "send to";
    assertEquals(stderr, `circuit: cannot ${action} ${path}: the channel was scrubbed\n`);
  }
});

circuitTest("a recv whose output nobody reads puts the message back", async (logs) => {
  await using circuit = await cluster(2, { logs });
  const { near, far } = circuit;
  await using client = await dialTo(near);
  const path = `${far.path}/c`;
  const chan = await client.anchor(path).makeChan(1);
  await using receiver = new RunningTool(["recv", "-d", near.address, path]);
  await untilCalls(client, far, 1);
  // As with `| head` that has ended already.
  await receiver.stdout.cancel();
  await chan.sendBytes(bytes("not lost"));
  assertEquals((await receiver.status).code, 0);
  await until("the message to be back", () => chan.stat(), ({ numRecv }) => numRecv === 0);
  assertEquals(text(await chan.recvBytes()), "not lost");
});
