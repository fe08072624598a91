/**
 * What the elements of processes and of containers have in common: a program that runs, its three
 * pipes, and those who wait for its end.
 *
 * @module
 */

import type { Share } from "../../overlay/budget.ts";
import { CircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";
import type { Element } from "../describe.ts";
import { KeptOutput } from "./kept.ts";
import { type Output, SingleReaderOutput } from "./output.ts";
import { Stdin } from "./stdin.ts";
import type { Child } from "./survivors.ts";
import { Waiters } from "./waiters.ts";

/** What to record of something that runs outside the server. */
export type Identity = Omit<Child, "start">;

/** An element of something that runs outside the server, as the server sees it. */
export interface RunningElement extends Element {
  readonly kind: "proc" | "docker";
  /** Whether it has ended. */
  readonly ended: boolean;
  /**
   * What to record of it while it runs, besides when it started, so that it can be recognised after
   * a crash of the server; undefined if the system has no number for it.
   */
  identity(): Identity | undefined | Promise<Identity | undefined>;
  /**
   * Ends it: SIGTERM, then SIGKILL after the grace. Resolves when it has ended, at once if it has
   * already; never fails.
   *
   * @param graceMs Milliseconds between the two signals.
   */
  terminate(graceMs: number): Promise<void>;
}

/** Whether an element is of something that runs outside the server. */
export function isRunning(element: Element): element is RunningElement {
  return element.kind === "proc" || element.kind === "docker";
}

/** The pipes of a program. */
export interface Pipes {
  readonly stdin: Deno.ChildProcess["stdin"];
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
}

/** What {@linkcode Running} needs to know. */
export interface RunningOptions {
  /** The path of the anchor, for messages. */
  readonly path: string;
  /** What it is, for messages. */
  readonly what: "process" | "container";
  /** Bytes of each output stream to keep for any number of readers; 0 for one reader at a time. */
  readonly keep: number;
  /** The part of the server's budget that its output is in. */
  readonly share: Share;
  /** The element goes by itself when the program ends. */
  readonly scrub: boolean;
  /** Removes the element from its anchor. */
  remove(): void;
}

/** A running program, whose state at its end is a `Stat`. */
export class Running<Stat> {
  /** Resolves when all pipes are closed. */
  readonly closed: Promise<void>;
  readonly #options: RunningOptions;
  readonly #stdin: Stdin;
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #waiters = new Waiters<Stat>();
  #ended: { readonly stat: Stat } | { readonly lost: CircuitError } | undefined;
  /** Set once the element is gone from its anchor. */
  #gone: CircuitError | undefined;
  #removesItself = false;

  constructor(pipes: Pipes, options: RunningOptions) {
    const { path, keep, share } = options;
    this.#options = options;
    this.#stdin = new Stdin(`the stdin of ${path}`, pipes.stdin);
    this.#stdout = output(`the stdout of ${path}`, pipes.stdout, keep, share);
    this.#stderr = output(`the stderr of ${path}`, pipes.stderr, keep, share);
    this.closed = Promise.all([this.#stdin.closed, this.#stdout.closed, this.#stderr.closed])
      .then(() => {});
  }

  /**
   * Nothing, unless the element is gone.
   *
   * @throws {CircuitError} `ABORTED` if it is.
   */
  check(): void {
    if (this.#gone !== undefined) throw this.#gone;
  }

  /** Bytes of each output that are no longer kept. */
  get dropped(): { readonly stdout: number; readonly stderr: number } {
    return { stdout: this.#stdout.dropped, stderr: this.#stderr.dropped };
  }

  /** Lets the caller write to its standard input. */
  async stdin(call: Call): Promise<void> {
    this.check();
    await this.#stdin.serve(call);
  }

  /** Lets the caller read its standard output. */
  async stdout(call: Call): Promise<void> {
    this.check();
    await this.#stdout.serve(call);
  }

  /** Lets the caller read its standard error. */
  async stderr(call: Call): Promise<void> {
    this.check();
    await this.#stderr.serve(call);
  }

  /**
   * The state at its end, at once if it has ended already.
   *
   * @throws {CircuitError} what {@linkcode lost} was given, `ABORTED` if the element goes before.
   */
  wait(call: Call): Stat | Promise<Stat> {
    this.check();
    if (this.#ended === undefined) return this.#waiters.wait(call);
    if ("lost" in this.#ended) throw this.#ended.lost;
    return this.#ended.stat;
  }

  /**
   * It has ended.
   *
   * @param how As `exit status 1` or `signal: killed`; null for success.
   */
  finished(stat: Stat, how: string | null): void {
    this.#ended = { stat };
    this.#end(how ?? "exit status 0");
    this.#waiters.settle(stat);
    this.#removeItself();
  }

  /** It has ended, and nobody knows how. */
  lost(error: CircuitError): void {
    this.#ended = { lost: error };
    this.#end("nobody knows how");
    this.#waiters.fail(error);
    this.#removeItself();
  }

  /**
   * The element is gone from its anchor. Who uses the program gets ABORTED, and its output is thrown
   * away; if the element went by itself, those who read may read to the end.
   */
  dispose(): void {
    const { path, what } = this.#options;
    const gone = new CircuitError("ABORTED", `${path}: the ${what} was scrubbed`);
    this.#gone = gone;
    if (this.#removesItself) {
      this.#stdout.release();
      this.#stderr.release();
      return;
    }
    this.#stdin.abort(gone);
    this.#stdout.abort(gone);
    this.#stderr.abort(gone);
    this.#waiters.fail(gone);
  }

  #end(how: string): void {
    this.#stdin.exited(how);
    this.#stdout.exited();
    this.#stderr.exited();
  }

  #removeItself(): void {
    if (!this.#options.scrub || this.#gone !== undefined) return;
    this.#removesItself = true;
    this.#options.remove();
  }
}

function output(
  name: string,
  stream: ReadableStream<Uint8Array>,
  keep: number,
  share: Share,
): Output {
  return keep > 0
    ? new KeptOutput(name, stream, keep, share)
    : new SingleReaderOutput(name, stream, share);
}
