/**
 * A running server: everything put together, started and stopped in order.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import type { CircuitView, Element } from "../elements/mod.ts";
import { type ConnectionFacts, makeServerElement } from "../elements/server/mod.ts";
import { type FilesLimit, Launcher } from "../elements/launch/mod.ts";
import { Budget } from "../overlay/budget.ts";
import { formatAddress, formatHostPort, newServerId, parseAddress } from "../overlay/address.ts";
import { cancelled, CircuitError, toCircuitError } from "../overlay/errors.ts";
import { Announcer } from "../overlay/discovery/mod.ts";
import { Membership } from "../overlay/membership/mod.ts";
import { Node } from "../overlay/node.ts";
import { AlignedClock, hostOrigin } from "../overlay/transport/aligned_clock.ts";
import { checkKey } from "../overlay/transport/key.ts";
import type { Session } from "../overlay/transport/session.ts";
import type { Listener } from "../overlay/transport/network.ts";
import { tcp } from "../overlay/transport/tcp.ts";
import { AnchorTree, pathOf } from "./anchors.ts";
import { Children } from "./children.ts";
import { Dispatcher } from "./dispatch.ts";
import { anchorHandlers, rootHandlers } from "./handlers.ts";
import { joinAll } from "./join.ts";
import { logKeys } from "./keys.ts";
import { chooseListen, remarkOn } from "./listen.ts";
import { harmless, type Log } from "./log.ts";
import { defaultBudget } from "./memory_limit.ts";
import { VarDir } from "./var_dir.ts";

/** Least bytes of {@linkcode ServerOptions.memory}: 1 MiB. */
export const MIN_MEMORY_BYTES = 1024 * 1024;

/** Seconds between SIGTERM and SIGKILL when a server stops, by default. */
export const GRACE_S = 10;

/** Most seconds of {@linkcode ServerOptions.grace}: a day. */
export const MAX_GRACE_S = 86_400;

/** Milliseconds that an element which is being made may take to be given up when the server stops. */
const GIVE_UP_MS = 5_000;

/**
 * How to start a server.
 *
 * @example A server that only this machine can reach, and its log
 * ```ts
 * import { type ServerOptions, startServer } from "jsr:@circuit/cli/server";
 *
 * const lines: string[] = [];
 * const options: ServerOptions = {
 *   addr: "127.0.0.1:0",
 *   log: (level, message) => lines.push(`${level} ${message}`),
 * };
 * await using server = await startServer(options);
 * console.assert(lines.some((line) => line.includes(server.address)));
 * ```
 */
export interface ServerOptions {
  /**
   * Where to listen: `HOST:PORT`, or `HOST` alone to have a port picked. Default: all interfaces,
   * advertising the first address that is not loopback.
   */
  readonly addr?: string;
  /** The network interface to listen on, instead of `addr`. */
  readonly interface?: string;
  /**
   * Addresses of servers whose circuit to join, `circuit://…` or `HOST:PORT`; this server's own counts
   * as one that is there. If none of them can be reached for 2 s, the server does not start; those
   * that cannot while others can are tried again as long as it runs. Default: none.
   */
  readonly join?: string | readonly string[];
  /**
   * The multicast group, `GROUP:PORT`, on which to make the server known and to find others; their
   * circuits are joined as they are found. Default: none.
   */
  readonly discover?: string;
  /**
   * The circuit's secret keys, 64 bytes each: the first is used to dial, all are accepted. Default:
   * none, and nothing is encrypted.
   */
  readonly keys?: readonly Uint8Array[];
  /** Do not warn that others can use a server without a key. Default false. */
  readonly insecure?: boolean;
  /** A directory of the server's own, for its lock and the list of its children. Default: none. */
  readonly varDir?: string;
  /** Make containers, with `docker` or `podman`, for whoever asks. Default false. */
  readonly docker?: boolean;
  /**
   * Seconds between SIGTERM and SIGKILL for the processes and containers of its elements when it
   * stops, from 0 to {@linkcode MAX_GRACE_S}. Default {@linkcode GRACE_S}.
   */
  readonly grace?: number;
  /**
   * Bytes that the server may hold for its clients: messages, what processes have printed, what waits
   * to be read on either side, and open calls. What finds no room gets BUSY. At least
   * {@linkcode MIN_MEMORY_BYTES}. Default: half of the machine's memory, or of the least limit of the
   * process's cgroups; 512 MiB if neither can be read.
   */
  readonly memory?: number;
  /** Takes the lines of the server's log. Default: nobody does. */
  readonly log?: Log;
}

/**
 * A server that is running. `await using` stops it.
 *
 * @example Run until somebody stops the server, here or from elsewhere
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { type CircuitServer, startServer } from "jsr:@circuit/cli/server";
 *
 * const server: CircuitServer = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const element = await client.anchor(`/${server.serverId}`).get();
 * if (element?.kind === "server") await element.suicide();
 * await server.closed;
 * ```
 */
export interface CircuitServer extends AsyncDisposable {
  /** Its address, `circuit://HOST:PORT/PID/Q…`. */
  readonly address: string;
  /** Its ID, `X` and 16 hex digits. */
  readonly serverId: string;
  /** Resolves once the server has stopped, whoever stopped it. */
  readonly closed: Promise<void>;
  /**
   * Goes on with other keys. Connections that there are stay.
   *
   * @param keys As in {@linkcode ServerOptions}; at least one if the server has a key, else none.
   * @throws {CircuitError} `BAD_REQUEST` if one is not a key, or they come or go altogether.
   */
  setKeys(keys: readonly Uint8Array[]): Promise<void>;
  /**
   * Leaves the circuit, which the other servers see at once, then ends the processes and containers
   * of its elements: SIGTERM, and SIGKILL for those that have not ended after the grace, see
   * {@linkcode ServerOptions.grace}. Resolves when all is done; stopping twice is harmless.
   */
  stop(): Promise<void>;
}

/**
 * Starts a server and joins it to the circuits it is told to join.
 *
 * @param options Where to listen, whom to join.
 * @returns the server, listening and joined.
 * @throws {CircuitError} `BUSY` if the port or the directory is in use, `BAD_REQUEST` for an address
 * or interface that this machine does not have, a key that is none, or too little memory;
 * `UNREACHABLE`, `TIMEOUT` or `PROTOCOL` if no server to join can be reached, `DENIED` if one has no
 * key, or another. Nothing is left running then.
 *
 * @example Two servers in one program, in one circuit
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using one = await startServer({ addr: "127.0.0.1:0" });
 * await using two = await startServer({ addr: "127.0.0.1:0", join: one.address });
 *
 * await using client = await dial(two.address);
 * console.assert((await client.servers()).length === 2);
 * ```
 */
export async function startServer(options: ServerOptions = {}): Promise<CircuitServer> {
  const varDir = options.varDir === undefined ? undefined : await VarDir.take(options.varDir);
  return await launch(options, varDir);
}

/** A server that runs, for the one that runs it. */
export interface Launched extends CircuitServer {
  /** Cuts short what a stop waits for: SIGKILL at once to what has not ended yet. */
  hurry(): void;
  /** Bytes that the server holds for its clients. */
  held(): number;
}

/**
 * {@linkcode startServer} with a directory that was taken before. It is given back when the server
 * stops or cannot start.
 *
 * @param signal Gives up joining others: the server is stopped then.
 * @param files Looks after the open files of this process; none: nobody does.
 * @throws {CircuitError} as {@linkcode startServer}; `ABORTED` if the signal is aborted before the
 * server is ready.
 */
export async function launch(
  options: ServerOptions,
  varDir: VarDir | undefined,
  signal: AbortSignal = new AbortController().signal,
  files?: FilesLimit,
): Promise<Launched> {
  const log = harmless(options.log ?? (() => {}));
  let server: RunningServer | undefined;
  let listener: Listener | undefined;
  try {
    options.keys?.forEach(checkKey);
    graceOf(options);
    checkMemory(options.memory);
    const interfaces = Deno.networkInterfaces();
    const where = chooseListen(options, interfaces);
    listener = tcp.listen(where.host, where.port);
    const serverId = newServerId();
    const address = formatAddress({
      host: where.advertise,
      port: listener.port,
      pid: Deno.pid,
      id: serverId,
    });
    server = new RunningServer({ serverId, address, listener, log, varDir, options, files });
    await warnOfSurvivors(varDir, log);
    await logKeys(options, where.host, log);
    const seeds = typeof options.join === "string" ? [options.join] : options.join ?? [];
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    await Promise.race([joinAll(server.node, seeds, log, signal), aborted.promise]);
    if (signal.aborted) throw cancelled("starting a server", signal);
    server.announcer?.start();
    log("info", `listening on ${formatHostPort(where.host, listener.port)} as ${address}`);
    const remark = remarkOn(where, interfaces);
    if (remark) log(remark.level, remark.text);
    return server;
  } catch (error) {
    listener?.close();
    if (server) await server.stop();
    else await varDir?.[Symbol.asyncDispose]();
    throw error;
  }
}

function checkMemory(memory: number | undefined): void {
  if (memory === undefined || (Number.isSafeInteger(memory) && memory >= MIN_MEMORY_BYTES)) return;
  throw new CircuitError(
    "BAD_REQUEST",
    `cannot start a server with ${memory} bytes of memory for its clients: want a whole number, ` +
      `${MIN_MEMORY_BYTES} at least`,
  );
}

async function warnOfSurvivors(varDir: VarDir | undefined, log: Log): Promise<void> {
  for (const child of await varDir?.survivors() ?? []) {
    log(
      "warn",
      `process ${child.pid} (${
        child.command.join(" ")
      }), of ${child.path} of the server that had this ` +
        `directory before, is still running, and no element controls it`,
    );
  }
}

/**
 * Seconds between SIGTERM and SIGKILL when the server stops.
 *
 * @throws {CircuitError} `BAD_REQUEST` for what is not a number from 0 to {@linkcode MAX_GRACE_S}.
 */
export function graceOf({ grace = GRACE_S }: Pick<ServerOptions, "grace">): number {
  if (grace >= 0 && grace <= MAX_GRACE_S) return grace;
  throw new CircuitError(
    "BAD_REQUEST",
    `cannot start a server with a grace of ${grace}: want seconds from 0 to ${MAX_GRACE_S}`,
  );
}

interface Parts {
  readonly serverId: string;
  readonly address: string;
  readonly listener: ReturnType<typeof tcp.listen>;
  readonly log: Log;
  readonly varDir: VarDir | undefined;
  readonly options: ServerOptions;
  readonly files: FilesLimit | undefined;
}

class RunningServer implements Launched {
  readonly address: string;
  readonly serverId: string;
  readonly node: Node;
  announcer: Announcer | undefined;
  readonly #parts: Parts;
  readonly #tree: AnchorTree;
  readonly #children: Children;
  readonly #launcher: Launcher;
  readonly #making = new Set<Promise<Element>>();
  readonly #budget: Budget;
  readonly #closed = Promise.withResolvers<void>();
  #keys: readonly Uint8Array[];
  #stopping = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { serverId, address, log } = parts;
    this.address = address;
    this.serverId = serverId;
    this.#keys = parts.options.keys ?? [];
    this.#launcher = new Launcher({ files: parts.files });
    this.#children = new Children(graceOf(parts.options) * 1000, parts.varDir, log);
    this.#tree = new AnchorTree(serverId, (element, how) => this.#children[how](element));
    this.#budget = new Budget(parts.options.memory ?? defaultBudget());
    const host = {
      tree: this.#tree,
      circuit: this.#circuit(),
      log,
      budget: this.#budget,
      docker: parts.options.docker ?? false,
      launcher: this.#launcher,
      making: this.#making,
      ending: (work: Promise<void>) => this.#children.ending(work),
    };
    const dispatcher = new Dispatcher({
      serverId,
      tree: this.#tree,
      anchor: (names, path) => anchorHandlers(host, names, path),
      root: rootHandlers(() => this.node.members()),
      session: (id) => this.node.session(id),
      log,
    });
    // First, since a group that is none throws.
    this.announcer = this.#announcer();
    const beatAt = hostOrigin(parseAddress(address).host);
    this.node = new Node({
      network: tcp,
      listener: parts.listener,
      self: { id: serverId, address },
      membership: (self) =>
        new Membership(self, { now: performance.now(), random: Math.random, beatAt }),
      clock: new AlignedClock(beatAt),
      budget: this.#budget,
      onRequest: (incoming) => dispatcher.request(incoming),
      keys: () => this.#keys,
      onConnection: () => parts.files?.note(),
      log,
    });
    this.#tree.fill(this.#tree.reserve([serverId], `/${serverId}`), this.#serverElement());
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async setKeys(keys: readonly Uint8Array[]): Promise<void> {
    keys.forEach(checkKey);
    if ((keys.length > 0) !== (this.#keys.length > 0)) {
      throw new CircuitError(
        "BAD_REQUEST",
        "a server that runs cannot begin or cease to have a key: start it anew",
      );
    }
    this.#keys = keys;
    await logKeys({ keys, insecure: true }, "", this.#parts.log);
    const before = this.announcer;
    if (!before || this.#stopping) return;
    this.announcer = this.#announcer();
    await before.stop();
    if (!this.#stopping) this.announcer?.start();
  }

  async stop(): Promise<void> {
    if (this.#stopping) return this.closed;
    this.#stopping = true;
    const { log, varDir } = this.#parts;
    try {
      await Promise.all([
        // First, for without connections elements go that were tied to one.
        this.#children.terminate(),
        this.announcer?.stop(),
        this.node.stop(),
      ]);
      await this.#giveUpMaking();
      for (const element of this.#tree.elements()) await element.dispose();
      await varDir?.[Symbol.asyncDispose]();
      log("debug", "stopped");
    } catch (error) {
      log("error", `while stopping: ${toCircuitError(error).message}`);
    } finally {
      this.#closed.resolve();
    }
    return this.closed;
  }

  held(): number {
    return this.#budget.used;
  }

  hurry(): void {
    if (this.#stopping) this.#children.hurry();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Whoever makes an element is disconnected by now, so it is given up, or is there soon. */
  async #giveUpMaking(): Promise<void> {
    if (this.#making.size === 0) return;
    let timer;
    const late = new Promise((resolve) => timer = setTimeout(resolve, GIVE_UP_MS));
    await Promise.race([Promise.allSettled(this.#making), late]);
    clearTimeout(timer);
    await this.#children.terminate();
  }

  #announcer(): Announcer | undefined {
    const { options: { discover: group, interface: name }, log, address, serverId } = this.#parts;
    if (group === undefined) return undefined;
    const self = { id: serverId, address };
    const announcer = new Announcer({
      group,
      self,
      interface: name,
      log,
      ...(this.#keys.length > 0 && { key: this.#keys }),
    });
    announcer.onServer(({ id, address }) => {
      if (this.node.member(id)) return;
      this.node.join(address).catch((error) => {
        log(
          "debug",
          `cannot join ${address}, which was heard of: ${toCircuitError(error).message}`,
        );
      });
    });
    return announcer;
  }

  #circuit(): CircuitView {
    return {
      servers: () => this.node.members().map(({ id }) => `/${id}`),
      watch: (callback) => this.node.onEvent(({ type, member }) => callback(type, `/${member.id}`)),
    };
  }

  #serverElement() {
    const began = performance.now();
    return makeServerElement({
      path: `/${this.serverId}`,
      address: this.address,
      started: new Date(),
      uptime: () => (performance.now() - began) / 1000,
      version: config.version,
      countElements: () => this.#tree.counts(),
      countMaking: () => this.#making.size,
      countAnchors: () => this.#tree.size,
      backlogs: () => backlogs(this.#tree),
      memory: () => ({ limit: this.#budget.limit, used: this.#budget.used, ...this.#budget.use }),
      connections: () => Array.from(this.node.sessions, connectionFacts),
      calls: () => [...this.node.sessions].flatMap((session) => [...session.purposes()]),
      members: () => this.node.members(),
      rejoin: (address) => this.node.join(address),
      suicide: () => void this.stop(),
    });
  }
}

function* backlogs(tree: AnchorTree): Generator<[path: string, waiting: number]> {
  for (const [node, { backlog }] of tree.located()) {
    if (backlog !== undefined) yield [pathOf(node), backlog];
  }
}

function connectionFacts({ peer, streamCount, traffic, bufferBytes }: Session): ConnectionFacts {
  const { role, id, address } = peer;
  return { role, id, address, streams: streamCount, ...traffic, buffers: bufferBytes };
}
