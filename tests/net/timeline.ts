/**
 * What a number of servers think of each other, and since when: each server's list of members, as
 * its log tells. Reading logs costs those who are measured nothing, and the times in them are those
 * at which a server knew, however late the test gets to read of it.
 *
 * @module
 */

/** A server that came or went, as another one saw it. */
export interface Event {
  readonly type: "joined" | "left";
  /** The server that came or went. */
  readonly id: string;
  /** When, in ms since 1970. */
  readonly at: number;
}

/** A line of a server's log that tells of an event. */
const EVENT = /^(\S+) INFO +server (X[0-9a-f]{16}) at \S+ (joined|left)$/;

/** What one server has seen. */
export class Watcher {
  /** All events so far. */
  readonly events: Event[] = [];
  /** The servers that it lists now, itself included. */
  readonly listed: Set<string>;
  readonly #changed: () => void;

  /**
   * @param id The server's own.
   * @param log Is read to its end.
   * @param changed Called after each event.
   */
  constructor(id: string, log: ReadableStream<Uint8Array>, changed: () => void) {
    this.listed = new Set([id]);
    this.#changed = changed;
    this.#read(log);
  }

  /** When a server was first seen to come or go, at or after a time; undefined if never. */
  first(type: Event["type"], id: string, since: number): number | undefined {
    return this.events.find((e) => e.type === type && e.id === id && e.at >= since)?.at;
  }

  async #read(log: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of log) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    }
  }

  #take(line: string): void {
    const [, time = "", id = "", type] = EVENT.exec(line) ?? [];
    if (type !== "joined" && type !== "left") return;
    this.events.push({ type, id, at: Date.parse(time) });
    if (type === "joined") this.listed.add(id);
    else this.listed.delete(id);
    this.#changed();
  }
}

/** Waits for what watchers see. */
export class Timeline {
  readonly #waiting = new Set<() => void>();

  /** To be called when a watcher has seen something. */
  readonly changed = (): void => {
    for (const look of [...this.#waiting]) look();
  };

  /**
   * Waits for something that depends on what the watchers have seen.
   *
   * @param look Returns undefined as long as it is not so.
   * @throws {Error} with `what`, and what `seen` returns, after `withinMs`.
   */
  until<T>(
    what: string,
    withinMs: number,
    look: () => T | undefined,
    seen: () => unknown,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const tryIt = () => {
      const found = look();
      if (found === undefined) return;
      clearTimeout(timer);
      this.#waiting.delete(tryIt);
      resolve(found);
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(tryIt);
      reject(new Error(`${what}: not within ${withinMs} ms; now: ${Deno.inspect(seen())}`));
    }, withinMs);
    this.#waiting.add(tryIt);
    tryIt();
    return promise;
  }
}
