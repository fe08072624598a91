/**
 * The bot on real servers that are killed and stopped: whatever happens, one payload.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertFails } from "../../tests/fails.ts";
import { cluster, dialTo, RunningServer, untilSeen } from "../../tests/launcher.ts";
import { circuitTest } from "../../tests/logs.ts";
import { isAlive } from "../../tests/traces.ts";
import { until } from "../../tests/until.ts";
import { host, named, untilWatched } from "./_bot.ts";
import { RollCall } from "./_roll_call.ts";
import { isQuorum } from "./ballot.ts";
import { startBot } from "./bot.ts";

/** Milliseconds in which exactly one payload must run again. */
const BACK_MS = 5_000;

/** Milliseconds in which the first payload must run; programs are compiled meanwhile. */
const START_MS = 30_000;

/** Milliseconds in which a silent host is given up; only then does the time begin. */
const SILENT_MS = 4_500;

/** Runs the program as its page says. */
async function watchbot(server: RunningServer, role: string, ...args: string[]): Promise<void> {
  const script = import.meta.resolve("./watchbot.ts");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, role, "-d", server.address, "bot", ...args],
    stdin: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Any other server than those. */
function other(circuit: readonly RunningServer[], ...not: RunningServer[]): RunningServer {
  const found = circuit.find((server) => !not.includes(server));
  assert(found);
  return found;
}

/** Stops the bot, and everything of it must be gone. */
async function stopAndLook(server: RunningServer, roll: RollCall): Promise<void> {
  await watchbot(server, "stop");
  assertEquals(roll.present, []);
  await using client = await dialTo(server);
  assertEquals(await named(client, ""), []);
}

Deno.test("isQuorum() is true for no two sets of servers without one in common", () => {
  for (const voters of [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]]) {
    const term = { epoch: 1, voters, tieBreaker: "a" };
    const subsets = Array.from(
      { length: 2 ** voters.length },
      (_, bits) => new Set(voters.filter((_, i) => bits & 2 ** i)),
    );
    const quorums = subsets.filter((subset) => isQuorum(term, subset));
    assert(quorums.length > 0);
    for (const one of quorums) {
      for (const two of quorums) assert(!one.isDisjointFrom(two), `${[...one]} and ${[...two]}`);
    }
  }
});

circuitTest("watchbot: one payload runs again after each kill -9 of its host", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(4, { logs });
  await watchbot(circuit.near, "start", ...roll.command);
  let payload = await roll.one(0, START_MS);
  let alive = [...circuit.servers];
  // The last time there are two servers, and then one.
  while (alive.length > 1) {
    const killed = host(alive, payload);
    alive = alive.filter((server) => server !== killed);
    await using client = await dialTo(other(alive, killed));
    await untilWatched(client, payload);
    await killed.crash();
    payload = await roll.one(payload.epoch, BACK_MS);
    assert(payload.server !== killed.id);
  }
  assertEquals(roll.most, 1);
  // The circuit grows again, and so does the bot.
  const [last] = alive;
  assert(last);
  await using added = await RunningServer.start({ logs, args: ["-j", last.address] });
  await untilSeen(last, [last, added]);
  await using client = await dialTo(added);
  await untilWatched(client, payload);
  await stopAndLook(added, roll);
  assertEquals(roll.most, 1);
});

circuitTest("watchbot: the watcher is replaced when its host is killed", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(3, { logs });
  await watchbot(circuit.near, "start", ...roll.command);
  const payload = await roll.one(0, START_MS);
  const at = host(circuit.servers, payload);
  await using client = await dialTo(at);
  await untilWatched(client, payload);
  const paths = await named(client, "nucleus-");
  const watching = circuit.servers.find((server) =>
    server !== at && paths.some((path) => path.startsWith(`${server.path}/`))
  );
  assert(watching, `${paths}`);
  await watching.crash();
  await untilWatched(client, payload);
  // Nothing has happened to the payload, and the new watcher does its work.
  assertEquals(roll.present, [payload]);
  await at.crash();
  await roll.one(payload.epoch, BACK_MS);
  await stopAndLook(other(circuit.servers, at, watching), roll);
  assertEquals(roll.most, 1);
});

circuitTest("watchbot: a paused host that comes back runs no second payload", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(3, { logs });
  await watchbot(circuit.near, "start", ...roll.command);
  let payload = await roll.one(0, START_MS);
  for (let i = 0; i < 2; i++) {
    const paused = host(circuit.servers, payload);
    await using away = await dialTo(other(circuit.servers, paused));
    await untilWatched(away, payload);
    paused.kill("SIGSTOP");
    const next = await roll.one(payload.epoch, SILENT_MS + BACK_MS);
    assert(next.server !== paused.id);
    paused.kill("SIGCONT");
    await untilSeen(other(circuit.servers, paused), circuit.servers);
    assertEquals(roll.present, [next]);
    await using client = await dialTo(paused);
    await untilWatched(client, next);
    payload = next;
  }
  assertEquals(roll.most, 1);
  await stopAndLook(circuit.near, roll);
});

circuitTest("watchbot: its payload dies with a nucleus that is killed", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(2, { logs });
  await watchbot(circuit.near, "start", ...roll.command);
  const payload = await roll.one(0, START_MS);
  await using client = await dialTo(circuit.near);
  await untilWatched(client, payload);
  const paths = await named(client, "nucleus-");
  const proc = await client.anchor(
    paths.find((path) => path.includes(payload.server)) ?? "/",
  ).get();
  assert(proc?.kind === "proc");
  await proc.signal("KILL");
  await roll.one(payload.epoch, BACK_MS);
  assertEquals(roll.most, 1);
  await stopAndLook(circuit.near, roll);
});

circuitTest("watchbot: a payload that ends is started again", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(1, { logs });
  await watchbot(circuit.near, "start", ...roll.command);
  const { pid } = await roll.one(0, START_MS);
  Deno.kill(pid, "SIGTERM");
  await until("another one", () => roll.present, ([one]) => one !== undefined && one.pid !== pid);
  assertEquals(roll.most, 1);
  await stopAndLook(circuit.near, roll);
  assert(!await isAlive(pid));
});

circuitTest("watchbot: a second bot of the same name is refused", async (logs) => {
  await using roll = new RollCall();
  await using circuit = await cluster(2, { logs });
  await watchbot(circuit.near, "start", ...roll.command);
  await roll.one(0, START_MS);
  const again = watchbot(circuit.far, "start", ...roll.command);
  const error = await again.then(() => undefined, String);
  assert(error?.includes("there is a bot bot"), error);
  await stopAndLook(circuit.far, roll);
  assertEquals(roll.most, 1);
});

circuitTest("watchbot: start says why its first process has ended at once", async (logs) => {
  await using circuit = await cluster(2, { logs });
  await using client = await dialTo(circuit.near);
  let bots = 0;
  const refused = async (...program: string[]) => {
    const starting = startBot(client, { name: `bot-${bots++}`, command: ["true"], program });
    return (await assertFails("ABORTED", starting)).message;
  };
  for (let i = 0; i < 50; i++) {
    const message = await refused("/bin/sh", "-c", "echo no such luck >&2");
    assertMatch(message, /^the bot did not start on \/X[0-9a-f]{16}: no such luck$/);
  }
  assertMatch(await refused("/no/such"), /\/no\/such: (not found|No such file)/);
  assertMatch(await refused("true"), /: its first process ended at once and said nothing$/);
});
