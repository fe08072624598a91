/**
 * The server element's door: what the rest of the project may use of it.
 *
 * @module
 */

export { serverDescription, type ServerStat } from "./description.ts";
export type { ConnectionFacts, ServerFacts } from "./facts.ts";
export { makeServerElement, type ServerElement } from "./server.ts";
