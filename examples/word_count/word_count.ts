/**
 * Counts the words of many files on all servers of a circuit. README.md in this folder explains it.
 *
 *     deno run -A word_count.ts [-d ADDRESS] FILE…
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Anchor, type Chan, CircuitError, type Client } from "../../mod.ts";
import { connectTo } from "../connect_to.ts";
import { work } from "./worker.ts";

/** Files that are on their way to workers at once. */
const IN_FLIGHT = 16;

/** Results that wait until they are added up. */
const RESULTS = 100;

/** Times that one file is tried before the program gives up. */
const TRIES = 10;

/** Words and how often each was seen. */
type Counts = Map<string, number>;

/** Where everything of one count is on a server. */
type Place = (server: Anchor) => Anchor;

/** Does what a command line says. */
async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "worker") return await work(args.slice(1));
  const address = args[0] === "-d" ? args[1] : undefined;
  const files = [...new Set(args.slice(args[0] === "-d" ? 2 : 0))];
  if (files.length === 0) {
    console.error("usage: word_count.ts [-d ADDRESS] FILE…");
    Deno.exit(2);
  }
  await using client = await connectTo(address);
  const counts = await countAll(client, files);
  const order = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  for (const [word, count] of order) console.log(`${count}\t${word}`);
}

async function countAll(client: Client, files: readonly string[]): Promise<Counts> {
  const run = crypto.randomUUID().slice(0, 8);
  const place: Place = (server) => server.walk("word-count", run);
  // The channels are on the server that this program cannot do without anyway.
  const hub = place(client.anchor(`/${client.serverId}`));
  await using stack = new AsyncDisposableStack();
  const make = async (name: string, capacity: number) => {
    const channel = await hub.walk(name).makeChan(capacity);
    stack.defer(() => quietly(channel.scrub()));
    return channel;
  };
  const jobs = await make("jobs", 0);
  const results = await make("results", RESULTS);
  const workers = new Workers(client, place, hub.path);
  stack.defer(() => workers.stop());
  const interrupted = Promise.withResolvers<never>();
  Deno.addSignalListener("SIGINT", () => interrupted.reject(new Error("interrupted")));
  const [counts] = await Promise.race([
    Promise.all([gather(results, files), sendAll(jobs, files)]),
    workers.run(),
    interrupted.promise,
  ]);
  return counts;
}

/** Sends all files, a few at a time. */
async function sendAll(jobs: Chan, files: readonly string[]): Promise<void> {
  const queue = [...files];
  const lane = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await sendFile(jobs, file);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** Sends a file until a worker has said that it is done with it. */
async function sendFile(jobs: Chan, file: string): Promise<void> {
  for (let i = 1;; i++) {
    const { size } = await Deno.stat(file);
    const message = await jobs.send();
    try {
      const writer = message.getWriter();
      await writer.write(new TextEncoder().encode(`${JSON.stringify({ file, size })}\n`));
      writer.releaseLock();
      using source = await Deno.open(file);
      await source.readable.pipeThrough(exactly(size, file)).pipeTo(message);
      return;
    } catch (error) {
      // The worker is gone, and has taken the message with it; or the channel is.
      const lost = error instanceof CircuitError && error.code === "ABORTED";
      if (!lost || i === TRIES) throw error;
      console.error(`${file}: its worker is gone; sent again`);
    }
  }
}

/** Passes on bytes, and fails if there are not as many as was said. */
function exactly(size: number, file: string): TransformStream<Uint8Array, Uint8Array> {
  let left = size;
  const changed = () => new Error(`${file} has changed while it was read`);
  return new TransformStream({
    transform(chunk, controller) {
      left -= chunk.length;
      if (left < 0) throw changed();
      controller.enqueue(chunk);
    },
    flush() {
      if (left > 0) throw changed();
    },
  });
}

/** Adds up the results, each file's once. */
async function gather(results: Chan, files: readonly string[]): Promise<Counts> {
  const left = new Set(files);
  const total: Counts = new Map();
  while (left.size > 0) {
    const { file, counts } = JSON.parse(new TextDecoder().decode(await results.recvBytes()));
    // A worker that dies between sending its result and saying that it is done: counted already.
    if (!left.delete(file)) continue;
    for (const [word, count] of counts) total.set(word, (total.get(word) ?? 0) + count);
  }
  return total;
}

/** A worker on every server that there is, and on every one that comes. */
class Workers {
  readonly #client: Client;
  readonly #place: Place;
  readonly #hub: string;
  readonly #running = new Set<string>();
  readonly #end = new AbortController();

  constructor(client: Client, place: Place, hub: string) {
    this.#client = client;
    this.#place = place;
    this.#hub = hub;
  }

  /** Never returns; fails when there is no worker left. */
  async run(): Promise<never> {
    const servers = await this.#client.anchor(`${this.#hub}/servers`).makeOnJoin();
    const none = Promise.withResolvers<never>();
    const all = await this.#client.servers();
    for (const { path } of all) this.#running.add(path);
    const start = async () => {
      for await (const path of servers) {
        this.#running.add(path);
        this.#start(this.#client.anchor(path)).catch((error) => {
          if (!this.#end.signal.aborted) console.error(`${path} works no more: ${error.message}`);
        }).finally(() => {
          this.#running.delete(path);
          if (this.#running.size === 0) none.reject(new Error("no server is left that works"));
        });
      }
      return await none.promise;
    };
    return await Promise.race([start(), none.promise]);
  }

  /** Ends all workers, and forgets them. */
  async stop(): Promise<void> {
    this.#end.abort();
    await quietly(this.#client.anchor(`${this.#hub}/servers`).scrub());
    const workers = [...this.#running].map((path) => this.#worker(this.#client.anchor(path)));
    await Promise.all(workers.map((worker) => quietly(worker.scrub())));
  }

  #worker(server: Anchor): Anchor {
    return this.#place(server).walk("worker");
  }

  async #start(server: Anchor): Promise<void> {
    const element = await server.get();
    if (element?.kind !== "server") return;
    const { addr } = await element.peek();
    const worker = this.#worker(server);
    // Tied: if this program is killed, its workers end. It stays when it has ended: who knows why?
    const proc = await worker.makeProc({
      path: Deno.execPath(),
      args: ["run", "-A", import.meta.url, "worker", addr, this.#hub],
      keep: 4096,
    }, { tied: true });
    const { exit } = await proc.wait({ signal: this.#end.signal });
    const said = new Response(proc.stderr() as ReadableStream<Uint8Array<ArrayBuffer>>).text();
    const why = `${exit ?? "it ended"}: ${(await said).trim()}`;
    await quietly(worker.scrub());
    throw new Error(why);
  }
}

/** For what may be gone already. */
async function quietly<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CircuitError) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`word_count: ${error.message}`);
    Deno.exit(1);
  }
  Deno.exit();
}
