/**
 * A nucleus: one process of the bot. At first it watches another one; when that is gone it takes over,
 * which means that it runs the payload and sees to it that yet another one watches it.
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { CircuitError, type Client } from "../../mod.ts";
import { Ballot, type Term } from "./ballot.ts";
import { type Orders, spawnNucleus, type Started } from "./orders.ts";
import { Payload } from "./payload.ts";

/** Milliseconds between two looks at what is watched, and at the votes. */
const LOOK_MS = 300;

/** Milliseconds that the nucleus that is watched has to answer. */
const ANSWER_MS = 1_000;

/** Milliseconds that the payload may run after a look at the votes was begun that went well. */
const LEASE_MS = 2_000;

/**
 * Milliseconds between winning an epoch and starting the payload. The previous one cannot have had a
 * good look since then, so its lease has run out; the rest is for killing its payload.
 */
const TAKE_OVER_MS = LEASE_MS + 500;

/** Milliseconds of the take-over in which a new watcher is waited for. */
const WATCHER_MS = 3_500;

/** Milliseconds that a new watcher waits for the word that its term has begun. */
const WORD_MS = 10_000;

/** Milliseconds after which a server that was lost counts again if it is still listed. */
const GONE_MS = 5_000;

/** Votes that a watcher loses to another one in a row before it gives up. */
const MAX_LOST = 20;

/** What a nucleus prints when it is ready to watch. */
export const READY = "ready";

/** What becomes of the bot, as one nucleus sees it. */
export interface BotEvent {
  /** Which epoch that was in. */
  readonly epoch: number;
  /** ID of the server that the nucleus is on. */
  readonly server: string;
  /**
   * `watches`: it is on duty from now on; `took over`: it has won an epoch; `runs`: it has started
   * the payload; `stopped`: it has killed it; `left`: it ends.
   */
  readonly what: "watches" | "took over" | "runs" | "stopped" | "left";
  /** Why, in words. */
  readonly why: string;
}

/** What a nucleus needs of the program that it is in. */
export interface NucleusOptions {
  /** A connection to the server that it is on. */
  readonly client: Client;
  /** What it was told. */
  readonly orders: Orders;
  /** Is told what becomes of the bot; must not throw. */
  readonly onEvent: (event: BotEvent) => void;
}

/** Runs a nucleus until its server is lost, it was superseded or dismissed, or the bot is stopped. */
export async function runNucleus(options: NucleusOptions): Promise<void> {
  await new Nucleus(options).run();
}

class Nucleus {
  readonly #client: Client;
  readonly #orders: Orders;
  readonly #onEvent: (event: BotEvent) => void;
  readonly #ballot: Ballot;
  readonly #payload: Payload;
  /** Aborted when this nucleus has to end, with the reason. */
  readonly #end = new AbortController();
  #term: Term;
  #watcher: Started | undefined;
  /** The end of the lease, which nobody needs to be awake for. */
  #leaseTimer: ReturnType<typeof setTimeout> | undefined;
  #renewing = false;
  /** A server that was lost, and is listed until the others know that too. */
  #gone: { readonly server: string; readonly until: number } | undefined;

  constructor({ client, orders, onEvent }: NucleusOptions) {
    this.#client = client;
    this.#orders = orders;
    this.#onEvent = onEvent;
    this.#ballot = new Ballot(client, orders.name);
    this.#payload = new Payload(orders.command);
    this.#term = orders.term;
  }

  async run(): Promise<void> {
    const end = (why: string) => this.#end.abort(why);
    // An orphan, whose server was killed, sees either first.
    this.#client.closed.then(() => end("lost its server"));
    const word = this.#listen(() => end("was dismissed, or has lost its server"));
    Deno.addSignalListener("SIGTERM", () => end("was told to end"));
    try {
      if (this.#orders.watch !== undefined) {
        console.error(READY);
        if (!await within(WORD_MS, word)) return;
        this.#event("watches", this.#orders.watch);
        await this.#watch(this.#orders.watch);
      }
      await this.#takeOver();
      await this.#hold();
    } catch (error) {
      if (!this.#end.signal.aborted) throw error;
    } finally {
      await this.#stop();
      this.#event("left", String(this.#end.signal.reason ?? "was never given the word"));
    }
  }

  /** Returns when this nucleus has won the next epoch, because the one that it watches is gone. */
  async #watch(path: string): Promise<void> {
    let lost = 0;
    for (;;) {
      await this.#pause(LOOK_MS);
      if (await this.#answers(path)) {
        lost = 0;
        continue;
      }
      const { contested, stop } = await this.#ballot.look(this.#term);
      if (stop) this.#leave("the bot was stopped");
      if (await this.#ballot.claim(this.#term)) return;
      if (contested && ++lost > MAX_LOST) this.#leave("another one has taken over");
      // Someone else may be at it too: not in step with them again.
      await this.#pause(Math.random() * LOOK_MS);
    }
  }

  /** Whether a nucleus is there. It may be, and not answer: see {@linkcode Ballot}. */
  async #answers(path: string): Promise<boolean> {
    const signal = AbortSignal.any([AbortSignal.timeout(ANSWER_MS), this.#end.signal]);
    try {
      const element = await this.#client.anchor(path).get({ signal });
      return element?.kind === "proc" && (await element.peek({ signal })).exit === null;
    } catch {
      return false;
    }
  }

  async #takeOver(): Promise<void> {
    const gone = this.#orders.watch?.split("/")[1];
    if (gone !== undefined) this.#lose(gone);
    if (gone === undefined && !await this.#ballot.claim(this.#term)) {
      this.#leave("another bot has this name");
    }
    const epoch = this.#term.epoch + 1;
    this.#event("took over", gone === undefined ? "the bot starts" : `${gone} is gone`, epoch);
    const runOut = this.#pause(TAKE_OVER_MS);
    // Until there is a watcher, nobody else can win the next epoch.
    this.#term = { epoch, voters: [this.#client.serverId], tieBreaker: this.#client.serverId };
    this.#renewing = true;
    const appointing = this.#appoint(epoch).finally(() => this.#renewing = false);
    await Promise.all([runOut, within(WATCHER_MS, appointing)]);
  }

  /** Runs the payload while the votes allow it, and keeps the term up to date. */
  async #hold(): Promise<void> {
    for (;;) {
      this.#end.signal.throwIfAborted();
      const begun = performance.now();
      const term = this.#term;
      const { clear, contested, stop } = await this.#ballot.look(term);
      if (stop) this.#leave("the bot was stopped");
      if (clear) this.#renewLease(begun + LEASE_MS - performance.now());
      else if (contested && !this.#payload.running) this.#leave("another one has taken over");
      if (!this.#renewing) this.#renewTerm();
      await this.#pause(LOOK_MS);
    }
  }

  #renewLease(ms: number): void {
    if (ms <= 0 || this.#end.signal.aborted) return;
    clearTimeout(this.#leaseTimer);
    this.#leaseTimer = setTimeout(() => this.#stop("its lease has run out"), ms);
    if (this.#payload.running) return;
    this.#payload.start({
      WATCHBOT_EPOCH: String(this.#term.epoch),
      WATCHBOT_SERVER: this.#client.serverId,
    });
    this.#event("runs", this.#orders.command.join(" "));
  }

  async #stop(why = ""): Promise<void> {
    clearTimeout(this.#leaseTimer);
    if (!this.#payload.running) return;
    await this.#payload.stop();
    this.#event("stopped", why || String(this.#end.signal.reason));
  }

  /** A new term, if the servers are not those that vote, or nobody watches. */
  async #renewTerm(): Promise<void> {
    this.#renewing = true;
    try {
      const now = await this.#servers();
      const same = now.length === this.#term.voters.length &&
        now.every((server) => this.#term.voters.includes(server));
      if (same && (this.#watcher !== undefined || now.length === 1)) return;
      await this.#appoint(this.#term.epoch + 1);
    } catch {
      // The next look at the servers is the next try.
    } finally {
      this.#renewing = false;
    }
  }

  /**
   * Begins the term of an epoch with all servers and with a watcher, if there is another server.
   *
   * @param epoch That of the present term, if it was won and has no watcher yet, or the next, which
   * is won here.
   */
  async #appoint(epoch: number): Promise<void> {
    const voters = await this.#servers();
    const others = voters.filter((server) => server !== this.#client.serverId);
    const server = others[Math.floor(Math.random() * others.length)];
    const term = { epoch, voters, tieBreaker: server ?? this.#client.serverId };
    const watcher = server === undefined ? undefined : await this.#spawn(server, term);
    if (epoch > this.#term.epoch && !await this.#ballot.claim(this.#term)) {
      watcher?.words.close().catch(() => {});
      return;
    }
    // From here on the watcher may take over, with the voters of the new term.
    this.#watcher?.words.close().catch(() => {});
    this.#watcher = watcher;
    this.#term = term;
    if (watcher === undefined) return;
    await watcher.words.write(new TextEncoder().encode("go\n"));
    const over = () => {
      if (this.#watcher === watcher) this.#watcher = undefined;
    };
    watcher.proc.wait({ signal: this.#end.signal }).catch((error) => {
      if (error instanceof CircuitError && error.code === "SERVER_GONE") {
        this.#lose(term.tieBreaker);
      }
    }).finally(over);
  }

  /** Starts a watcher, and waits until it is ready. */
  async #spawn(server: string, term: Term): Promise<Started> {
    const signal = AbortSignal.any([AbortSignal.timeout(WORD_MS), this.#end.signal]);
    const orders = { ...this.#orders, term, watch: this.#orders.self };
    const watcher = await spawnNucleus(this.#client.anchor(`/${server}`), orders, signal);
    if (await hasLine(watcher.said, READY)) return watcher;
    throw new CircuitError("ABORTED", `the nucleus on ${server} ended at once`);
  }

  /** Reads the standard input; true when there is a word, and `onEnd` when there will be no more. */
  async #listen(onEnd: () => void): Promise<boolean> {
    const words = Deno.stdin.readable.getReader();
    const { done } = await words.read();
    const drain = async () => {
      while (!(await words.read()).done);
    };
    if (done) onEnd();
    else drain().then(onEnd, onEnd);
    return !done;
  }

  /** The servers that there are. */
  async #servers(): Promise<string[]> {
    const servers = await this.#client.servers({ signal: AbortSignal.timeout(ANSWER_MS) });
    const { server: gone, until = 0 } = this.#gone ?? {};
    return servers.map(({ name }) => name)
      .filter((name) => name !== gone || performance.now() > until);
  }

  #lose(server: string): void {
    this.#gone = { server, until: performance.now() + GONE_MS };
  }

  /** Waits, unless this nucleus has to end. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    const abort = () => over.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await over.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  #leave(why: string): never {
    this.#end.abort(why);
    throw new CircuitError("ABORTED", why);
  }

  #event(what: BotEvent["what"], why: string, epoch = this.#term.epoch): void {
    this.#onEvent({ epoch, server: this.#client.serverId, what, why });
  }
}

/** Whether the stream has a line that is this. */
async function hasLine(stream: ReadableStream<string>, line: string): Promise<boolean> {
  let text = "";
  for await (const chunk of stream) {
    text += chunk;
    if (text.split("\n").includes(line)) return true;
  }
  return false;
}

/** What a promise resolves with; undefined if that takes longer or it fails. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer;
  const late = new Promise<undefined>((resolve) =>
    timer = setTimeout(() => resolve(undefined), ms)
  );
  try {
    return await Promise.race([promise.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
