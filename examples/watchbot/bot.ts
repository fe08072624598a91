/**
 * Starting and stopping a bot from outside.
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Anchor, CircuitError, type Client } from "../../mod.ts";
import { placeOf } from "./ballot.ts";
import { type Orders, spawnNucleus } from "./orders.ts";

/** Milliseconds between two looks at what is left of a bot that is being stopped. */
const LOOK_MS = 200;

/**
 * Starts a bot: its first nucleus, on some server. Resolves when the payload runs.
 *
 * @throws {CircuitError} `EXISTS` if there is a bot of this name already; `ABORTED` if the nucleus
 * ends, with what it has printed.
 */
export async function startBot(
  client: Client,
  orders: Omit<Orders, "self" | "term" | "watch">,
): Promise<void> {
  const servers = await client.servers();
  for (const place of servers.map((server) => placeOf(server, orders.name))) {
    const [found] = (await place.view()).keys();
    if (found === undefined) continue;
    throw new CircuitError("EXISTS", `there is a bot ${orders.name}: ${place.path}/${found}`);
  }
  const host = servers[Math.floor(Math.random() * servers.length)];
  if (!host) throw new CircuitError("NOT_FOUND", "no server is listed");
  const term = { epoch: 0, voters: servers.map(({ name }) => name), tieBreaker: host.name };
  const nucleus = await spawnNucleus(host, { ...orders, term });
  let said = "";
  for await (const text of nucleus.said) {
    said += text;
    if (said.includes(": runs: ")) return;
  }
  const why = said.trim() || "its first process ended at once and said nothing";
  throw new CircuitError("ABORTED", `the bot did not start on ${host.path}: ${why}`);
}

/** Stops a bot, and removes all that there is of it on the servers. */
export async function stopBot(client: Client, name: string): Promise<void> {
  const places = (await client.servers()).map((server) => placeOf(server, name));
  await Promise.all(places.map((place) => ignore("EXISTS", place.walk("stop").makeChan())));
  // A nucleus ends when it sees that; one that has not begun yet is told.
  for (;;) {
    const nuclei = (await all(places)).filter((anchor) => anchor.name.startsWith("nucleus-"));
    if (nuclei.length === 0) break;
    for (const anchor of nuclei) {
      const proc = await anchor.get();
      if (proc?.kind === "proc") await ignore("CLOSED", ignore("NOT_FOUND", proc.signal("TERM")));
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await Promise.all((await all(places)).map((anchor) => anchor.scrub()));
}

/** All that there is of a bot. */
async function all(places: readonly Anchor[]): Promise<Anchor[]> {
  const views = await Promise.all(places.map((place) => place.view()));
  return views.flatMap((view) => [...view.values()]);
}

async function ignore(code: string, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof CircuitError && error.code === code)) throw error;
  }
}
