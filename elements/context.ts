/**
 * What the server that hosts an element gives to it.
 *
 * @module
 */

import type { Budget } from "../overlay/budget.ts";
import type { Launcher } from "./launch/launcher.ts";

/** What an element may know of the circuit. */
export interface CircuitView {
  /** The paths of the live servers, this one included, in order. */
  servers(): string[];
  /** Calls back with each server that comes or goes, in order; returns what ends that. */
  watch(callback: (event: "joined" | "left", path: string) => void): () => void;
}

/** What an element gets from the anchor that it is made at. */
export interface ElementContext {
  /** The path of the anchor, for messages. */
  readonly path: string;
  /** True: the element was made for as long as its maker is there, see `anchor.tie`. */
  readonly tied: boolean;
  /** Aborted when whoever makes the element needs it no more; of no meaning once it is made. */
  readonly signal: AbortSignal;
  /** What the elements of the server may hold of memory, all together. */
  readonly budget: Budget;
  /** Whether the server makes containers. */
  readonly docker: boolean;
  /** What starts the server's programs. */
  readonly launcher: Launcher;
  /** Removes the element from its anchor, as `scrub` does; no effect when it is gone already. */
  remove(): void;
  /** Writes a line to the server's log. */
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
}
