/**
 * Servers on the hosts of a laboratory, and what they know of each other.
 *
 * @module
 */

import { LineReader } from "../line_reader.ts";
import type { Logs } from "../logs.ts";
import { environment } from "../program.ts";
import { run } from "../tool.ts";
import type { Host } from "./lab.ts";
import { Timeline, Watcher } from "./timeline.ts";

/** Milliseconds in which a server must be ready or have ended: 60 s. */
const READY_MS = 60_000;

/** How many times the bound a test waits before it gives up, so that a failure tells by how much. */
const PATIENCE = 3;

/** A server on a host. */
export class LabServer {
  /** Where it runs. */
  readonly host: Host;
  /** Its address, `circuit://HOST:PORT/PID/Q…`. */
  readonly address: string;
  /** Its ID, `X` and 16 hex digits. */
  readonly id: string;
  /** The number of its process. */
  readonly pid: number;
  /** What it has seen. */
  readonly watcher: Watcher;
  readonly #child: Deno.ChildProcess;

  /** Made by {@linkcode Servers.start}. */
  constructor(host: Host, address: string, child: Deno.ChildProcess, watch: WatcherOf) {
    const [, hex] = /\/Q([0-9a-f]{16})$/.exec(address) ?? [];
    if (hex === undefined) throw new Error(`the server's first line is no address: ${address}`);
    this.host = host;
    this.address = address;
    this.id = `X${hex}`;
    this.pid = child.pid;
    this.#child = child;
    this.watcher = watch(this.id);
  }

  /** The path of its own anchor. */
  get path(): string {
    return `/${this.id}`;
  }

  /** `HOST:PORT`. */
  get hostPort(): string {
    return new URL(this.address.replace("circuit:", "http:")).host;
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }
}

type WatcherOf = (id: string) => Watcher;

/** How to start a server. */
export interface StartOptions {
  /** Further arguments of `circuit start`. */
  readonly args?: readonly string[];
  /** What its log tells; default `debug`. */
  readonly level?: "debug" | "info";
}

/** All servers of a test. They are killed when it is disposed of. */
export class Servers implements AsyncDisposable {
  readonly #logs: Logs;
  readonly #timeline = new Timeline();
  readonly #ends: (() => Promise<void>)[] = [];

  /** @param logs Keeps their logs. */
  constructor(logs: Logs) {
    this.#logs = logs;
  }

  /**
   * Starts a server, which is ready when this resolves.
   *
   * @throws {Error} with its log, if it ends before it is ready.
   */
  async start(host: Host, options: StartOptions = {}): Promise<LabServer> {
    const { command, args } = host.program();
    const child = new Deno.Command(command, {
      args: [...args, "start", "-insecure", ...options.args ?? ["-if", "eth0"]],
      clearEnv: true,
      env: environment({ CIRCUIT_LOG: options.level ?? "debug" }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const [shown, watched] = child.stderr.tee();
    const log = this.#logs.add(`server on ${host.namespace}, process ${child.pid}`, shown);
    const stdout = new LineReader(child.stdout);
    let ended = false;
    const status = child.status.then(() => void (ended = true));
    const kill = () => {
      if (!ended) child.kill("SIGKILL");
    };
    this.#ends.push(async () => {
      kill();
      await Promise.all([status, stdout.cancel(), log.ended]);
    });
    const timer = setTimeout(kill, READY_MS);
    const address = await stdout.line();
    clearTimeout(timer);
    if (address !== "") {
      return new LabServer(
        host,
        address,
        child,
        (id) => new Watcher(id, watched, this.#timeline.changed),
      );
    }
    await Promise.all([status, log.ended, watched.cancel()]);
    throw new Error(`the server on ${host.namespace} ended before it was ready:\n${log}`);
  }

  /** Starts a server on each of these hosts, in one circuit, and waits until all list all. */
  async circuit(hosts: readonly Host[]): Promise<LabServer[]> {
    const [seed, ...rest] = hosts;
    if (!seed) return [];
    const first = await this.start(seed);
    const args = ["-if", "eth0", "-j", first.address];
    const others = await Promise.all(rest.map((host) => this.start(host, { args })));
    const all = [first, ...others];
    await this.listed(all, all, Date.now(), READY_MS);
    return all;
  }

  /**
   * Waits until each of these servers lists exactly those.
   *
   * @param since When it began, in ms since 1970.
   * @param boundMs In which it should be so.
   * @returns milliseconds that it took the last of them.
   */
  async listed(
    servers: readonly LabServer[],
    wanted: readonly LabServer[],
    since: number,
    boundMs: number,
  ): Promise<number> {
    const ids = wanted.map(({ id }) => id);
    const right = ({ listed }: Watcher) =>
      listed.size === ids.length && ids.every((id) => listed.has(id));
    const last = await this.#timeline.until(
      `${servers.length} servers to list just ${ids.join(", ")}`,
      PATIENCE * boundMs,
      () => {
        if (!servers.every(({ watcher }) => right(watcher))) return undefined;
        return Math.max(...servers.map(({ watcher }) => watcher.events.at(-1)?.at ?? since));
      },
      () => Object.fromEntries(servers.map(({ id, watcher }) => [id, [...watcher.listed]])),
    );
    return Math.max(0, last - since);
  }

  /**
   * Waits until each of these servers has seen that one go.
   *
   * @returns milliseconds after `since` at which the first of them and the last of them did.
   */
  async gone(
    servers: readonly LabServer[],
    lost: LabServer,
    since: number,
    boundMs: number,
  ): Promise<{ first: number; last: number }> {
    const seen = () => servers.map(({ watcher }) => watcher.first("left", lost.id, since));
    return await this.#timeline.until(
      `${lost.id} to be gone at ${servers.length} servers`,
      PATIENCE * boundMs,
      () => {
        const times = seen().flatMap((at) => at === undefined ? [] : [at - since]);
        if (times.length < servers.length) return undefined;
        return { first: Math.min(...times), last: Math.max(...times) };
      },
      seen,
    );
  }

  /** Kills them all, and waits until they are dead. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#ends.map((end) => end()));
  }
}

/** What the tool lists on a host, when it asks the server there: IDs, sorted. */
export async function listing(server: LabServer): Promise<string[]> {
  const program = server.host.program();
  const text = await run(["ls", "-d", server.hostPort, "/"], { program });
  return text.split("\n").filter((line) => line !== "").map((path) => path.slice(1));
}

/** The IDs of these servers, sorted. */
export function idsOf(servers: readonly LabServer[]): string[] {
  return servers.map(({ id }) => id).sort();
}
