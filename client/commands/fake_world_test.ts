/**
 * A world for commands under test: what is written is kept, and the circuit is made up.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Anchor, Client, Element, Entry } from "../types.ts";
import type { Command, Context, Where } from "./command.ts";
import type { World } from "./dispatch.ts";
import { Output } from "./output.ts";

/** What a test decides. */
export interface FakeOptions {
  stdin?: string | ReadableStream<Uint8Array>;
  /** Elements by path. */
  elements?: Record<string, Element>;
  entries?: readonly Entry[];
  /** Methods of every anchor. */
  anchor?: Partial<Anchor>;
  connect?: (where: Where, signal: AbortSignal) => Promise<Client>;
  debug?: boolean;
  write?: (bytes: Uint8Array) => Promise<number>;
}

/** The world, and what came of it. */
export class FakeWorld implements World {
  readonly debug: boolean;
  readonly errors: string[] = [];
  /** Paths and flags that connections and anchors were asked for. */
  readonly asked: unknown[] = [];
  closedClients = 0;
  readonly #options: FakeOptions;
  readonly #decoder = new TextDecoder();
  #interrupt: ((status: number) => void) | undefined;
  out = "";

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.debug = options.debug ?? false;
  }

  get err(): string {
    return this.errors.join("\n");
  }

  interrupt(status: number): void {
    this.#interrupt?.(status);
  }

  listen(callback: (status: number) => void): () => void {
    this.#interrupt = callback;
    return () => this.#interrupt = undefined;
  }

  context(commands: readonly Command[], signal: AbortSignal): Context {
    const { stdin = "", write, connect } = this.#options;
    const sink = {
      write: write ?? ((bytes: Uint8Array) => {
        this.out += this.#decoder.decode(bytes, { stream: true });
        return Promise.resolve(bytes.length);
      }),
    };
    return {
      commands,
      signal,
      stdin: typeof stdin === "string" ? ReadableStream.from([encode(stdin)]) : stdin,
      typed: false,
      stdout: new Output(sink),
      stderr: new Output({ write: (bytes) => Promise.resolve(bytes.length) }),
      watched: false,
      note: (line) => void this.errors.push(line),
      connect: connect ?? ((where) => {
        this.asked.push(where);
        return Promise.resolve(this.#client());
      }),
    };
  }

  #client(): Client {
    const closed = Promise.withResolvers<void>();
    const close = () => {
      this.closedClients++;
      closed.resolve();
      return Promise.resolve();
    };
    return {
      address: "circuit://127.0.0.1:1/1/Q88550014d4c82e4d",
      serverId: "X88550014d4c82e4d",
      closed: closed.promise,
      anchor: (path) => this.#anchor(path),
      servers: () => Promise.resolve([]),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #anchor(path: string): Anchor {
    const { elements = {}, entries = [], anchor } = this.#options;
    this.asked.push(path);
    const unexpected = () => Promise.reject(new CircuitError("INTERNAL", "not in this test"));
    return {
      path,
      name: path.split("/").at(-1) ?? "",
      serverId: undefined,
      walk: (...names) => this.#anchor([path, ...names].join("/")),
      view: unexpected,
      list: (options) => {
        this.asked.push({ recursive: options?.recursive, depthFirst: options?.depthFirst });
        return ReadableStream.from(entries);
      },
      get: () => Promise.resolve(elements[path]),
      makeProc: unexpected,
      makeChan: unexpected,
      makeOnJoin: unexpected,
      makeOnLeave: unexpected,
      makeNameserver: unexpected,
      makeContainer: unexpected,
      scrub: unexpected,
      ...anchor,
    };
  }
}

/** UTF-8. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** An element with some of its methods; the others must not be called. */
export function fake<E extends Element>(kind: E["kind"], methods: Partial<E>): E {
  return { ...methods, kind } as unknown as E;
}
