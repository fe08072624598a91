/**
 * The kinds of element that a server can hold, and what they have in common.
 *
 * @module
 */

export { type Call, signalOf } from "./call.ts";
export type { CircuitView, ElementContext } from "./context.ts";
export type { Args, Description, Element, Handlers, Kind, Methods } from "./describe.ts";
export { type ElementKind, KINDS } from "./kinds.ts";
