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
import { keepOpenFilesBack } from "./libc.ts";
import { onFault } from "./last_resort.ts";
import { type Logger, setUpLog } from "./logger.ts";
import { OpenFiles } from "./open_files.ts";
import { keepHouse } from "./memory.ts";
import {
  type CircuitServer,
  graceOf,
  launch,
  type Launched,
  type ServerOptions,
} from "./server.ts";
import { VarDir } from "./var_dir.ts";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** What the one that starts a container has to know. */
const FIRST_PROCESS =
  "this server is process 1, which has to wait for processes that have lost their " +
  "parent, and Deno cannot: they stay as zombies; start the container with an init (--init)";

/** What a server needs besides what `startServer` takes. */
export interface Surroundings {
  /** The file that holds the keys; default: the one that CIRCUIT_HMAC names, if it is set. */
  readonly keyFile: string | undefined;
  /** Prints a line to standard output: the server's address, once it listens. */
  print(line: string): Promise<void> | void;
}

/** Milliseconds beyond the grace that a server may take to end in order after a fault of its own: 5 s. */
const FAULT_MS = 5_000;

/**
 * Runs a server until SIGINT, SIGTERM or a request stops it. SIGHUP never does: it makes the server
 * open its log file again, and read its key file again if it has one. After a fault of its own, an
 * exception that nobody has caught, it logs that and ends in order, within its grace and
 * {@linkcode FAULT_MS}.
 *
 * @param options As for `startServer`, but for the log and the keys.
 * @returns its exit status: 0, or 1 after a fault.
 * @throws {CircuitError} why the server could not be started.
 */
export async function runServer(
  options: Omit<ServerOptions, "log" | "keys">,
  { keyFile, print }: Surroundings,
): Promise<number> {
  keepOpenFilesBack();
  await using ending = new AsyncDisposableStack();
  let server: Launched | void = undefined;
  let logger: Logger | undefined = undefined;
  const log: Log = (level, message) => logger?.log(level, message);
  const file = findKeyFile(keyFile);
  let reading = Promise.resolve();
  listen(ending, "SIGHUP", () => {
    logger?.reopen();
    log("info", "SIGHUP: the server goes on; a log file is opened again");
    if (file !== undefined) reading = reading.then(() => readAgain(file, server, log));
  });
  // Else a file that may not grow (ulimit -f) would end the server, not just fail to be written.
  listen(ending, "SIGXFSZ", () => {});
  const first = file === undefined ? undefined : await readKeyFile(file);
  const level = LEVELS.find((level) => level === Deno.env.get("CIRCUIT_LOG")) ?? "info";
  // The log goes into the directory only once it is certain that no other server writes there.
  const varDir = options.varDir === undefined ? undefined : await VarDir.take(options.varDir);
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => resolve());
  });
  // A signal during start-up stops what has been started by then.
  for (const signal of SIGNALS) {
    listen(ending, signal, () => {
      if (stop.signal.aborted) return server?.hurry();
      log("info", `stopping: ${signal}`);
      stop.abort();
    });
  }
  const faultMs = graceOf(options) * 1000 + FAULT_MS;
  let status = 0;
  ending.defer(onFault((error) => {
    status = 1;
    const told = error instanceof Error && error.stack ? error.stack : String(error);
    const line = told.replace(/\s*\n\s*/g, " ");
    log("error", `stopping after a fault of the circuit itself, please report it: ${line}`);
    if (!stop.signal.aborted) setTimeout(() => Deno.exit(status), faultMs);
    stop.abort();
  }));
  // Last, so that it ends first: until what waits is written, signals and faults are harmless.
  logger = setUpLog({ level, ...(varDir ? { file: varDir.logFile } : {}) });
  ending.defer(() => logger?.close());
  const keys = first && takeKeys(first, log);
  const settings = { ...options, ...(keys && { keys }), log };
  server = await launch(settings, varDir, stop.signal, new OpenFiles(log)).catch((error) => {
    if (!stop.signal.aborted) throw error;
  });
  if (!server) return status;
  ending.use(server);
  if (Deno.pid === 1) log("warn", FIRST_PROCESS);
  await print(server.address);
  const { address } = server;
  ending.defer(await keepHouse(hostClock(parseAddress(address).host), server.held.bind(server)));
  await Promise.race([server.closed, stopped]);
  await server.stop();
  return status;
}

function listen(ending: AsyncDisposableStack, signal: Deno.Signal, callback: () => void): void {
  Deno.addSignalListener(signal, callback);
  ending.defer(() => Deno.removeSignalListener(signal, callback));
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
