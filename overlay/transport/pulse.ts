/**
 * Whether the peer of a session is there: pings, their answers, and the watch over silence.
 *
 * @module
 */

import type { CircuitError } from "../errors.ts";
import type { Clock } from "./clock.ts";
import { FrameType, NO_STREAM, PING_BYTES, readU32 } from "./frame.ts";
import { Keepalive } from "./keepalive.ts";
import { KEEPALIVE_MS } from "./limits.ts";
import { malformed } from "./payload.ts";

/** The payload of a ping that nobody waits for. */
const NOBODYS_PING = new Uint8Array(PING_BYTES);

/** What a pulse needs of its session. */
export interface PulseHost {
  /** Queues a frame. */
  sendFrame(type: FrameType, flags: number, stream: number, payload: Uint8Array): void;
  /** Called every {@linkcode KEEPALIVE_MS}; calls {@linkcode Pulse.check}. */
  readonly onTick: () => void;
}

/** The pings of one session. */
export class Pulse {
  readonly #host: PulseHost;
  readonly #clock: Clock;
  readonly #keepalive: Keepalive;
  readonly #pings = new Map<number, PromiseWithResolvers<void>>();
  readonly #stopTicking: () => void;
  #count = 0;

  constructor(host: PulseHost, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
    this.#keepalive = new Keepalive(clock.now());
    this.#stopTicking = clock.every(KEEPALIVE_MS, host.onTick);
  }

  /** Something came. */
  heard(): void {
    this.#keepalive.heard(this.#clock.now());
  }

  /** Pings where it is time to; true once the connection counts as lost. See {@linkcode Keepalive}. */
  check(busy: boolean, eager: boolean): boolean {
    const todo = this.#keepalive.tick(this.#clock.now(), busy, eager);
    if (todo === "ping") this.#host.sendFrame(FrameType.PING, 0, NO_STREAM, NOBODYS_PING);
    return todo === "lost";
  }

  /** Sends a PING; resolves when its PONG is there. Rejects with what {@linkcode stop} is given. */
  ping(): Promise<void> {
    const number = ++this.#count;
    const answered = Promise.withResolvers<void>();
    this.#pings.set(number, answered);
    const payload = new Uint8Array(PING_BYTES);
    new DataView(payload.buffer).setUint32(4, number);
    this.#host.sendFrame(FrameType.PING, 0, NO_STREAM, payload);
    return answered.promise;
  }

  /**
   * A PING or a PONG has come.
   *
   * @throws {CircuitError} `PROTOCOL` if it is malformed.
   */
  onFrame(type: typeof FrameType.PING | typeof FrameType.PONG, payload: Uint8Array): void {
    if (payload.length !== PING_BYTES) {
      throw malformed(type === FrameType.PING ? "a PING" : "a PONG");
    }
    if (type === FrameType.PING) {
      return this.#host.sendFrame(FrameType.PONG, 0, NO_STREAM, payload);
    }
    const number = readU32(payload, 4);
    const answered = this.#pings.get(number);
    this.#pings.delete(number);
    answered?.resolve();
  }

  /** The session has ended: pings that wait fail with `error`. */
  stop(error: CircuitError): void {
    this.#stopTicking();
    for (const { promise, reject } of this.#pings.values()) {
      promise.catch(() => {});
      reject(error);
    }
    this.#pings.clear();
  }
}
