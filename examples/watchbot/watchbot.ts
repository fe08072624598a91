/**
 * A program that keeps itself alive on a circuit. README.md in this folder explains it.
 *
 *     deno run -A watchbot.ts start [-d ADDRESS] NAME COMMAND [ARG…]
 *     deno run -A watchbot.ts stop [-d ADDRESS] NAME
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { CircuitError } from "../../mod.ts";
import { connectTo } from "../connect_to.ts";
import { startBot, stopBot } from "./bot.ts";
import { runNucleus } from "./nucleus.ts";
import type { Orders } from "./orders.ts";

/** How a server runs this program again: the same Deno, and the same file, at the same places. */
const PROGRAM = [Deno.execPath(), "run", "-A", import.meta.url, "nucleus"];

/** Does what a command line says. */
async function main(args: readonly string[]): Promise<void> {
  const [role, ...rest] = args;
  if (role === "nucleus") return await nucleus(rest);
  const address = rest[0] === "-d" ? rest.splice(0, 2)[1] : undefined;
  const [name, ...command] = rest;
  if (name === undefined || (role === "start") !== (command.length > 0)) {
    console.error("usage: watchbot.ts start|stop [-d ADDRESS] NAME [COMMAND [ARG…]]");
    Deno.exit(2);
  }
  await using client = await connectTo(address);
  if (role === "start") await startBot(client, { name, command, program: PROGRAM });
  else await stopBot(client, name);
}

async function nucleus([address, orders = ""]: readonly string[]): Promise<void> {
  await using client = await connectTo(address);
  await runNucleus({
    client,
    orders: JSON.parse(orders) as Orders,
    onEvent: ({ epoch, what, why }) => console.error(`epoch ${epoch}: ${what}: ${why}`),
  });
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    console.error(`watchbot: ${error.message}`);
    Deno.exit(1);
  }
  // The standard input is still being read.
  Deno.exit();
}
