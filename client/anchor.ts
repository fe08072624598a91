/**
 * Anchors, as the client sees them.
 *
 * @module
 */

import { anchorDescription, rootDescription } from "../elements/anchor/description.ts";
import { checkComponent, formatPath, MAX_COMPONENTS } from "../elements/path.ts";
import { CircuitError } from "../overlay/errors.ts";
import { call, open, type Target } from "./call.ts";
import { ChanHandle } from "./chan.ts";
import { ContainerHandle } from "./container.ts";
import { NameserverHandle } from "./nameserver.ts";
import { ProcHandle } from "./proc.ts";
import { readPairs } from "./records.ts";
import type { Router } from "./router.ts";
import { scrub } from "./scrub.ts";
import { ServerHandle } from "./server.ts";
import { SubscriptionHandle } from "./subscription.ts";
import { READ_WINDOW_BYTES } from "./streams.ts";
import type {
  Anchor,
  CallOptions,
  Chan,
  Cmd,
  Container,
  ContainerRun,
  Element,
  Entry,
  Kind,
  ListOptions,
  MakeOptions,
  Nameserver,
  Proc,
  Subscription,
} from "./types.ts";

/** How a handle of each kind is made from its anchor. */
const HANDLES: Readonly<Record<Kind, (target: Target) => Element>> = {
  server: (target) => new ServerHandle(target),
  proc: (target) => new ProcHandle(target),
  chan: (target) => new ChanHandle(target),
  dns: (target) => new NameserverHandle(target),
  docker: (target) => new ContainerHandle(target),
  "@join": (target) => new SubscriptionHandle("@join", target),
  "@leave": (target) => new SubscriptionHandle("@leave", target),
};

/** A name in the tree. */
export class AnchorHandle implements Anchor, Target {
  readonly path: string;
  readonly name: string;
  readonly serverId: string | undefined;
  readonly router: Router;
  readonly #names: readonly string[];

  /** @param names The path's components, which must be valid. */
  constructor(router: Router, names: readonly string[]) {
    this.router = router;
    this.#names = names;
    this.path = formatPath(names);
    this.name = names.at(-1) ?? "";
    this.serverId = names[0];
  }

  walk(...names: string[]): Anchor {
    for (const name of names) checkComponent(name);
    const all = [...this.#names, ...names];
    if (all.length > MAX_COMPONENTS) {
      throw new CircuitError(
        "BAD_REQUEST",
        `cannot walk ${all.length} components deep: at most ${MAX_COMPONENTS} are allowed`,
      );
    }
    return new AnchorHandle(this.router, all);
  }

  async view(options?: CallOptions): Promise<Map<string, Anchor>> {
    const children = new Map<string, Anchor>();
    const base = this.serverId === undefined ? 1 : this.path.length + 1;
    for await (const { path } of this.list({ signal: options?.signal })) {
      const name = path.slice(base);
      children.set(name, new AnchorHandle(this.router, [...this.#names, name]));
    }
    return children;
  }

  async *list(options?: ListOptions): AsyncGenerator<Entry> {
    if (this.serverId !== undefined) return yield* this.#below(options);
    for (const server of await this.servers(options)) {
      const entry: Entry = { path: server.path, kind: "server" };
      if (!options?.depthFirst) yield entry;
      if (options?.recursive) yield* server.#belowIfThere(options);
      if (options?.depthFirst) yield entry;
    }
  }

  async get(options?: CallOptions): Promise<Element | undefined> {
    if (this.serverId === undefined) return undefined;
    const kind = await call(this, anchorDescription, "get", undefined, options);
    return kind === null ? undefined : this.#handle(kind);
  }

  async makeProc(cmd: Cmd, options?: MakeOptions): Promise<Proc> {
    await this.#make("proc", cmd, options);
    return new ProcHandle(this);
  }

  async makeChan(capacity = 0, options?: CallOptions): Promise<Chan> {
    await this.#make("chan", capacity, options);
    return new ChanHandle(this);
  }

  async makeOnJoin(options?: CallOptions): Promise<Subscription> {
    await this.#make("@join", undefined, options);
    return new SubscriptionHandle("@join", this);
  }

  async makeOnLeave(options?: CallOptions): Promise<Subscription> {
    await this.#make("@leave", undefined, options);
    return new SubscriptionHandle("@leave", this);
  }

  async makeNameserver(address?: string, options?: CallOptions): Promise<Nameserver> {
    await this.#make("dns", address, options);
    return new NameserverHandle(this);
  }

  async makeContainer(run: ContainerRun, options?: MakeOptions): Promise<Container> {
    await this.#make("docker", run, options);
    return new ContainerHandle(this);
  }

  scrub(options?: CallOptions): Promise<void> {
    return scrub(this, options);
  }

  /** The servers of the circuit, as the dial-in server knows them. */
  async servers(options: CallOptions | undefined): Promise<AnchorHandle[]> {
    const method = `${rootDescription.name}.servers`;
    const root: Target = { router: this.router, path: "/", serverId: undefined };
    const stream = await open(root, method, { end: true, window: READ_WINDOW_BYTES }, options);
    await stream.reply();
    const servers: AnchorHandle[] = [];
    for await (const [id] of readPairs(stream)) servers.push(new AnchorHandle(this.router, [id]));
    return servers;
  }

  async *#below(options: ListOptions | undefined): AsyncGenerator<Entry> {
    const { recursive = false, depthFirst = false, signal } = options ?? {};
    const method = `${anchorDescription.name}.list`;
    const args = { recursive, depthFirst };
    const request = { args, end: true, window: READ_WINDOW_BYTES };
    const stream = await open(this, method, request, { signal });
    await stream.reply();
    for await (const [kind, path] of readPairs(stream)) {
      yield { path: `${this.path}/${path}`, kind: kind === "" ? undefined : kind as Kind };
    }
  }

  /** A server that goes while the circuit is being listed has nothing below it any more. */
  async *#belowIfThere(options: ListOptions): AsyncGenerator<Entry> {
    try {
      yield* this.#below(options);
    } catch (error) {
      const gone = error instanceof CircuitError && error.code === "SERVER_GONE";
      if (!gone || options.signal?.aborted) throw error;
    }
  }

  async #make(kind: string, value: unknown, options: MakeOptions | undefined): Promise<void> {
    const args = { kind, value };
    if (!options?.tied) return await call(this, anchorDescription, "make", args, options);
    const tie = await open(this, `${anchorDescription.name}.tie`, { args }, options);
    await tie.reply();
    // The server ends it when the element has gone before.
    tie.read().then(() => tie.end(), () => {});
  }

  #handle(kind: Kind): Element {
    // A newer server may have other kinds.
    if (Object.hasOwn(HANDLES, kind)) return HANDLES[kind](this);
    throw new CircuitError(
      "UNSUPPORTED",
      `${this.path} holds an element of kind ${kind}, which this client does not know`,
    );
  }
}
