/**
 * The public interfaces of the client library: what a client, an anchor and each kind of element
 * can do, and what they promise.
 *
 * Every call can fail with `SERVER_GONE` (the server that it is on has left, died or lost its
 * connection: known within a second, and every call fails exactly once), with `ABORTED` (its signal
 * cancelled it, or the client was closed under it), with `TIMEOUT` (its signal was that of
 * `AbortSignal.timeout`) and with `CLOSED` (the client was closed before). These four are not
 * repeated below. All errors are {@linkcode CircuitError}s.
 *
 * @module
 */

import type { Kind } from "../elements/describe.ts";
import type { ChanStat } from "../elements/chan/description.ts";
import type { ContainerRun, ContainerStat } from "../elements/container/description.ts";
import type { NameserverStat } from "../elements/dns/description.ts";
import type { Cmd, Phase, ProcStat } from "../elements/proc/description.ts";
import type { ServerStat } from "../elements/server/description.ts";
import type { SubscriptionStat } from "../elements/subscription/description.ts";

export type {
  ChanStat,
  Cmd,
  ContainerRun,
  ContainerStat,
  Kind,
  NameserverStat,
  Phase,
  ProcStat,
  ServerStat,
  SubscriptionStat,
};

/** How to connect to a circuit. */
export interface DialOptions {
  /**
   * The circuit's secret key: its 64 bytes, which a line of a key file has in base64
   * (`Uint8Array.fromBase64`). Everything is encrypted with it, and servers that do not have it are
   * refused. Default: none; then servers that have one are refused.
   */
  key?: Uint8Array | undefined;
  /**
   * Gives up connecting. It has no effect on the client once there is one: that is closed with
   * {@linkcode Client.close}.
   */
  signal?: AbortSignal | undefined;
  /** Milliseconds for finding a server by multicast; default 5,000. */
  timeoutMs?: number | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /**
   * Cancels the call and frees what it held on the server, as if it had never been made. For a call
   * that gives a stream it cancels the stream too.
   */
  signal?: AbortSignal | undefined;
}

/** How to make an element. */
export interface MakeOptions extends CallOptions {
  /**
   * The element lasts no longer than its maker is there: it is removed, and a process is ended with
   * the processes that it has started (SIGTERM, then SIGKILL a second later), when the client is
   * closed, killed or cut off, and when the signal aborts, also after it was made. Whoever scrubs
   * the element ends the process too. What holds none of the process's pipes any more, and daemons
   * that have left its process group, live on. Default false: elements stay, processes run on.
   */
  tied?: boolean | undefined;
}

/** What {@linkcode Anchor.list} lists, and in which order. */
export interface ListOptions extends CallOptions {
  /** All that is below the anchor, not its children alone. Default false. */
  recursive?: boolean | undefined;
  /** With `recursive`: what is below an anchor comes before the anchor. Default false. */
  depthFirst?: boolean | undefined;
}

/** One anchor in a listing. */
export interface Entry {
  /** The anchor's path. */
  readonly path: string;
  /** The kind of its element; undefined if it holds none. */
  readonly kind: Kind | undefined;
}

/**
 * A connection to a circuit through one of its servers, the dial-in server. It needs no port of its
 * own to listen on. Everything that it gives out works until it is closed.
 *
 * @example Run a program on every server
 * ```ts
 * import type { Client } from "./types.ts";
 *
 * async function everywhere(client: Client, path: string) {
 *   for (const server of await client.servers()) {
 *     await using stack = new AsyncDisposableStack();
 *     const proc = await server.walk("job").makeProc({ path });
 *     stack.defer(() => proc.scrub());
 *     console.log(server.path, (await proc.wait()).exit ?? "well");
 *   }
 * }
 * ```
 */
export interface Client extends AsyncDisposable {
  /** Address of the dial-in server, `circuit://HOST:PORT/PID/Q…`. */
  readonly address: string;
  /** ID of the dial-in server, `X` and 16 hex digits. */
  readonly serverId: string;
  /** Resolves when the connection is over, by {@linkcode close} or because it broke. */
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
   * Elements stay, processes run on. Closing twice does nothing.
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
   */
  list(options?: ListOptions): AsyncIterable<Entry>;
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

/**
 * What an anchor can hold, told apart by `kind`. A handle holds no resource. Once its element was
 * scrubbed, calls on it fail with `NOT_FOUND`, those that were waiting with `ABORTED`.
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
 * reading it and before saying so.
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
   * closed. A message that the loop was given counts as received; leaving the loop takes no other.
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
export interface Runnable<Stat> {
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
  wait(options?: CallOptions): Promise<Stat>;
  /**
   * Sends it a signal.
   *
   * @param name With or without `SIG`, in any letter case.
   * @throws {CircuitError} `BAD_REQUEST` for an unknown name, with the known ones; `CLOSED` if it
   * has exited.
   */
  signal(name: string, options?: CallOptions): Promise<void>;
  /** Its state now. */
  peek(options?: CallOptions): Promise<Stat>;
  /** Forgets it. It runs on, and its output is thrown away. */
  scrub(options?: CallOptions): Promise<void>;
}

/** A process of the operating system, on the anchor's server. */
export interface Proc extends Runnable<ProcStat> {
  /** Tells it from the other kinds of element. */
  readonly kind: "proc";
  /** Its environment when it was started, as `NAME=VALUE`. */
  getEnv(options?: CallOptions): Promise<string[]>;
  /** The command that it was made from. */
  getCmd(options?: CallOptions): Promise<Cmd>;
}

/**
 * A queue of the paths of servers that join the circuit or leave it. A `@join` subscription begins
 * with all servers there are. Each event is received once, by one receiver, in the order in which
 * the subscription's server saw them; none is lost between making it and the first receive.
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

/** A server of the circuit, at `/X…`. It cannot be scrubbed. */
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
   * @param name Which report. The stream fails with `BAD_REQUEST` for an unknown one, naming those
   * that there are.
   */
  profile(name: string, options?: CallOptions): ReadableStream<Uint8Array>;
  /** Stops the server in order; resolves when it has said that it will. */
  suicide(options?: CallOptions): Promise<void>;
}

/**
 * A DNS server, on UDP and TCP. It answers from its own records and asks nobody else; there are no
 * zones, so what it has no records of does not exist (NXDOMAIN). What was set holds for every query
 * that comes after the answer to {@linkcode set}.
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
 * A container, on the anchor's server. It is removed from the container engine when it has ended;
 * from then on {@linkcode peek} gives its last state. Signals go to its first process, which by the
 * kernel's rules ignores those that it has no handler for, but not `KILL` and `STOP`.
 */
export interface Container extends Runnable<ContainerStat> {
  /** Tells it from the other kinds of element. */
  readonly kind: "docker";
}
