/**
 * The name server element's door: what the rest of the project may use of it.
 *
 * @module
 */

export { nameserverDescription, type NameserverStat, parseEndpoint } from "./description.ts";
export { makeNameserver } from "./load.ts";
