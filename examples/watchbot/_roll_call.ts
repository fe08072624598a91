/**
 * Counts payloads for the tests: each holds a connection to the test for as long as it lives, and the
 * system closes that when it dies, however that comes.
 *
 * @module
 */

import { until } from "../../tests/until.ts";

/** A payload that lives. */
export interface Present {
  /** The epoch that it was started in. */
  readonly epoch: number;
  /** The ID of the server that it runs on. */
  readonly server: string;
  /** The number of its process. */
  readonly pid: number;
}

/** All payloads of a test. */
export class RollCall implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #present = new Set<Present>();
  readonly #serving: Promise<void>;
  readonly #conns = new Set<Promise<void>>();
  #most = 0;

  constructor() {
    this.#serving = this.#serve();
  }

  /** A payload that takes part. */
  get command(): string[] {
    const { port } = this.#listener.addr as Deno.NetAddr;
    const line = `exec 9<>/dev/tcp/127.0.0.1/${port}
      echo "$WATCHBOT_EPOCH $WATCHBOT_SERVER $$" >&9
      cat <&9 > /dev/null`;
    return ["/bin/bash", "-c", line];
  }

  /** Those that live now. */
  get present(): Present[] {
    return [...this.#present];
  }

  /** Most that have lived at a time. */
  get most(): number {
    return this.#most;
  }

  /**
   * Waits until exactly one lives, in a later epoch than this.
   *
   * @param ms How long that may take.
   */
  async one(after: number, ms: number): Promise<Present> {
    const right = (seen: Present[]) => seen.length === 1 && (seen[0]?.epoch ?? 0) > after;
    const [only] = await until("exactly one new payload", () => this.present, right, {
      within: ms,
    });
    if (!only) throw new Error("there is none");
    return only;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
    await Promise.all(this.#conns);
  }

  async #serve(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        const over: Promise<void> = this.#count(conn).finally(() => this.#conns.delete(over));
        this.#conns.add(over);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #count(conn: Deno.Conn): Promise<void> {
    let present: Present | undefined;
    try {
      for await (const text of conn.readable.pipeThrough(new TextDecoderStream())) {
        const [epoch, server = "", pid] = text.trim().split(" ");
        present = { epoch: Number(epoch), server, pid: Number(pid) };
        this.#present.add(present);
        this.#most = Math.max(this.#most, this.#present.size);
      }
    } catch {
      // Killed while something was on its way to it.
    } finally {
      if (present) this.#present.delete(present);
    }
  }
}
