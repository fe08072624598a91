/**
 * Looking at files without waiting for ever. A network mount whose server is gone lets no look
 * return, and each look that hangs keeps one of the few threads that all files of this process share.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { Mounts } from "./mounts.ts";

/** Milliseconds that a file system may take to answer: 5 s. */
export const PATIENCE_MS = 5_000;

/** Looks that may be under way at one place at a time. */
const AT_ONCE = 2;

/** The looks at one place: how many are under way, and what lets the next one begin. */
interface Place {
  running: number;
  readonly waiting: Set<() => void>;
}

/** Bounds how long anyone waits for a file system, and how many threads it can hold up. */
export class Patience {
  /** What it knows of the mounts of this machine. */
  readonly mounts: Mounts = new Mounts();
  readonly #ms: number;
  readonly #places = new Map<string, Place>();

  /** @param ms Milliseconds to wait, {@linkcode PATIENCE_MS} by default. */
  constructor(ms: number = PATIENCE_MS) {
    this.#ms = ms;
  }

  /**
   * What a look returns. One place (a mount, or a directory of the root's) is looked at by few at a
   * time, so that a place that does not answer holds up nothing but the looks at it.
   *
   * @param path The file that is looked at.
   * @param look Looks at it, without blocking.
   * @throws {CircuitError} `TIMEOUT` if the place does not answer in time; else what the look throws.
   */
  async ask<T>(path: string, look: () => Promise<T>): Promise<T> {
    const key = this.#placeOf(path);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(noAnswer(path, this.#ms)), this.#ms);
    try {
      await this.#enter(key, late.promise);
      // What hangs keeps its turn until it returns.
      const answer = look().finally(() => this.#leave(key));
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #enter(key: string, late: Promise<never>): Promise<void> {
    let place = this.#places.get(key);
    if (!place) this.#places.set(key, place = { running: 0, waiting: new Set() });
    if (place.running < AT_ONCE) {
      place.running++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    place.waiting.add(turn.resolve);
    try {
      await Promise.race([turn.promise, late]);
    } catch (error) {
      // The turn may have come at the last moment.
      if (!place.waiting.delete(turn.resolve)) this.#leave(key);
      throw error;
    }
  }

  #leave(key: string): void {
    const place = this.#places.get(key);
    if (!place) return;
    const [next] = place.waiting;
    if (next) {
      // The turn passes on; nothing comes between.
      place.waiting.delete(next);
      next();
    } else if (--place.running === 0) this.#places.delete(key);
  }

  /** What hangs together: a mount, or on the root's a directory. */
  #placeOf(path: string): string {
    const mount = this.mounts.of(path);
    if (mount !== undefined && mount.point !== "/") return mount.point;
    return path.slice(0, path.lastIndexOf("/") + 1);
  }
}

/** The error for a file system that has not answered within so many milliseconds. */
export function noAnswer(path: string, ms: number): CircuitError {
  return new CircuitError(
    "TIMEOUT",
    `the file system of ${JSON.stringify(path)} has not answered within ${ms / 1000} s`,
  );
}
