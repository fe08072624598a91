/**
 * A connection whose bytes are encrypted and authenticated, once a handshake has made its keys.
 *
 * On the wire it is a row of messages in each direction: two bytes of length, big-endian, and so many
 * bytes of ciphertext, 16 to 65,535, the last 16 of which are the tag. The cleartexts, one behind the
 * other, are the bytes of the connection. A message with an empty cleartext carries none: it says that
 * the key changes behind it (Noise's REKEY, revision 34, section 11.3).
 *
 * @module
 */

import { CircuitError } from "../errors.ts";
import { SEAL_BYTES } from "./aead.ts";
import { MAX_NOISE_BYTES, type Transport } from "./noise.ts";
import type { Conn } from "./network.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** Most bytes in one message, before it is sealed. */
export const MAX_MESSAGE_BYTES = MAX_NOISE_BYTES - SEAL_BYTES;

/** Messages after which a sender changes its key. */
export const REKEY_MESSAGES = 2 ** 30;

/** Milliseconds after which a sender changes its key, with the next message that it has: 1 h. */
export const REKEY_MS = 3_600_000;

/** Bytes of the length in front of a message. */
const LENGTH_BYTES = 2;

/** Bytes of a message that changes the key. */
const REKEY_BYTES = LENGTH_BYTES + SEAL_BYTES;

/** Memory for writing that an idle connection keeps: 2 KiB. */
const KEPT_BYTES = 2 * 1024;

/** Most messages that go out in one write. */
const BATCH_MESSAGES = 4;

/** Small writes in a row after which a large buffer is given back. */
const SMALL_WRITES = 4;

const EMPTY = new Uint8Array(0);

/** What a secure connection is made of. */
export interface SecureConnOptions {
  /** Carries the ciphertext; nobody else uses it. */
  readonly conn: Conn;
  /** What the handshake has come to. */
  readonly transport: Transport;
  /** The time in milliseconds, which never goes back. */
  readonly now: () => number;
  /** Messages between changes of the key; default {@linkcode REKEY_MESSAGES}. */
  readonly rekeyMessages?: number | undefined;
  /** Milliseconds between changes of the key; default {@linkcode REKEY_MS}. */
  readonly rekeyMs?: number | undefined;
}

/**
 * Bytes that arrive are those that were sent, all of them from the beginning and in order. If anything
 * else comes, a read fails with `PROTOCOL`; later reads give nothing but the end, when the peer has
 * closed. An end behind a whole message is an end, which anybody on the way may have made: what is
 * carried has to say itself when it is complete.
 *
 * Memory: at most one buffer of ciphertext in each direction and one message that was opened and did
 * not fit into the reader's buffer.
 */
export class SecureConn implements Conn {
  readonly remote: string;
  readonly localHost: string;
  readonly #conn: Conn;
  readonly #transport: Transport;
  readonly #now: () => number;
  readonly #rekeyMessages: number;
  readonly #rekeyMs: number;
  readonly #sealed = new ReadBuffer();
  /** What was opened and not read yet. */
  #rest: Uint8Array = EMPTY;
  #failure: CircuitError | undefined;
  #told = false;
  #out = new Uint8Array(KEPT_BYTES);
  #small = 0;
  #rekeyCount: number;
  #rekeyAt: number;

  constructor(options: SecureConnOptions) {
    const { conn, transport, now } = options;
    this.#conn = conn;
    this.#transport = transport;
    this.#now = now;
    this.#rekeyMessages = options.rekeyMessages ?? REKEY_MESSAGES;
    this.#rekeyMs = options.rekeyMs ?? REKEY_MS;
    this.#rekeyCount = this.#rekeyMessages;
    this.#rekeyAt = now() + this.#rekeyMs;
    this.remote = conn.remote;
    this.localHost = conn.localHost;
  }

  /**
   * Seals `bytes` as one message if that can hold them, else as messages of about the same size, and
   * writes up to {@linkcode BATCH_MESSAGES} of them.
   */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (bytes.length === 0) return 0;
    const count = Math.min(bytes.length, BATCH_MESSAGES * MAX_MESSAGE_BYTES);
    const messages = Math.ceil(count / MAX_MESSAGE_BYTES);
    const size = Math.ceil(count / messages);
    const out = this.#room(count + messages * 2 * REKEY_BYTES);
    let length = 0;
    for (let at = 0; at < count; at += size) {
      length += this.#sealRekeyIfDue(out, length);
      length += this.#seal(bytes.subarray(at, Math.min(at + size, count)), out, length);
    }
    await this.#writeAll(out.subarray(0, length));
    return count;
  }

  /** Changes the key of this direction now, and lets the peer know: a proof that this side has it. */
  async rekey(): Promise<void> {
    const out = this.#room(REKEY_BYTES);
    await this.#writeAll(out.subarray(0, this.#sealRekey(out, 0)));
  }

  /**
   * Waits for a change of the key as the first thing that the peer says.
   *
   * @throws {CircuitError} `PROTOCOL` if it is anything else, `ABORTED` if the connection ends first.
   */
  async rekeyed(): Promise<void> {
    for (;;) {
      const message = this.#next();
      if (message?.length === 0) return;
      this.#failure ??= message &&
        new CircuitError("PROTOCOL", "it did not begin with a proof that it has the key");
      if (this.#failure) throw this.#fail();
      if (!await this.#fill()) throw this.#cut();
    }
  }

  async read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
    for (;;) {
      const count = this.#take(buffer);
      if (count > 0) return count;
      if (this.#failure) {
        if (!this.#told) throw this.#fail();
        return await this.#discard();
      }
      if (await this.#fill()) continue;
      if (this.#sealed.available > 0) throw this.#cut();
      return null;
    }
  }

  close(): void {
    this.#conn.close();
  }

  // --- writing --------------------------------------------------------------------------------

  #seal(message: Uint8Array, out: Uint8Array, at: number): number {
    const length = this.#transport.send.seal(message, out, at + LENGTH_BYTES);
    out[at] = length >>> 8;
    out[at + 1] = length;
    return LENGTH_BYTES + length;
  }

  #sealRekeyIfDue(out: Uint8Array, at: number): number {
    const due = this.#transport.send.count >= this.#rekeyCount || this.#now() >= this.#rekeyAt;
    return due ? this.#sealRekey(out, at) : 0;
  }

  #sealRekey(out: Uint8Array, at: number): number {
    const { send } = this.#transport;
    const length = this.#seal(EMPTY, out, at);
    send.rekey();
    this.#rekeyCount = send.count + this.#rekeyMessages;
    this.#rekeyAt = this.#now() + this.#rekeyMs;
    return length;
  }

  async #writeAll(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#conn.write(at === 0 ? bytes : bytes.subarray(at));
    }
  }

  /** Memory for this many bytes: what there is, but a large one does not stay for small writes. */
  #room(size: number): Uint8Array<ArrayBuffer> {
    this.#small = size <= KEPT_BYTES ? this.#small + 1 : 0;
    if (size > this.#out.length) {
      // One of two sizes, so that the next that is large fits as well.
      const one = MAX_MESSAGE_BYTES + 2 * REKEY_BYTES;
      this.#out = new Uint8Array(size <= one ? one : BATCH_MESSAGES * one);
    } else if (this.#small >= SMALL_WRITES && this.#out.length > KEPT_BYTES) {
      this.#out = new Uint8Array(KEPT_BYTES);
    }
    return this.#out;
  }

  // --- reading --------------------------------------------------------------------------------

  /** Fills `buffer` from the messages that are there; returns how many bytes it got. */
  #take(buffer: Uint8Array): number {
    let count = 0;
    while (count < buffer.length) {
      if (this.#rest.length === 0) this.#rest = this.#next() ?? EMPTY;
      const { length } = this.#rest;
      if (length === 0) {
        if (this.#whole()) continue; // that was a change of the key
        break;
      }
      const room = buffer.length - count;
      if (length <= room) {
        buffer.set(this.#rest, count);
        this.#rest = EMPTY;
        count += length;
      } else {
        buffer.set(this.#rest.subarray(0, room), count);
        this.#rest = this.#rest.subarray(room);
        count += room;
      }
    }
    return count;
  }

  /** Opens the next message; undefined if it is not there yet, or nothing can be opened any more. */
  #next(): Uint8Array | undefined {
    if (!this.#whole()) return undefined;
    const { bytes, at } = this.#sealed;
    const from = at + LENGTH_BYTES;
    const to = from + (bytes[at]! << 8 | bytes[at + 1]!); // #whole() has seen them
    const message = this.#transport.receive.open(bytes.subarray(from, to));
    this.#sealed.take(to - at);
    if (!message) {
      this.#failure = new CircuitError(
        "PROTOCOL",
        "an encrypted message was changed, left out, repeated or put in on the way",
      );
    } else if (message.length === 0) {
      this.#transport.receive.rekey();
    }
    return message;
  }

  /** True if the next message is there; checks its length as soon as that is there. */
  #whole(): boolean {
    if (this.#failure) return false;
    const { bytes, at, available } = this.#sealed;
    if (available < LENGTH_BYTES) {
      this.#sealed.want(LENGTH_BYTES);
      return false;
    }
    const length = bytes[at]! << 8 | bytes[at + 1]!; // both are there
    if (length < SEAL_BYTES) {
      this.#failure = new CircuitError(
        "PROTOCOL",
        `an encrypted message of ${length} bytes: want ${SEAL_BYTES} at least`,
      );
      return false;
    }
    if (available >= LENGTH_BYTES + length) return true;
    this.#sealed.want(LENGTH_BYTES + length);
    return false;
  }

  /** Reads more ciphertext; false at the end. */
  async #fill(): Promise<boolean> {
    const count = await this.#conn.read(this.#sealed.space());
    if (count === null) return false;
    this.#sealed.filled(count);
    return true;
  }

  /** Waits for the end, so that the peer can be told why before the connection is closed. */
  async #discard(): Promise<null> {
    for (;;) {
      this.#sealed.take(this.#sealed.available);
      if (!await this.#fill()) return null;
    }
  }

  #fail(): CircuitError {
    this.#told = true;
    return this.#failure!; // callers have looked
  }

  /** A peer that dies looks the same as somebody who cuts the line, so this is no breach of rules. */
  #cut(): CircuitError {
    return new CircuitError("ABORTED", "the connection ended inside an encrypted message");
  }
}
