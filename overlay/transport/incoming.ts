/**
 * What comes in on a connection, cut into frames.
 *
 * @module
 */

import type { Share } from "../budget.ts";
import { CircuitError } from "../errors.ts";
import { type FrameType, maxPayload, readU32 } from "./frame.ts";
import { HEADER_BYTES, MIN_READ_BYTES } from "./limits.ts";
import type { Conn } from "./network.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * Takes a frame whose type exists and whose payload is not too long. The payload is valid during the
 * call only. Returns false to have no more.
 */
export type FrameHandler = (
  type: FrameType,
  flags: number,
  stream: number,
  payload: Uint8Array,
) => boolean;

/** The reading end of a connection. */
export class FrameReader {
  readonly #conn: Conn;
  readonly #buffer: ReadBuffer;
  #bytes = 0;

  /** @param share The buffer's part of the server's budget; default: without a limit. */
  constructor(conn: Conn, share?: Share) {
    this.#conn = conn;
    this.#buffer = new ReadBuffer(share);
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Memory that is held for reading, in bytes. */
  get capacity(): number {
    return this.#buffer.bytes.length;
  }

  /** True while it holds more memory than an idle connection needs; two small reads end that. */
  get large(): boolean {
    return this.capacity > MIN_READ_BYTES;
  }

  /**
   * Reads until the connection ends or `onFrame` has enough. As many frames are taken from each read
   * as it has.
   *
   * @param onRead Called after each read, before its frames are taken.
   * @throws {CircuitError} `PROTOCOL` for a frame that cannot be, and whatever the connection or
   * `onFrame` throws.
   */
  async run(onFrame: FrameHandler, onRead: () => void): Promise<void> {
    using _ = this.#buffer;
    const buffer = this.#buffer;
    for (;;) {
      const count = await this.#conn.read(buffer.space());
      if (count === null) return;
      this.#bytes += count;
      buffer.filled(count);
      onRead();
      while (this.#whole()) {
        const { bytes, at } = buffer;
        const from = at + HEADER_BYTES;
        const to = from + readU32(bytes, at);
        buffer.take(to - at);
        const type = bytes[at + 4] as FrameType; // #whole() has checked it
        const flags = bytes[at + 5]!; // a whole header is there
        if (!onFrame(type, flags, readU32(bytes, at + 6), bytes.subarray(from, to))) return;
      }
    }
  }

  /** True if the next frame is there; checks its header as soon as that is there. */
  #whole(): boolean {
    const buffer = this.#buffer;
    if (buffer.available < HEADER_BYTES) {
      buffer.want(HEADER_BYTES);
      return false;
    }
    const length = readU32(buffer.bytes, buffer.at);
    const type = buffer.bytes[buffer.at + 4]!; // a whole header is there
    const most = maxPayload(type);
    if (length > most) {
      throw new CircuitError(
        "PROTOCOL",
        most < 0 ? `it sent a frame of unknown type ${type}` : `it sent a frame of ${length} ` +
          `bytes and type ${type}: at most ${most} are allowed`,
      );
    }
    if (buffer.available >= HEADER_BYTES + length) return true;
    buffer.want(HEADER_BYTES + length);
    return false;
  }
}
