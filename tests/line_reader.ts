/**
 * Reading what a process prints, by lines or by bytes.
 *
 * @module
 */

/** A byte stream of which lines, and then the rest, can be taken. */
export class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array(0);

  /** @param stream Nothing is read from it before it is asked for. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next line without its end; what is left at the stream's end counts as one. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(0x0a);
      if (end >= 0) return new TextDecoder().decode(this.#take(end + 1).subarray(0, end));
      if (!await this.#more()) return new TextDecoder().decode(this.#take(this.#buffer.length));
    }
  }

  /** The next `count` bytes; fewer at the stream's end. */
  async bytes(count: number): Promise<Uint8Array> {
    while (this.#buffer.length < count && await this.#more());
    return this.#take(Math.min(count, this.#buffer.length));
  }

  /** All that is left. */
  async rest(): Promise<Uint8Array> {
    const chunks = [this.#take(this.#buffer.length)];
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) break;
      chunks.push(value);
    }
    return concat(chunks);
  }

  /** Closes the reading end. */
  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#reader.read();
    if (done) return false;
    this.#buffer = concat([this.#buffer, value]);
    return true;
  }
}

/** The pieces, one after the other. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
