/**
 * The public interfaces of the client library: what a client, an anchor and each kind of element
 * can do, and what they promise.
 *
 * Every call can fail with `SERVER_GONE` (the server that it is on has left, died or lost its
 * connection: known within a second where connections break, in under 5 s where a host falls silent;
 * every call fails exactly once), with `ABORTED` (its signal cancelled it, or the client was closed
 * under it), with `TIMEOUT` (its signal was that of `AbortSignal.timeout`) and with `CLOSED` (the
 * client was closed before). These four are not repeated below. All errors are
 * {@linkcode CircuitError}s; the `cause` of one that a signal made is the signal's reason.
 *
 * @module
 */

import type { Kind } from "../elements/describe.ts";
import type { ChanStat } from "../elements/chan/description.ts";
import type { ContainerRun, ContainerStat } from "../elements/container/description.ts";
import type { NameserverStat } from "../elements/dns/description.ts";
import type { Cmd, ProcStat } from "../elements/proc/description.ts";
import type { ServerStat } from "../elements/server/description.ts";
import type { SubscriptionStat } from "../elements/subscription/description.ts";

export type {
  ChanStat,
  Cmd,
  ContainerRun,
  ContainerStat,
  Kind,
  NameserverStat,
  ProcStat,
  ServerStat,
  SubscriptionStat,
};

/**
 * How to connect to a circuit.
 *
 * @example Give up after two seconds, and survive the loss of the dial-in server
 * ```ts
 * import { dial, type DialOptions } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 *
 * const options: DialOptions = { signal: AbortSignal.timeout(2_000), redial: true };
 * await using client = await dial(server.address, options);
 * console.assert(client.serverId === server.serverId);
 * ```
 *
 * @example With a key
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * const key = crypto.getRandomValues(new Uint8Array(64));
 * await using server = await startServer({ addr: "127.0.0.1:0", keys: [key] });
 *
 * await using client = await dial(server.address, { key });
 * console.assert((await client.servers()).length === 1);
 * ```
 */
export interface DialOptions {
  /**
   * The circuit's secret key: its 64 bytes, which a line of a key file has in base64
   * (`Uint8Array.fromBase64`). Everything is encrypted with it, and servers that do not have it are
   * refused. Default: none; then servers that have one are refused.
   */
  key?: Uint8Array | undefined;
  /**
   * The path of a file that holds the key, instead of `key`: its first one, as `circuit keygen` has
   * printed it. It is read once. Default: none.
   */
  keyFile?: string | undefined;
  /**
   * Gives up connecting. It has no effect on the client once there is one: that is closed with
   * {@linkcode Client.close}. Default: none, and no limit but those of the functions themselves.
   */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds for a search by multicast, and then for the servers that were found to answer;
   * default 5,000, and as many as dialling takes.
   */
  timeoutMs?: number | undefined;
  /**
   * True: when the dial-in server is lost, the client goes on with another one of the circuit; see
   * {@linkcode Client}. Default false: it is closed then.
   */
  redial?: boolean | undefined;
}

/**
 * What every call takes.
 *
 * @example Wait for a message, but not for ever
 * ```ts
 * import { type CallOptions, CircuitError, dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const jobs = await client.anchor(`/${server.serverId}/jobs`).makeChan();
 *
 * const options: CallOptions = { signal: AbortSignal.timeout(50) };
 * const message = await jobs.recvBytes(options).catch((error) => {
 *   if (error instanceof CircuitError && error.code === "TIMEOUT") return undefined;
 *   throw error;
 * });
 * console.assert(message === undefined);
 * ```
 */
export interface CallOptions {
  /**
   * Cancels the call and frees what it held on the server, as if it had never been made. For a call
   * that gives a stream it cancels the stream too. One signal may serve any number of calls: each
   * lets go of it when it is over. Default: none; then the call waits for as long as it takes.
   */
  signal?: AbortSignal | undefined;
}

/**
 * How to make an element.
 *
 * @example A process that ends with the program that has made it
 * ```ts
 * import { dial, type MakeOptions } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * const options: MakeOptions = { tied: true };
 * {
 *   await using client = await dial(server.address);
 *   const anchor = client.anchor(`/${server.serverId}/job`);
 *   await anchor.makeProc({ path: "sleep", args: ["1000"] }, options);
 * }
 * // The client is closed, and the process with it.
 * ```
 */
export interface MakeOptions extends CallOptions {
  /**
   * The element lasts no longer than its maker is there: it is removed, and a process is ended with
   * the processes that it has started (SIGTERM, then SIGKILL a second later), when the client is
   * closed, killed or cut off, and when the signal aborts, also after it was made. Scrubbing
   * the element ends the process too. Once the process has exited by itself and its pipes are closed,
   * what it has started lives on. So do daemons that have left its process group, unless the server's
   * host has control groups (cgroup v2) for it: there they get SIGKILL with the others. Default false: elements stay, processes run on.
   */
  tied?: boolean | undefined;
}

/**
 * What {@linkcode Anchor.list} lists, and in which order.
 *
 * @example Remove everything on a server, leaves first
 * ```ts
 * import { dial, type ListOptions } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const anchor = client.anchor(`/${server.serverId}`);
 * await anchor.walk("a").makeChan();
 * await anchor.walk("a", "b").makeChan();
 *
 * const options: ListOptions = { recursive: true, depthFirst: true };
 * const names = [];
 * for await (const { path } of anchor.list(options)) {
 *   names.push(path.slice(anchor.path.length));
 *   await client.anchor(path).scrub();
 * }
 * console.assert(names.join() === "/a/b,/a");
 * ```
 */
export interface ListOptions extends CallOptions {
  /** All that is below the anchor, not its children alone. Default false. */
  recursive?: boolean | undefined;
  /** With `recursive`: what is below an anchor comes before the anchor. Default false. */
  depthFirst?: boolean | undefined;
}

/**
 * A connection to a circuit through one of its servers, the dial-in server. It needs no port of its
 * own to listen on. A call on another server goes straight there where that server can be dialled,
 * and through the dial-in server where it cannot. Everything that a client gives out works until it
 * is closed.
 *
 * When the dial-in server is lost, calls that went through it fail with `SERVER_GONE`, each once. By
 * default the client is closed then. With {@linkcode DialOptions.redial} it goes on with another
 * server:
 *
 * - one that it has a connection to already, else one of those in the circuit, in an order of chance
 *   (it asks for them when it is dialled, and about every 5 s from then on; at most 1,024 are
 *   remembered), else the lost one, else one that {@linkcode discover} or {@linkcode connect} finds
 *   anew; whichever answers first;
 * - calls that go straight to other servers are not disturbed;
 * - calls made in the meantime wait for the other server, for at most 10 s; then they fail with
 *   `UNREACHABLE`, and the search goes on, with pauses of up to 5 s, until the client is closed;
 * - `address` and `serverId` are those of the other server from then on. Anchors and handles stay
 *   good: a path names its server.
 *
 * @example Run a program on every server
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using one = await startServer({ addr: "127.0.0.1:0" });
 * await using two = await startServer({ addr: "127.0.0.1:0", join: one.address });
 *
 * await using client = await dial(two.address);
 * for (const server of await client.servers()) {
 *   await using stack = new AsyncDisposableStack();
 *   const proc = await server.walk("job").makeProc({ path: "true" });
 *   stack.defer(() => proc.scrub());
 *   console.assert((await proc.wait()).exitCode === 0);
 * }
 * ```
 */
export interface Client extends AsyncDisposable {
  /**
   * Address of the dial-in server, `circuit://HOST:PORT/PID/Q…`. Where another one takes its place,
   * it is the lost one's until then.
   */
  readonly address: string;
  /** ID of the dial-in server, `X` and 16 hex digits; changes together with {@linkcode address}. */
  readonly serverId: string;
  /**
   * Resolves when the client is closed: by {@linkcode close}, or because its connection broke and it
   * does not redial. Never rejects.
   */
  readonly closed: Promise<void>;
  /**
   * The anchor with this path. No I/O: the anchor need not exist, nor its server.
   *
   * @param path `/`, or `/X…/any/names`. Repeated and trailing slashes do not count.
   * @throws {CircuitError} `BAD_REQUEST` if it is not a path.
   */
  anchor(path: string): Anchor;
  /** The anchors of all servers that are alive as far as the dial-in server knows, sorted by path. */
  servers(options?: CallOptions): Promise<Anchor[]>;
  /**
   * Ends the connection. Calls under way fail with `ABORTED`, calls from then on with `CLOSED`.
   * Elements stay, processes run on. Closing twice does nothing. `await using` closes it too.
   */
  close(): Promise<void>;
}

/**
 * A name in the tree of all servers. It holds no resource and never goes stale: anchors come into
 * being by being used, and go when neither they nor anything below them holds an element.
 *
 * The `make…` methods fail with `EXISTS` and change nothing where there is an element already, with
 * `BAD_REQUEST` at `/`, and with `NOT_FOUND` if the circuit has no such server; so does every
 * method that asks an anchor of a server that the circuit does not have.
 *
 * @example Make, find and remove elements
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const anchor = client.anchor(`/${server.serverId}`).walk("this", "is", "charlie");
 * await anchor.makeChan(3);
 * const element = await anchor.get();
 * console.assert(element?.kind === "chan");
 * await anchor.scrub();
 * console.assert(await anchor.get() === undefined);
 * ```
 */
export interface Anchor {
  /** `/`, or `/X…/any/names`. */
  readonly path: string;
  /** The last component of the path; empty for `/`. */
  readonly name: string;
  /** ID of the server that the anchor is on; undefined for `/`. */
  readonly serverId: string | undefined;
  /**
   * The anchor that these names lead to, from here. No I/O.
   *
   * @param names Components, at most 255 bytes of UTF-8 each; none is `.`, `..` or `...`, or holds
   * `/` or NUL.
   * @throws {CircuitError} `BAD_REQUEST` if one of them is not a component.
   */
  walk(...names: string[]): Anchor;
  /** The anchor's children by name; those of `/` are the servers. */
  view(options?: CallOptions): Promise<Map<string, Anchor>>;
  /**
   * The anchors below this one with their kinds, siblings sorted by name, as they come: memory is
   * bounded however many there are. What is made or scrubbed meanwhile may or may not be listed.
   * Ending the loop early ends the call.
   *
   * @returns path after path, with the kind of the element there; undefined where there is none.
   */
  list(options?: ListOptions): AsyncIterable<{ path: string; kind: Kind | undefined }>;
  /** A handle of the anchor's element, told apart by its `kind`; undefined if it holds none. */
  get(options?: CallOptions): Promise<Element | undefined>;
  /**
   * Starts a process on the anchor's server. No shell comes in between.
   *
   * @returns once the process runs.
   * @throws {CircuitError} `NOT_FOUND` if there is no such program or directory, `DENIED` if it may
   * not be executed; the anchor is left empty.
   */
  makeProc(cmd: Cmd, options?: MakeOptions): Promise<Proc>;
  /**
   * Makes a channel.
   *
   * @param capacity Messages that it takes without a receiver, 0 to 1,000,000; default 0.
   */
  makeChan(capacity?: number, options?: CallOptions): Promise<Chan>;
  /** Makes a subscription to the servers that there are and those that come. */
  makeOnJoin(options?: CallOptions): Promise<Subscription>;
  /** Makes a subscription to the servers that go from now on. */
  makeOnLeave(options?: CallOptions): Promise<Subscription>;
  /**
   * Starts a DNS server on the anchor's server.
   *
   * @param address `HOST:PORT` to listen on, on UDP and TCP; `:PORT` for all IPv4 interfaces, `HOST`
   * or port 0 for any free port. Default: any free port of 127.0.0.1, seen from that host alone.
   * @throws {CircuitError} `BUSY` if the port is taken, `BAD_REQUEST` if that host has no such
   * address, `DENIED` if the server may not use the port; the anchor is left empty.
   */
  makeNameserver(address?: string, options?: CallOptions): Promise<Nameserver>;
  /**
   * Starts a container on the anchor's server, with `docker` or `podman`. An image that is missing is
   * pulled, which may take minutes; cancelling gives that up.
   *
   * @returns once the container runs.
   * @throws {CircuitError} `UNSUPPORTED` if the server was not started with `-docker` or has no
   * container engine, `NOT_FOUND` if the image cannot be had, `BAD_REQUEST` if the container cannot
   * be started; the anchor is left empty.
   */
  makeContainer(run: ContainerRun, options?: MakeOptions): Promise<Container>;
  /**
   * Removes the element, whatever it is; see its own `scrub`. Nothing happens where there is none.
   *
   * @throws {CircuitError} `DENIED` for a server's own anchor, which holds its server for good.
   */
  scrub(options?: CallOptions): Promise<void>;
}

/** One anchor in a listing. */
export type Entry = ReturnType<Anchor["list"]> extends AsyncIterable<infer Each> ? Each : never;

/**
 * What an anchor can hold, told apart by `kind`. A handle holds no resource: it means whatever
 * element of its kind is at its anchor. Once that was scrubbed, calls on it fail with `NOT_FOUND`,
 * those that were waiting with `ABORTED`; where another kind has taken its place, with `BAD_REQUEST`.
 *
 * @example Tell elements apart
 * ```ts
 * import { dial, type Element } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * async function describe(element: Element): Promise<string> {
 *   switch (element.kind) {
 *     case "chan":
 *       return `a channel for ${(await element.stat()).cap} messages`;
 *     case "server":
 *       return `a server on ${(await element.peek()).os}`;
 *     default:
 *       return `a ${element.kind}`;
 *   }
 * }
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const jobs = client.anchor(`/${server.serverId}/jobs`);
 * await jobs.makeChan(3);
 * const element = await jobs.get();
 * console.assert(element && await describe(element) === "a channel for 3 messages");
 * ```
 */
export type Element = Server | Proc | Chan | Nameserver | Container | Subscription;

/**
 * A channel, as in Go: a message goes from its sender to exactly one receiver, in the order in
 * which the sends arrived. A message is bytes of any length, and may be empty.
 *
 * Nothing is lost in silence. A receiver sees the end only after the whole message. A sender that
 * dies half-way makes its receiver fail, never end early. A receiver that dies before it has read a
 * whole buffered message puts the message back at the front; where the message was longer than the
 * buffer, 32 KiB, the sender is told. So a message may arrive twice only if its receiver died after
 * reading it and before saying so. A receive that is cancelled loses nothing: it was never there, or
 * its message goes back to the front.
 *
 * @example Pass jobs to whoever is free
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const jobs = await client.anchor(`/${server.serverId}/jobs`).makeChan(10);
 *
 * for (const job of ["sweep", "mop"]) await jobs.sendBytes(new TextEncoder().encode(job));
 * await jobs.close();
 *
 * const done = [];
 * for await (const job of jobs) done.push(new TextDecoder().decode(job));
 * console.assert(done.join() === "sweep,mop");
 * ```
 *
 * @example Send a file of any length, and receive it elsewhere
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 * const files = await client.anchor(`/${server.serverId}/files`).makeChan();
 *
 * const send = async () => {
 *   const file = await Deno.open("mod.ts");
 *   await file.readable.pipeTo(await files.send());
 * };
 * const receive = async () => {
 *   let length = 0;
 *   for await (const chunk of await files.recv()) length += chunk.length;
 *   return length;
 * };
 * const [length] = await Promise.all([receive(), send()]);
 * console.assert(length === (await Deno.stat("mod.ts")).size);
 * ```
 */
export interface Chan {
  /** Tells it from the other kinds of element. */
  readonly kind: "chan";
  /**
   * Sends a message piece by piece. Without a receiver, a buffered message takes up to 32 KiB; then
   * its writer is held back until one comes.
   *
   * Closing the stream ends the message, and resolves when it is in the channel's buffer or has been
   * read. Aborting it withdraws the message: it never happened, or its receiver fails with
   * `ABORTED`.
   *
   * @returns the message's stream, once a receiver takes the message or the buffer has room.
   * @throws {CircuitError} `CLOSED` if the channel is closed, `ABORTED` if it is scrubbed. The
   * stream fails with `ABORTED` if a receiver went away with a part of the message.
   */
  send(options?: CallOptions): Promise<WritableStream<Uint8Array>>;
  /**
   * Receives a message piece by piece. Reading to the end says that it was received; cancelling
   * the stream before puts the message back, or fails its sender where a part of it is gone.
   *
   * @returns the message's stream, once there is a message.
   * @throws {CircuitError} `CLOSED` if the channel is closed and no message is left in it, `ABORTED`
   * if it is scrubbed. The stream fails with `ABORTED` if the sender went away half-way.
   */
  recv(options?: CallOptions): Promise<ReadableStream<Uint8Array>>;
  /** {@linkcode send} for a message that is at hand; resolves when that stream's close would. */
  sendBytes(message: Uint8Array, options?: CallOptions): Promise<void>;
  /** {@linkcode recv} for a message that fits in memory; all of it. */
  recvBytes(options?: CallOptions): Promise<Uint8Array>;
  /**
   * Receives message after message, each as {@linkcode recvBytes} does; ends when the channel is
   * closed, and fails with what `recvBytes` fails with else. A message that the loop was given counts
   * as received; leaving the loop takes no other.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
  /**
   * Takes no more messages: sends fail with `CLOSED`, those that wait too. What is in the buffer
   * can still be received; then receives fail with `CLOSED`.
   *
   * @throws {CircuitError} `CLOSED` if it is closed already.
   */
  close(options?: CallOptions): Promise<void>;
  /** The channel's state. */
  stat(options?: CallOptions): Promise<ChanStat>;
  /** Removes the channel with the messages in it: everyone who waits on it gets `ABORTED`. */
  scrub(options?: CallOptions): Promise<void>;
}

/** What a process and a container have in common. `Stat` is what describes one. */
export type Runnable<Stat> =
  & Pick<Proc, "stdin" | "stdout" | "stderr" | "signal" | "scrub">
  & {
    wait(options?: CallOptions): Promise<Stat>;
    peek(options?: CallOptions): Promise<Stat>;
  };

/**
 * A process of the operating system, on the anchor's server.
 *
 * @example Talk to a program
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const proc = await client.anchor(`/${server.serverId}/upper`)
 *   .makeProc({ path: "tr", args: ["a-z", "A-Z"] });
 * const input = proc.stdin().getWriter();
 * void input.write(new TextEncoder().encode("hello")).then(() => input.close());
 * let output = "";
 * for await (const chunk of proc.stdout()) output += new TextDecoder().decode(chunk);
 * console.assert(output === "HELLO");
 * await proc.scrub();
 * ```
 */
export interface Proc {
  /** Tells it from the other kinds of element. */
  readonly kind: "proc";
  /**
   * Its standard input. Closing the stream closes it, for good; aborting the stream leaves it open
   * for the next writer. Writes wait until it takes the bytes.
   *
   * The stream fails with `BUSY` while someone else writes, and with `CLOSED` once it is closed or
   * nobody reads it any more.
   */
  stdin(options?: CallOptions): WritableStream<Uint8Array>;
  /**
   * Its standard output, from where the last reader stopped to its end. It is held back when nobody
   * reads: at most 64 KiB wait on the server. With `keep`, any number of readers at once each get
   * what is kept and what follows.
   *
   * The stream fails with `BUSY` while someone else reads.
   */
  stdout(options?: CallOptions): ReadableStream<Uint8Array>;
  /** Its standard error; all that holds for {@linkcode stdout} holds for it. */
  stderr(options?: CallOptions): ReadableStream<Uint8Array>;
  /**
   * Its state once it has exited; at once if it has already. Any number may wait.
   *
   * @throws {CircuitError} `ABORTED` if it is scrubbed before it exits.
   */
  wait(options?: CallOptions): Promise<ProcStat>;
  /**
   * Sends it a signal.
   *
   * @param name With or without `SIG`, in any letter case.
   * @throws {CircuitError} `BAD_REQUEST` for an unknown name, with the known ones; `CLOSED` if it
   * has exited.
   */
  signal(name: string, options?: CallOptions): Promise<void>;
  /** Its state now. */
  peek(options?: CallOptions): Promise<ProcStat>;
  /** Forgets it. It runs on, and its output is thrown away. */
  scrub(options?: CallOptions): Promise<void>;
  /** Its environment when it was started, as `NAME=VALUE`. */
  getEnv(options?: CallOptions): Promise<string[]>;
  /** The command that it was made from. */
  getCmd(options?: CallOptions): Promise<Cmd>;
}

/**
 * A queue of the paths of servers that join the circuit or leave it. A `@join` subscription begins
 * with all servers there are. Each event is received once, by one receiver, in the order in which
 * the subscription's server saw them; none is lost between making it and the first receive. A receive
 * that is cancelled takes no event.
 *
 * @example Greet the servers that there are and those that come
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using one = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(one.address);
 * const joins = await client.anchor(`/${one.serverId}/joins`).makeOnJoin();
 * await using two = await startServer({ addr: "127.0.0.1:0", join: one.address });
 *
 * const seen = [];
 * for await (const path of joins) {
 *   seen.push(path);
 *   if (seen.length === 2) break;
 * }
 * console.assert(seen.join() === `/${one.serverId},/${two.serverId}`);
 * ```
 */
export interface Subscription {
  /** Which events it collects, and that it is a subscription. */
  readonly kind: "@join" | "@leave";
  /** The path of the next server, `/X…`, once there is one; undefined if it was scrubbed. */
  consume(options?: CallOptions): Promise<string | undefined>;
  /** Path after path, as {@linkcode consume} gives them; ends when the subscription is scrubbed. */
  [Symbol.asyncIterator](): AsyncIterator<string>;
  /** The subscription's state. */
  peek(options?: CallOptions): Promise<SubscriptionStat>;
  /** Removes the subscription with what is waiting in it. */
  scrub(options?: CallOptions): Promise<void>;
}

/**
 * A server of the circuit, at `/X…`. It cannot be scrubbed.
 *
 * @example See what a server is doing
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const element = await client.anchor(`/${server.serverId}`).get();
 * if (element?.kind !== "server") throw new Error("the server is gone");
 * let report = "";
 * for await (const chunk of element.profile("tasks")) report += new TextDecoder().decode(chunk);
 * console.assert(report.includes(server.serverId));
 * ```
 */
export interface Server {
  /** Tells it from the other kinds of element. */
  readonly kind: "server";
  /** The server's state. */
  peek(options?: CallOptions): Promise<ServerStat>;
  /**
   * Merges the circuit that this server is in with the one of another server.
   *
   * @param address The other server, `circuit://HOST:PORT/PID/Q…` or `HOST:PORT`.
   * @throws {CircuitError} `UNREACHABLE` if this server cannot connect to it.
   */
  rejoin(address: string, options?: CallOptions): Promise<void>;
  /**
   * A report on what the server is doing, as text.
   *
   * @param name Which report: `tasks` for all that it is doing right now; of that, `connections`,
   * `calls`, `queues` and `memory` alone and in more detail; `members` for the servers that it knows;
   * `json` for all of these as one line of JSON; `cpu` for the processor time that it takes in a
   * second, and in which functions where it may look. The stream fails with `BAD_REQUEST` for an
   * unknown one, naming those that there are.
   */
  profile(name: string, options?: CallOptions): ReadableStream<Uint8Array>;
  /** Stops the server in order; resolves when it has said that it will. */
  suicide(options?: CallOptions): Promise<void>;
}

/**
 * A DNS server, on UDP and TCP. It answers from its own records and asks nobody else; there are no
 * zones, so what it has no records of does not exist (NXDOMAIN). What was set holds for every query
 * that comes after the answer to {@linkcode set}.
 *
 * @example Answer for a name
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * const names = await client.anchor(`/${server.serverId}/dns`).makeNameserver();
 * await names.set("db.example. 60 IN A 10.0.0.7");
 * const [ipAddr = "", port] = (await names.peek()).address.split(":");
 * const nameServer = { ipAddr, port: Number(port) };
 * const addresses = await Deno.resolveDns("db.example.", "A", { nameServer });
 * console.assert(addresses.join() === "10.0.0.7");
 * ```
 */
export interface Nameserver {
  /** Tells it from the other kinds of element. */
  readonly kind: "dns";
  /**
   * Adds a record. One that is there already gets the new one's TTL, and nothing else changes.
   *
   * @param record In zone-file form, as `miek.nl. 3600 IN MX 10 mx.miek.nl.` TTL and class may be
   * left out, which are 3600 and IN then.
   * @throws {CircuitError} `BAD_REQUEST` if it is not a record or cannot stand beside the others of
   * its name, with the reason; `BUSY` if there is no room.
   */
  set(record: string, options?: CallOptions): Promise<void>;
  /**
   * Removes all records of a name; nothing happens if there are none.
   *
   * @param name In any letter case, with or without a dot at its end.
   * @throws {CircuitError} `BAD_REQUEST` if it is not a name.
   */
  unset(name: string, options?: CallOptions): Promise<void>;
  /** The name server's address and records. */
  peek(options?: CallOptions): Promise<NameserverStat>;
  /** Stops the DNS server and removes it, which frees its port. */
  scrub(options?: CallOptions): Promise<void>;
}

/**
 * A container, on the anchor's server. What a {@linkcode Proc}'s methods promise holds for its own.
 * It is removed from the container engine when it has ended; from then on {@linkcode peek} gives its
 * last state. Signals go to its first process, which by the kernel's rules ignores those that it has
 * no handler for, but not `KILL` and `STOP`.
 *
 * @example Run a container where there is a container runtime
 * ```ts
 * import { CircuitError, type Container, dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 * await using client = await dial(server.address);
 *
 * let container: Container | undefined;
 * try {
 *   container = await client.anchor(`/${server.serverId}/web`).makeContainer({ image: "nginx" });
 * } catch (error) {
 *   // This server was not started with its container runtime.
 *   if (!(error instanceof CircuitError) || error.code !== "UNSUPPORTED") throw error;
 * }
 * await container?.scrub();
 * ```
 */
export interface Container extends Pick<Proc, "stdin" | "stdout" | "stderr" | "signal" | "scrub"> {
  /** Tells it from the other kinds of element. */
  readonly kind: "docker";
  /**
   * What the container runtime's `inspect` reports once it has exited, unchanged; at once if it has
   * already. Any number may wait.
   *
   * @throws {CircuitError} `ABORTED` if it is scrubbed before it exits.
   */
  wait(options?: CallOptions): Promise<Readonly<Record<string, unknown>>>;
  /** What the container runtime's `inspect` reports now, unchanged. */
  peek(options?: CallOptions): Promise<Readonly<Record<string, unknown>>>;
}
