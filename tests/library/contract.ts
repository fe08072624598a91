/**
 * The library's interface as it was promised: types alone, which a test compares with what there is.
 * This file changes only when the promise does, never to make the test pass.
 *
 * @module
 */

export declare function dial(address: string, options?: DialOptions): Promise<Client>;
export declare function discover(group: string, options?: DialOptions): Promise<Client>;
export declare function connect(options?: DialOptions): Promise<Client>;

export interface DialOptions {
  key?: Uint8Array;
  signal?: AbortSignal;
}
export interface CallOptions {
  signal?: AbortSignal;
}

export interface Client extends AsyncDisposable {
  readonly address: string;
  readonly serverId: string;
  readonly closed: Promise<void>;
  anchor(path: string): Anchor;
  servers(options?: CallOptions): Promise<Anchor[]>;
  close(): Promise<void>;
}

export interface Anchor {
  readonly path: string;
  readonly name: string;
  readonly serverId: string | undefined;
  walk(...names: string[]): Anchor;
  view(options?: CallOptions): Promise<Map<string, Anchor>>;
  list(options?: ListOptions): AsyncIterable<{ path: string; kind: Kind | undefined }>;
  get(options?: CallOptions): Promise<Element | undefined>;
  makeProc(cmd: Cmd, options?: CallOptions): Promise<Proc>;
  makeChan(capacity?: number, options?: CallOptions): Promise<Chan>;
  makeOnJoin(options?: CallOptions): Promise<Subscription>;
  makeOnLeave(options?: CallOptions): Promise<Subscription>;
  makeNameserver(address?: string, options?: CallOptions): Promise<Nameserver>;
  makeContainer(run: ContainerRun, options?: CallOptions): Promise<Container>;
  scrub(options?: CallOptions): Promise<void>;
}

export type Kind = "server" | "proc" | "chan" | "dns" | "docker" | "@join" | "@leave";
export type Element = Server | Proc | Chan | Nameserver | Container | Subscription;

export interface Chan {
  readonly kind: "chan";
  send(options?: CallOptions): Promise<WritableStream<Uint8Array>>;
  recv(options?: CallOptions): Promise<ReadableStream<Uint8Array>>;
  sendBytes(message: Uint8Array, options?: CallOptions): Promise<void>;
  recvBytes(options?: CallOptions): Promise<Uint8Array>;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
  close(options?: CallOptions): Promise<void>;
  stat(options?: CallOptions): Promise<ChanStat>;
  scrub(options?: CallOptions): Promise<void>;
}

export interface Proc {
  readonly kind: "proc";
  stdin(options?: CallOptions): WritableStream<Uint8Array>;
  stdout(options?: CallOptions): ReadableStream<Uint8Array>;
  stderr(options?: CallOptions): ReadableStream<Uint8Array>;
  wait(options?: CallOptions): Promise<ProcStat>;
  signal(name: string, options?: CallOptions): Promise<void>;
  getEnv(options?: CallOptions): Promise<string[]>;
  getCmd(options?: CallOptions): Promise<Cmd>;
  peek(options?: CallOptions): Promise<ProcStat>;
  scrub(options?: CallOptions): Promise<void>;
}
export interface Cmd {
  path: string;
  args?: string[];
  env?: string[];
  dir?: string;
  scrub?: boolean;
  keep?: number;
}

export interface Subscription {
  readonly kind: "@join" | "@leave";
  consume(options?: CallOptions): Promise<string | undefined>;
  [Symbol.asyncIterator](): AsyncIterator<string>;
  peek(options?: CallOptions): Promise<SubscriptionStat>;
  scrub(options?: CallOptions): Promise<void>;
}

export interface Server {
  readonly kind: "server";
  peek(options?: CallOptions): Promise<ServerStat>;
  rejoin(address: string, options?: CallOptions): Promise<void>;
  profile(name: string, options?: CallOptions): ReadableStream<Uint8Array>;
  suicide(options?: CallOptions): Promise<void>;
}

export interface Nameserver {
  readonly kind: "dns";
  set(record: string, options?: CallOptions): Promise<void>;
  unset(name: string, options?: CallOptions): Promise<void>;
  peek(options?: CallOptions): Promise<NameserverStat>;
  scrub(options?: CallOptions): Promise<void>;
}

export interface Container extends Omit<Proc, "kind" | "getEnv" | "getCmd" | "wait" | "peek"> {
  readonly kind: "docker";
  wait(options?: CallOptions): Promise<unknown>;
  peek(options?: CallOptions): Promise<unknown>;
}
export interface ContainerRun {
  image: string;
  memory?: number;
  cpuShares?: number;
  volume?: string[];
  dir?: string;
  entry?: string;
  env?: string[];
  path?: string;
  args?: string[];
  scrub?: boolean;
}

export interface ListOptions extends CallOptions {
  recursive?: boolean;
  depthFirst?: boolean;
}

export interface ChanStat {
  cap: number;
  closed: boolean;
  aborted: boolean;
  numSend: number;
  numRecv: number;
}

export interface ProcStat {
  cmd: Cmd;
  phase: string;
  exit: string | null;
  exitCode: number | null;
  signal: string | null;
  pid: number;
}

export interface SubscriptionStat {
  source: string;
  pending: number;
  closed: boolean;
}

export interface ServerStat {
  addr: string;
  joined: string;
}

export interface NameserverStat {
  address: string;
  records: Readonly<Record<string, readonly string[]>>;
}

export interface CircuitServer extends AsyncDisposable {
  readonly address: string;
  readonly serverId: string;
  readonly closed: Promise<void>;
  stop(): Promise<void>;
}
