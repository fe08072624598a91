/**
 * A peer that speaks raw bytes, for tests of what a session does with whatever it is sent.
 *
 * @module
 */

import { answerSession, type Endpoint } from "./connect.ts";
import { type FrameType, readU32 } from "./frame.ts";
import { FrameBuffer } from "./frame_buffer.ts";
import { encodeHello, readHello, writeAll } from "./hello.ts";
import { HEADER_BYTES } from "./limits.ts";
import { MemoryNetwork } from "./memory.ts";
import type { Conn } from "./network.ts";
import type { Session } from "./session.ts";
import { addressOf, SERVER_ID, until } from "./_testing.ts";

/** A frame, cut out of bytes. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** The frames that these bytes are. */
export function splitFrames(bytes: Uint8Array): RawFrame[] {
  const frames: RawFrame[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + HEADER_BYTES + readU32(bytes, at);
    if (end > bytes.length) break;
    frames.push({
      type: bytes[at + 4] ?? 0,
      flags: bytes[at + 5] ?? 0,
      stream: readU32(bytes, at + 6),
      payload: bytes.slice(at + HEADER_BYTES, end),
    });
    at = end;
  }
  return frames;
}

/** A client that sends what a test tells it to, and understands no rules. */
export class RawPeer implements AsyncDisposable {
  readonly conn: Conn;
  readonly session: Session;
  #received = new Uint8Array(0);
  #ended = false;
  readonly #reading: Promise<void>;

  constructor(conn: Conn, session: Session) {
    this.conn = conn;
    this.session = session;
    this.#reading = this.#read();
  }

  /** Connects to a session that serves as `endpoint` says. */
  static async connect(endpoint: Partial<Endpoint> = {}): Promise<RawPeer> {
    const network = new MemoryNetwork();
    const listener = network.listen("server", 0);
    const [conn, accepted] = await Promise.all([
      network.dial("server", listener.port, new AbortController().signal),
      listener.accept(),
    ]);
    listener.close();
    const self = { id: SERVER_ID, address: addressOf(SERVER_ID) };
    const answering = answerSession({ network, self, ...endpoint }, accepted!); // just dialled
    await writeAll(conn, clientHello());
    await readHello(conn);
    return new RawPeer(conn, await answering);
  }

  /** Sends a frame. */
  async send(type: FrameType | number, stream: number, payload: Uint8Array, flags = 0) {
    const out = new FrameBuffer();
    out.frame(type as FrameType, flags, stream, payload);
    await writeAll(this.conn, out.view());
  }

  /** Frames that came so far. */
  get frames(): RawFrame[] {
    return splitFrames(this.#received);
  }

  /** True once the session has closed the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The next frame of this type, of those that came or will. */
  async frame(type: FrameType): Promise<RawFrame> {
    const find = () => this.frames.find((frame) => frame.type === type);
    await until(() => find() !== undefined || this.#ended);
    const found = find();
    if (!found) throw new Error(`the connection ended before a frame of type ${type}`);
    return found;
  }

  async [Symbol.asyncDispose]() {
    this.conn.close();
    await Promise.all([this.#reading, this.session.closed]);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await this.conn.read(buffer);
      if (count === null) break;
      const all = new Uint8Array(this.#received.length + count);
      all.set(this.#received);
      all.set(buffer.subarray(0, count), this.#received.length);
      this.#received = all;
    }
    this.#ended = true;
  }
}

/** The hello of a client that takes any server. */
export function clientHello(): Uint8Array<ArrayBuffer> {
  return encodeHello({
    role: "client",
    flags: 0,
    id: undefined,
    expected: undefined,
    refusal: undefined,
    address: "",
  });
}
