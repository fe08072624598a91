/**
 * From a request to the element that answers it, here or on another server.
 *
 * @module
 */

import { anchorDescription, rootDescription } from "../elements/anchor/description.ts";
import type { Call, Description, Handlers, Methods } from "../elements/mod.ts";
import { parsePath } from "../elements/path.ts";
import { CircuitError, toCircuitError } from "../overlay/errors.ts";
import { Flag } from "../overlay/transport/frame.ts";
import { relay } from "../overlay/transport/relay.ts";
import type { Incoming, Session } from "../overlay/transport/session.ts";
import type { AnchorNode, AnchorTree } from "./anchors.ts";
import type { Log } from "./log.ts";

/** What requests are dispatched to. */
export interface Services {
  /** This server's ID. */
  readonly serverId: string;
  readonly tree: AnchorTree;
  /** The behaviour of anchors; the anchor itself is told by its path's components. */
  readonly anchor: (names: readonly string[], path: string) => Handlers<
    typeof anchorDescription["methods"]
  >;
  /** The behaviour of the root. */
  readonly root: Handlers<typeof rootDescription["methods"]>;
  /** A connection to another server. */
  readonly session: (id: string) => Session | Promise<Session>;
  readonly log: Log;
}

/** Most characters of what the log says that a call does. */
const MAX_DEED_CHARS = 300;

type AnyHandlers = Record<string, (args: unknown, call: Call) => unknown>;

/** A method that there is, as requests name it. */
interface Method {
  readonly description: Description;
  readonly name: string;
  readonly spec: Methods[string];
}

/** Answers requests. */
export class Dispatcher {
  readonly #services: Services;
  readonly #prefix: string;
  /** Those that were called, by their full names. */
  readonly #methods = new Map<string, Method>();

  constructor(services: Services) {
    this.#services = services;
    this.#prefix = `/${services.serverId}`;
  }

  /** Takes a request; whatever goes wrong goes to the caller. */
  request(incoming: Incoming): void {
    const { path } = incoming;
    const mine = path.startsWith(this.#prefix) &&
      (path.length === this.#prefix.length || path[this.#prefix.length] === "/");
    if (mine || path === "/") this.#answer(incoming, path);
    else this.#passOn(incoming);
  }

  /** A request for another server goes there as it came, and no further. */
  #passOn(incoming: Incoming): void {
    const { path, method } = incoming;
    const [server] = parsePath(path);
    if (server === undefined || server === this.#services.serverId) {
      return this.#answer(incoming, path);
    }
    if (incoming.flags & Flag.RELAYED) {
      throw new CircuitError(
        "SERVER_GONE",
        `cannot ${method} ${path}: server ${this.#services.serverId} was asked for it`,
      );
    }
    relay(incoming, this.#services.session(server));
  }

  #answer(incoming: Incoming, path: string): void {
    const call = incoming.session.accept(incoming);
    try {
      const known = this.#methods.get(incoming.method);
      const here = elementAt(this.#services.tree.at(path));
      // Where there is an element, the path needs no check: it was checked when that was made.
      const { description, handlers } = known && here?.description === known.description
        ? here
        : this.#target(incoming.method, path);
      const { name, spec } = known ?? this.#learn(description, incoming.method);
      const handler = handlers[name];
      if (!handler) throw unknown(incoming.method);
      // Decoded binary would alias the read buffer.
      const sent = incoming.args.length === 0 ? undefined : incoming.args.slice();
      const args: unknown = spec.args(sent && incoming.session.codec.decode(sent));
      const deed = spec.audit?.(args);
      if (deed !== undefined) this.#services.log("info", auditLine(deed, incoming));
      const result = handler(args, call);
      if (result instanceof Promise) {
        this.#settle(result, call, spec.streams === "none", incoming.method, path);
      } else if (spec.streams === "none") call.accept({ result, last: true });
    } catch (error) {
      call.fail(explain(error, incoming.method, path));
    }
  }

  /** Finds a method that was not called before; those that there are bound what is kept. */
  #learn(description: Description, method: string): Method {
    const name = method.slice(description.name.length + 1);
    const spec = Object.hasOwn(description.methods, name) ? description.methods[name] : undefined;
    if (!spec) throw unknown(method);
    const found = { description, name, spec };
    this.#methods.set(method, found);
    return found;
  }

  async #settle(
    result: Promise<unknown>,
    call: Call,
    reply: boolean,
    method: string,
    path: string,
  ): Promise<void> {
    try {
      const value = await result;
      if (reply) call.accept({ result: value, last: true });
    } catch (error) {
      call.fail(explain(error, method, path));
    }
  }

  #target(
    method: string,
    path: string,
  ): { description: Description<Methods>; handlers: AnyHandlers } {
    const prefix = method.slice(0, method.indexOf("."));
    const names = parsePath(path);
    if (prefix === rootDescription.name) {
      return { description: rootDescription, handlers: this.#services.root as AnyHandlers };
    }
    if (names.length === 0) {
      throw new CircuitError("BAD_REQUEST", `/ holds nothing: name an anchor below a server`);
    }
    if (prefix === anchorDescription.name) {
      const handlers = this.#services.anchor(names, path);
      return { description: anchorDescription, handlers: handlers as AnyHandlers };
    }
    const element = elementAt(this.#services.tree.find(names));
    if (!element) throw new CircuitError("NOT_FOUND", `there is no element at ${path}`);
    if (element.description.name !== prefix) {
      throw new CircuitError(
        "BAD_REQUEST",
        `${path} holds a ${element.kind}, which has no method ${method}`,
      );
    }
    return element;
  }
}

/**
 * Who asks for what. The address of a client that is connected to another server is known there only.
 */
function auditLine(deed: string, { path, flags, session: { peer } }: Incoming): string {
  const what = deed.length > MAX_DEED_CHARS ? `${deed.slice(0, MAX_DEED_CHARS)}…` : deed;
  const who = flags & Flag.RELAYED ? "a client, through server" : peer.role;
  return `${path}: ${what}, asked for by ${who} ${peer.address}`;
}

function elementAt(node: AnchorNode | undefined) {
  return node?.element === "making" ? undefined : node?.element;
}

function unknown(method: string): CircuitError {
  return new CircuitError("UNSUPPORTED", `this server knows no method ${method}`);
}

/** Errors of parsers know the value and not the call; everything else says enough by itself. */
function explain(error: unknown, method: string, path: string): CircuitError {
  const known = toCircuitError(error);
  if (known.code === "INTERNAL" || !known.message.includes(path)) {
    return new CircuitError(known.code, `${method} ${path}: ${known.message}`, { cause: known });
  }
  return known;
}
