/**
 * How an element kind is described: once, and for everybody. Dispatch on the server, the typed
 * handles of the client and the labels of the command line all come from the same description.
 *
 * @module
 */

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

/** What all methods have. */
interface Method<A> {
  readonly args: Parser<A>;
  /**
   * For a method whose calls the server's log tells of, with who has made them: what a call does, as
   * `signal KILL`; undefined for a call that the log does not tell of. No secrets.
   */
  readonly audit?: (args: A) => string | undefined;
}

/** A method that takes a value and returns one. */
export interface Unary<A, R> extends Method<A> {
  readonly streams: "none";
  /** Only for its type: what the method returns. */
  readonly result?: R;
}

/** A method with bytes flowing up to the element, down to the caller, or both. */
export interface Streaming<A> extends Method<A> {
  readonly streams: "up" | "down" | "both";
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
export function unary<A, R>(args: Parser<A>, audit?: Unary<A, R>["audit"]): Unary<A, R> {
  return { streams: "none", args, ...(audit && { audit }) };
}

/** Describes a method with byte streams. */
export function streaming<A>(
  streams: "up" | "down" | "both",
  args: Parser<A>,
  audit?: Streaming<A>["audit"],
): Streaming<A> {
  return { streams, args, ...(audit && { audit }) };
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
