/**
 * The watchbot with a channel over which every incarnation reports. README.md in this folder explains
 * it; the bot itself is in `../watchbot/`.
 *
 *     deno run -A watchbot_backchannel.ts [-d ADDRESS] NAME COMMAND [ARG…]
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Chan, CircuitError, type Client } from "../../mod.ts";
import { connectTo } from "../connect_to.ts";
import { startBot, stopBot } from "../watchbot/bot.ts";
import { type BotEvent, runNucleus } from "../watchbot/nucleus.ts";
import type { Orders } from "../watchbot/orders.ts";

/** Reports that the channel takes while nobody reads them. */
const CAPACITY = 100;

/** Milliseconds that one report may take before it is given up. */
const REPORT_MS = 1_000;

/** How a server runs this program again: the same Deno, and the same file, at the same places. */
const PROGRAM = [Deno.execPath(), "run", "-A", import.meta.url, "nucleus"];

/** Does what a command line says. */
async function main(args: readonly string[]): Promise<void> {
  const [role, ...rest] = args;
  if (role === "nucleus") return await nucleus(rest);
  const address = role === "-d" ? rest.shift() : undefined;
  const [name, ...command] = role === "-d" ? rest : args;
  if (name === undefined || command.length === 0) {
    console.error("usage: watchbot_backchannel.ts [-d ADDRESS] NAME COMMAND [ARG…]");
    Deno.exit(2);
  }
  await using client = await connectTo(address);
  await listen(client, name, command);
}

/** Starts a bot, prints its reports, a line each, and stops it at Ctrl-C. */
async function listen(client: Client, name: string, command: readonly string[]): Promise<void> {
  // On the server that this program is connected to: without that it hears nothing anyway.
  const place = client.anchor(`/${client.serverId}`).walk("watchbot-reports", name);
  const channel = await place.makeChan(CAPACITY);
  Deno.addSignalListener("SIGINT", () => channel.close().catch(() => {}));
  try {
    await startBot(client, { name, command, program: PROGRAM, reports: place.path });
    // Ends when the channel is closed; fails when its server is gone.
    for await (const report of channel) console.log(new TextDecoder().decode(report));
    await stopBot(client, name);
  } finally {
    await channel.scrub().catch(() => {});
  }
}

async function nucleus([address, told = ""]: readonly string[]): Promise<void> {
  const orders: Orders = JSON.parse(told);
  await using client = await connectTo(address);
  const reporter = new Reporter(await findChannel(client, orders.reports ?? ""));
  await runNucleus({ client, orders, onEvent: (event) => reporter.send(event) });
  await reporter.sent;
}

/** The channel, if it is still there: the bot lives on without it. */
async function findChannel(client: Client, path: string): Promise<Chan | undefined> {
  try {
    const element = await client.anchor(path).get({ signal: AbortSignal.timeout(REPORT_MS) });
    return element?.kind === "chan" ? element : undefined;
  } catch (error) {
    if (error instanceof CircuitError) return undefined;
    throw error;
  }
}

/** Sends what becomes of the bot, one report after the other, and never keeps it waiting. */
class Reporter {
  readonly #channel: Chan | undefined;
  /** Resolves when all reports are in the channel, or given up. */
  sent: Promise<void> = Promise.resolve();

  constructor(channel: Chan | undefined) {
    this.#channel = channel;
  }

  send(event: BotEvent): void {
    console.error(`epoch ${event.epoch}: ${event.what}: ${event.why}`);
    const report = new TextEncoder().encode(JSON.stringify(event));
    this.sent = this.sent.then(async () => {
      await this.#channel?.sendBytes(report, { signal: AbortSignal.timeout(REPORT_MS) });
    }).catch(() => {
      // Closed, full or gone: nothing that the bot should end for.
    });
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof CircuitError)) throw error;
    console.error(`watchbot_backchannel: ${error.message}`);
    Deno.exit(1);
  }
  // The standard input is still being read.
  Deno.exit();
}
