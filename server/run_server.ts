/**
 * What `circuit start` does: a server with a log, which signals stop.
 *
 * @module
 */

import { parseAddress } from "../overlay/address.ts";
import { toCircuitError } from "../overlay/errors.ts";
import { hostClock } from "../overlay/transport/aligned_clock.ts";
import { findKeyFile, type KeyFile, readKeyFile } from "../overlay/transport/key.ts";
import type { Log, LogLevel } from "./log.ts";
import { setUpLog } from "./logger.ts";
import { OpenFiles } from "./open_files.ts";
import { keepHouse } from "./memory.ts";
import { type CircuitServer, launch, type ServerOptions } from "./server.ts";
import { VarDir } from "./var_dir.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** What a server needs besides what `startServer` takes. */
export interface Surroundings {
  /** The file that holds the keys; default: the one that CIRCUIT_HMAC names, if it is set. */
  readonly keyFile: string | undefined;
  /** Prints a line to standard output: the server's address, once it listens. */
  print(line: string): Promise<void> | void;
}

/**
 * Runs a server until SIGINT, SIGTERM or a request stops it. SIGHUP makes it read its key file again,
 * if it has one.
 *
 * @param options As for `startServer`, but for the log and the keys.
 * @throws {CircuitError} why the server could not be started.
 */
export async function runServer(
  options: Omit<ServerOptions, "log" | "keys">,
  { keyFile, print }: Surroundings,
): Promise<void> {
  const file = findKeyFile(keyFile);
  const first = file === undefined ? undefined : await readKeyFile(file);
  const level = LEVELS.find((level) => level === Deno.env.get("CIRCUIT_LOG")) ?? "info";
  // The log goes into the directory only once it is certain that no other server writes there.
  const varDir = options.varDir === undefined ? undefined : await VarDir.take(options.varDir);
  const logger = setUpLog({ level, ...(varDir ? { file: varDir.logFile } : {}) });
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => resolve());
  });
  const onSignal = () => stop.abort();
  // A signal during start-up stops what has been started by then.
  for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
  let server: CircuitServer | void;
  let stopKeeping = () => {};
  // Without a key file, SIGHUP is what it is for other programs: the terminal has gone.
  const onHangup = file !== undefined && (() => void readAgain(file, server, logger.log));
  if (onHangup) Deno.addSignalListener("SIGHUP", onHangup);
  try {
    const keys = first && takeKeys(first, logger.log);
    const settings = { ...options, ...(keys && { keys }), log: logger.log };
    server = await launch(settings, varDir, stop.signal, new OpenFiles(logger.log)).catch(
      (error) => {
        if (!stop.signal.aborted) throw error;
      },
    );
    if (!server) return;
    await print(server.address);
    stopKeeping = await keepHouse(hostClock(parseAddress(server.address).host));
    await Promise.race([server.closed, stopped]);
    await server.stop();
  } finally {
    stopKeeping();
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
    if (onHangup) Deno.removeSignalListener("SIGHUP", onHangup);
    logger.close();
  }
}

function takeKeys({ keys, warning }: KeyFile, log: Log): readonly Uint8Array[] {
  if (warning !== undefined) log("warn", warning);
  return keys;
}

/** Whatever goes wrong, the server goes on with the keys that it has. */
async function readAgain(
  file: string,
  server: CircuitServer | void,
  log: Log,
): Promise<void> {
  if (!server) {
    return log("warn", `SIGHUP: the server is not ready yet; ${file} was not read again`);
  }
  try {
    await server.setKeys(takeKeys(await readKeyFile(file), log));
  } catch (error) {
    log("error", `SIGHUP: the keys stay as they were: ${toCircuitError(error).message}`);
  }
}
