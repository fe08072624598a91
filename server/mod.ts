/**
 * A circuit server, for programs that have one inside: the same that `circuit start` runs.
 *
 * @example
 * ```ts
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * console.log(server.address);
 * ```
 *
 * @module
 */

export { type CircuitServer, type ServerOptions, startServer } from "./server.ts";
export type { Log, LogLevel } from "./log.ts";
