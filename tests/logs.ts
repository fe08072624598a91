/**
 * The logs of the servers of a test, which are shown when it fails.
 *
 * @module
 */

import { within } from "./until.ts";

/** Milliseconds after which a test counts as hanging: 3 min. */
const HANGS_MS = 180_000;

/** Characters of a log that are kept, from its end: 64 Ki. */
const KEPT = 64 * 1024;

/** The end of what a process wrote, as text. */
export class LogBuffer {
  /** Whose log it is. */
  readonly title: string;
  /** Resolves when the process has closed its end. */
  readonly ended: Promise<void>;
  #text = "";
  #dropped = 0;

  /** Begins to read. */
  constructor(title: string, stream: ReadableStream<Uint8Array>) {
    this.title = title;
    this.ended = this.#read(stream);
  }

  /** What is kept. */
  toString(): string {
    return this.#dropped === 0
      ? this.#text
      : `… ${this.#dropped} characters before this …\n${this.#text}`;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#text += decoder.decode(chunk, { stream: true });
      const excess = this.#text.length - KEPT;
      if (excess <= 0) continue;
      this.#text = this.#text.slice(excess);
      this.#dropped += excess;
    }
  }
}

/** The logs of one test. */
export class Logs {
  readonly #buffers: LogBuffer[] = [];

  /** Keeps another process's log. */
  add(title: string, stream: ReadableStream<Uint8Array>): LogBuffer {
    const buffer = new LogBuffer(title, stream);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** All of them, for a person. */
  toString(): string {
    return this.#buffers
      .map((buffer) => `--- log of ${buffer.title} ---\n${String(buffer) || "(empty)\n"}`)
      .join("");
  }
}

/** What a test may say of itself beside its name. */
export type TestSettings = Pick<Deno.TestDefinition, "ignore" | "permissions">;

/**
 * A test with real servers: when it fails, their logs are shown.
 *
 * @param run Gets the logs, to be passed to what starts servers.
 */
export function circuitTest(
  name: string,
  run: (logs: Logs) => Promise<void>,
  settings: TestSettings = {},
): void {
  Deno.test({
    ...settings,
    name,
    async fn() {
      const logs = new Logs();
      try {
        await within(HANGS_MS, "the end of the test", run(logs));
      } catch (error) {
        console.error(String(logs));
        throw error;
      }
    },
  });
}
