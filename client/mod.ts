/**
 * The client library: dialling into a circuit and using it.
 *
 * @module
 */

export { dial } from "./client.ts";
export { connect, discover } from "./connect.ts";
export { findKeyFile, formatKey, newKey, readKeyFile } from "../overlay/transport/key.ts";
export type * from "./types.ts";
