/**
 * What `circuit start` does: a server with a log, which signals stop.
 *
 * @module
 */

import type { LogLevel } from "./log.ts";
import { setUpLog } from "./logger.ts";
import { launch, type ServerOptions } from "./server.ts";
import { VarDir } from "./var_dir.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs a server until SIGINT, SIGTERM or a request stops it.
 *
 * @param options As for `startServer`, but for the log.
 * @param print Prints a line to standard output: the server's address, once it listens.
 * @throws {CircuitError} why the server could not be started.
 */
export async function runServer(
  options: Omit<ServerOptions, "log">,
  print: (line: string) => Promise<void> | void,
): Promise<void> {
  const level = LEVELS.find((level) => level === Deno.env.get("CIRCUIT_LOG")) ?? "info";
  // The log goes into the directory only once it is certain that no other server writes there.
  const varDir = options.varDir === undefined ? undefined : await VarDir.take(options.varDir);
  const logger = setUpLog({ level, ...(varDir ? { file: varDir.logFile } : {}) });
  const stopped = Promise.withResolvers<void>();
  const onSignal = () => stopped.resolve();
  // A signal during start-up stops what has been started by then.
  for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
  try {
    const starting = launch({ ...options, log: logger.log }, varDir);
    const server = await Promise.race([starting, stopped.promise]);
    if (server) {
      await print(server.address);
      await Promise.race([server.closed, stopped.promise]);
    }
    await starting.then((late) => late.stop(), () => {});
    if (!server) return;
    await server.closed;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
    logger.close();
  }
}
