/**
 * The bot with its back channel, on real servers.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { cluster, dialTo, type RunningServer } from "../../tests/launcher.ts";
import { circuitTest } from "../../tests/logs.ts";
import type { Program } from "../../tests/program.ts";
import { RunningTool } from "../../tests/tool.ts";
import { host, named, untilWatched } from "../watchbot/_bot.ts";
import { type Present, RollCall } from "../watchbot/_roll_call.ts";
import type { BotEvent } from "../watchbot/nucleus.ts";

/** Milliseconds in which exactly one payload must run again. */
const BACK_MS = 5_000;

/** Milliseconds in which the first payload must run; programs are compiled meanwhile. */
const START_MS = 30_000;

/** A program of the examples, as their pages run it. */
function example(path: string): Program {
  const script = import.meta.resolve(path);
  return { command: Deno.execPath(), args: ["run", "-A", script] };
}

/** Starts the bot; what it prints are its reports. */
function start(server: RunningServer, command: readonly string[]): RunningTool {
  const program = example("./watchbot_backchannel.ts");
  return new RunningTool(["-d", server.address, "bot", ...command], { program });
}

circuitTest("watchbot_backchannel: every incarnation reports", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(4, { logs });
  const { near } = circuit;
  await using bot = start(near, roll.command);
  await using client = await dialTo(near);
  const seen: Present[] = [];
  for (let i = 0; i < 3; i++) {
    const payload = await roll.one(seen.at(-1)?.epoch ?? 0, i === 0 ? START_MS : BACK_MS);
    seen.push(payload);
    await untilWatched(client, payload);
    // The server that has the channel stays, and one for the watcher.
    if (payload.server !== near.id && i < 2) await host(circuit.servers, payload).crash();
    else Deno.kill(await nucleusPid(payload), "SIGKILL");
  }
  seen.push(await roll.one(seen.at(-1)?.epoch ?? 0, BACK_MS));
  await untilWatched(client, seen.at(-1) as Present);
  bot.kill("SIGINT");
  const { code, stdout, stderr } = await bot.result();
  assertEquals([code, stderr], [0, ""]);

  const reports = stdout.trim().split("\n").map((line) => JSON.parse(line) as BotEvent);
  const ran = reports.filter(({ what }) => what === "runs");
  assertEquals(
    ran.map(({ server }) => server),
    seen.map(({ server }) => server),
  );
  // An epoch may have ended before its payload had begun, never the other way round.
  for (const [i, { epoch }] of ran.entries()) assertEquals(epoch, seen[i]?.epoch);
  const takers = reports.filter(({ what }) => what === "took over");
  assertEquals(takers.map(({ server }) => server), ran.map(({ server }) => server));
  assertEquals(roll.most, 1);
  assertEquals(roll.present, []);
  for await (const { path } of client.anchor("/").list({ recursive: true })) {
    assert(!path.includes("watchbot"), path);
  }

  async function nucleusPid({ server }: Present): Promise<number> {
    const path = (await named(client, "nucleus-")).find((path) => path.includes(server));
    const proc = await client.anchor(path ?? "/").get();
    assert(proc?.kind === "proc");
    return (await proc.peek()).pid;
  }
});

circuitTest("watchbot_backchannel: the bot lives on without its channel", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(4, { logs });
  await using bot = start(circuit.near, roll.command);
  const payload = await roll.one(0, START_MS);
  await using client = await dialTo(circuit.far);
  await untilWatched(client, payload);
  await circuit.near.crash();
  const { code, stderr } = await bot.result();
  assertEquals(code, 1, stderr);
  assert(stderr.includes(circuit.near.hostPort), stderr);
  const again = payload.server === circuit.near.id ? payload.epoch : payload.epoch - 1;
  const next = await roll.one(again, BACK_MS);
  await untilWatched(client, next);
  // Its next incarnation does not find the channel, and takes over all the same.
  const [last, rest] = [
    host(circuit.servers, next),
    circuit.servers.find((server) => server !== circuit.near && server.id !== next.server),
  ];
  await last.crash();
  await roll.one(next.epoch, BACK_MS);
  assertEquals(roll.most, 1);
  const program = example("../watchbot/watchbot.ts");
  await using stop = new RunningTool(["stop", "-d", rest?.address ?? "", "bot"], { program });
  assertEquals((await stop.result()).code, 0);
  assertEquals(roll.present, []);
});
