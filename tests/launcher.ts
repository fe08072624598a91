/**
 * Starts real servers, each in a process of its own on a port that the system picks.
 *
 * @module
 */

import { type Client, dial, type DialOptions } from "../mod.ts";
import { LineReader } from "./line_reader.ts";
import type { LogBuffer, Logs } from "./logs.ts";
import { environment, type Program, program } from "./program.ts";
import { until } from "./until.ts";

/** Milliseconds between SIGTERM and SIGKILL when a server is disposed of: 10 s. */
const STOP_MS = 10_000;

/** Milliseconds in which a server must be ready or have ended: 60 s. */
const READY_MS = 60_000;

/** Where servers listen if a test does not say. */
const HOST = "127.0.0.1";

/** How to start a server. */
export interface StartOptions {
  /** Keeps its log. */
  readonly logs: Logs;
  /** Further arguments of `circuit start`. */
  readonly args?: readonly string[];
  /** The value of `-a`; default: the loopback interface and a port that the system picks. */
  readonly listen?: string;
  /** Variables to add to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A line for `/bin/sh` that becomes the server, which it has as `"$@"`; default: none. */
  readonly shell?: string;
  /** What to run; default: what is under test, on this host. */
  readonly program?: Program;
}

/** A server in a process of its own. When it is disposed of it is stopped, in order if it can. */
export class RunningServer implements AsyncDisposable {
  /** Its address, `circuit://HOST:PORT/PID/Q…`. */
  readonly address: string;
  /** Its ID, `X` and 16 hex digits. */
  readonly id: string;
  /** The path of its own anchor. */
  readonly path: string;
  /** `HOST:PORT`. */
  readonly hostPort: string;
  /** The number of its process. */
  readonly pid: number;
  /** How it ended; never fails. */
  readonly status: Promise<Deno.CommandStatus>;
  /** The end of what it logged. */
  readonly log: LogBuffer;
  readonly #child: Deno.ChildProcess;
  readonly #stdout: LineReader;
  #ended = false;

  private constructor(
    address: string,
    child: Deno.ChildProcess,
    stdout: LineReader,
    log: LogBuffer,
  ) {
    const [, hostPort, hex] = /^circuit:\/\/(.+)\/\d+\/Q([0-9a-f]{16})$/.exec(address) ?? [];
    if (hostPort === undefined) {
      throw new Error(`the server's first line is no address: ${address}`);
    }
    this.address = address;
    this.id = `X${hex}`;
    this.path = `/X${hex}`;
    this.hostPort = hostPort;
    this.pid = child.pid;
    this.#child = child;
    this.#stdout = stdout;
    this.log = log;
    this.status = child.status.then((status) => {
      this.#ended = true;
      return status;
    });
  }

  /**
   * Starts a server, which is ready when this resolves.
   *
   * @throws {Error} with its log, if it ends before it is ready.
   */
  static async start(options: StartOptions): Promise<RunningServer> {
    const { command, args: first } = options.program ?? program();
    const where = options.listen ?? `${HOST}:0`;
    const { shell } = options;
    const args = [...first, "start", "-a", where, ...options.args ?? []];
    const child = new Deno.Command(shell === undefined ? command : "/bin/sh", {
      args: shell === undefined ? args : ["-c", shell, "sh", command, ...args],
      clearEnv: true,
      env: environment({ CIRCUIT_LOG: "debug", ...options.env }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = options.logs.add(`server, process ${child.pid}`, child.stderr);
    const stdout = new LineReader(child.stdout);
    const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
    const address = await stdout.line();
    clearTimeout(timer);
    if (address !== "") return new RunningServer(address, child, stdout, log);
    const { code } = await child.status;
    await log.ended;
    await stdout.cancel();
    throw new Error(`the server ended with status ${code} before it was ready:\n${log}`);
  }

  /** Sends it a signal, unless it has ended. */
  kill(signal: Deno.Signal): void {
    if (!this.#ended) this.#child.kill(signal);
  }

  /** Kills it without a word, and waits until it is dead. */
  async crash(): Promise<void> {
    this.kill("SIGKILL");
    await this.status;
  }

  /** Stops it: SIGTERM, and SIGKILL if that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    // One that was stopped by a signal takes no other before it is woken.
    this.kill("SIGCONT");
    const timer = setTimeout(() => this.kill("SIGKILL"), STOP_MS);
    await this.status;
    clearTimeout(timer);
    await this.#stdout.cancel();
    await this.log.ended;
  }
}

/** Servers that know of each other. All are stopped when it is disposed of. */
export class Cluster implements AsyncDisposable {
  /** In the order of their start. */
  readonly servers: readonly RunningServer[];

  /** @param servers Running, and in one circuit. */
  constructor(servers: readonly RunningServer[]) {
    this.servers = servers;
  }

  /** A server by the order of its start, from 0. */
  server(index: number): RunningServer {
    const server = this.servers[index];
    if (!server) throw new RangeError(`there is no server ${index}`);
    return server;
  }

  /** The server that a test dials into. */
  get near(): RunningServer {
    return this.server(0);
  }

  /** The one that it reaches through the first. */
  get far(): RunningServer {
    return this.server(1);
  }

  /** Stops all of them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

/** How to start a circuit. */
export interface ClusterOptions extends Omit<StartOptions, "listen"> {
  /** Values of `-a`, in the order of the servers. */
  readonly listen?: readonly string[];
}

/**
 * Starts servers that are all in one circuit, and know it.
 *
 * @param count How many.
 */
export async function cluster(count: number, options: ClusterOptions): Promise<Cluster> {
  const { listen = [], args = [], ...rest } = options;
  await using stack = new AsyncDisposableStack();
  const start = async (index: number, join: readonly string[]) => {
    const host = listen[index];
    const where = host === undefined ? {} : { listen: host };
    return stack.use(await RunningServer.start({ ...rest, ...where, args: [...join, ...args] }));
  };
  const first = await start(0, []);
  const others = Array.from({ length: count - 1 }, (_, i) => start(i + 1, ["-j", first.address]));
  // All have to be there, or to have failed, before any is disposed of.
  const started = (await Promise.allSettled(others)).map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
  const servers = [first, ...started];
  // This process may not be able to reach the others where a test has placed them.
  const within = options.listen === undefined ? servers : [first];
  await Promise.all(within.map((server) => untilSeen(server, servers)));
  stack.move();
  return new Cluster(servers);
}

/** Waits until a server lists all of these. */
export async function untilSeen(
  server: RunningServer,
  others: readonly RunningServer[],
  options?: DialOptions,
): Promise<void> {
  await using client = await dialTo(server, options);
  await until(
    `${server.id} to list ${others.length} servers`,
    async () => (await client.servers()).map(({ serverId }) => serverId),
    (seen) => others.every(({ id }) => seen.includes(id)),
  );
}

/** Connects with the library, as a program would. */
export function dialTo(server: RunningServer, options?: DialOptions): Promise<Client> {
  return dial(server.address, options);
}
