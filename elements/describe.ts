/**
 * How an element kind is described: once, and for everybody. Dispatch on the server, the typed
 * handles of the client and the labels of the command line all come from the same description.
 *
 * @module
 */

import type { Budget } from "../overlay/budget.ts";
import type { Call } from "./call.ts";

/**
 * The kinds of element that an anchor can hold.
 *
 * @example Count elements by kind
 * ```ts
 * import { dial, type Kind } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * await client.anchor(`/${server.serverId}/jobs`).makeChan();
 *
 * const counts = new Map<Kind, number>();
 * for await (const { kind } of client.anchor("/").list({ recursive: true })) {
 *   if (kind) counts.set(kind, (counts.get(kind) ?? 0) + 1);
 * }
 * console.assert(counts.get("server") === 1 && counts.get("chan") === 1);
 * ```
 */
export type Kind = "server" | "proc" | "chan" | "dns" | "docker" | "@join" | "@leave";

/**
 * Checks a value from the wire and gives it its type.
 *
 * @throws {CircuitError} `BAD_REQUEST`, saying what was wrong and what is wanted.
 */
export type Parser<T> = (value: unknown) => T;

/** A method that takes a value and returns one. */
export interface Unary<A, R> {
  readonly streams: "none";
  readonly args: Parser<A>;
  /** Only for its type: what the method returns. */
  readonly result?: R;
}

/** A method with bytes flowing up to the element, down to the caller, or both. */
export interface Streaming<A> {
  readonly streams: "up" | "down" | "both";
  readonly args: Parser<A>;
}

/** The methods of a kind, by name. */
// deno-lint-ignore no-explicit-any -- each method has argument and result types of its own
export type Methods = Record<string, Unary<any, any> | Streaming<any>>;

/** Everything that there is to know of an element kind but its behaviour. */
export interface Description<M extends Methods = Methods> {
  /** The kind's prefix in method names on the wire, as `chan` in `chan.send`. */
  readonly name: string;
  /** What makes an element of this kind, checked; undefined for one that nobody can make. */
  readonly methods: M;
}

/** The value that a unary method takes. */
export type Args<M> = M extends Unary<infer A, unknown> ? A
  : M extends Streaming<infer A> ? A
  : never;

/** The value that a unary method returns. */
export type Result<M> = M extends Unary<infer _A, infer R> ? R : void;

/**
 * The behaviour of a kind: a function a method. A unary one returns its result; a streaming one
 * answers with {@linkcode Call.accept} and moves bytes itself. What they throw goes to the caller.
 */
export type Handlers<M extends Methods> = {
  readonly [K in keyof M]: M[K] extends Unary<infer A, infer R>
    ? (args: A, call: Call) => R | Promise<R>
    : M[K] extends Streaming<infer A> ? (args: A, call: Call) => void | Promise<void>
    : never;
};

/** Describes a method without byte streams. `R` must be a plain value that MessagePack can hold. */
export function unary<A, R>(args: Parser<A>): Unary<A, R> {
  return { streams: "none", args };
}

/** Describes a method with byte streams. */
export function streaming<A>(streams: "up" | "down" | "both", args: Parser<A>): Streaming<A> {
  return { streams, args };
}

/** A living element, as the anchor that holds it sees it. */
export interface Element {
  readonly kind: Kind;
  /** Its kind's description. */
  readonly description: Description;
  /** Its behaviour; typed as {@linkcode Handlers} of its description where it is made. */
  // deno-lint-ignore no-explicit-any -- dispatch checks the arguments with the method's parser first
  readonly handlers: Record<string, (args: any, call: Call) => unknown>;
  /** Messages or events that wait in it; absent for what has no queue. */
  readonly backlog?: number;
  /**
   * The element is being removed from its anchor: whoever waits on it gets ABORTED, and what it
   * holds is let go. Called exactly once. Settles when nothing of it is left to do.
   */
  dispose(): void | Promise<void>;
}

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
  /** Removes the element from its anchor, as `scrub` does; no effect when it is gone already. */
  remove(): void;
  /** Writes a line to the server's log. */
  log(level: "debug" | "info" | "warn" | "error", message: string): void;
}
