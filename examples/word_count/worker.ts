/**
 * A worker: takes a file from the channel `jobs`, counts its words, sends the count through the
 * channel `results`, and only then says that it has received the file.
 *
 * @module
 */

// In a copy outside this tree: from "jsr:@circuit/cli/client".
import { type Chan, CircuitError, type Client } from "../../mod.ts";
import { connectTo } from "../connect_to.ts";

/** A file, as it begins in a message. */
interface Header {
  readonly file: string;
  /** Bytes that follow. */
  readonly size: number;
}

/** Works until the channels are gone, or the server that the worker is on. */
export async function work([address = "", hub = ""]: readonly string[]): Promise<void> {
  await using client = await connectTo(address);
  const jobs = await channel(client, `${hub}/jobs`);
  const results = await channel(client, `${hub}/results`);
  for (;;) {
    const message = await jobs.recv();
    try {
      await countOne(message.getReader(), results);
    } catch (error) {
      // The sender went away half-way; what it sends again is another message.
      if (!(error instanceof CircuitError && error.code === "ABORTED")) throw error;
    }
  }
}

async function countOne(
  message: ReadableStreamDefaultReader<Uint8Array>,
  results: Chan,
): Promise<void> {
  const reader = new MessageReader(message);
  const { file, size } = JSON.parse(await reader.line()) as Header;
  const counter = new WordCounter();
  await reader.bytes(size, (chunk) => counter.add(chunk));
  const result = JSON.stringify({ file, counts: [...counter.end()] });
  await results.sendBytes(new TextEncoder().encode(result));
  // All bytes are here, but only who has read the end has received the message. If this worker dies
  // before that, another one gets the file.
  while (!(await message.read()).done);
}

async function channel(client: Client, path: string): Promise<Chan> {
  const element = await client.anchor(path).get();
  if (element?.kind !== "chan") throw new Error(`${path} holds no channel`);
  return element;
}

/** Reads a message up to a length, and never its end. */
class MessageReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest = new Uint8Array();

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  /** The bytes up to the first line's end, as text. */
  async line(): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    for (;;) {
      const chunk = await this.#chunk();
      const end = chunk.indexOf(0x0a);
      if (end >= 0) {
        this.#rest = chunk.subarray(end + 1);
        return text + decoder.decode(chunk.subarray(0, end));
      }
      text += decoder.decode(chunk, { stream: true });
    }
  }

  /** The next `count` bytes, as they come. */
  async bytes(count: number, take: (chunk: Uint8Array) => void): Promise<void> {
    while (count > 0) {
      const chunk = await this.#chunk();
      take(chunk);
      count -= chunk.length;
    }
  }

  async #chunk(): Promise<Uint8Array<ArrayBuffer>> {
    const rest = this.#rest;
    this.#rest = new Uint8Array();
    if (rest.length > 0) return rest;
    const { value, done } = await this.#reader.read();
    if (done) throw new Error("a message is shorter than it says");
    return value as Uint8Array<ArrayBuffer>;
  }
}

/** Counts the words of a text that comes in pieces: letters, in lower case. */
export class WordCounter {
  readonly #counts = new Map<string, number>();
  readonly #decoder = new TextDecoder();
  #partial = "";

  /** The next piece. */
  add(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** All words, and how often each was there. */
  end(): ReadonlyMap<string, number> {
    this.#take(`${this.#decoder.decode()}\n`);
    return this.#counts;
  }

  #take(piece: string): void {
    const text = this.#partial + piece;
    // A word at the end may go on in the next piece.
    const whole = /\p{L}*$/u.exec(text)?.index ?? text.length;
    this.#partial = text.slice(whole);
    for (const [word] of text.slice(0, whole).matchAll(/\p{L}+/gu)) {
      const lower = word.toLowerCase();
      this.#counts.set(lower, (this.#counts.get(lower) ?? 0) + 1);
    }
  }
}
