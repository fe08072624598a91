/**
 * Outputs of many servers, gathered, and printed once for all that have the same.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { concat } from "./concat.ts";

/** Most bytes that are gathered of all servers together, each output counted once: 256 MiB. */
export const MAX_GATHERED_BYTES = 256 * 1024 * 1024;

/** An output, and the servers that have printed it. */
export interface Group {
  /** Their paths, sorted. */
  readonly paths: string[];
  readonly output: Uint8Array;
}

/** Gathers outputs. */
export class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #most: number;
  #size = 0;

  /** @param most Most bytes to hold; default {@linkcode MAX_GATHERED_BYTES}. */
  constructor(most = MAX_GATHERED_BYTES) {
    this.#most = most;
  }

  /**
   * Reads an output to its end. Also one that fails half-way is kept as far as it came.
   *
   * @throws {CircuitError} `UNSUPPORTED` if there is no room for more of it; else what the output
   * fails with.
   */
  async gather(path: string, from: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of from) {
        if (this.#size + chunk.length > this.#most) {
          throw new CircuitError(
            "UNSUPPORTED",
            `cannot gather more than ${this.#most} bytes of output; without -b there is no limit`,
          );
        }
        this.#size += chunk.length;
        chunks.push(chunk);
      }
    } finally {
      await this.#add(path, concat(chunks));
    }
  }

  /** The groups, the largest first, then by path. */
  all(): Group[] {
    return [...this.#groups.values()].sort((a, b) =>
      b.paths.length - a.paths.length || (first(a) < first(b) ? -1 : 1)
    );
  }

  async #add(path: string, output: Uint8Array<ArrayBuffer>): Promise<void> {
    const key = new Uint8Array(await crypto.subtle.digest("SHA-256", output)).toHex();
    const group = this.#groups.get(key);
    if (!group) {
      this.#groups.set(key, { paths: [path], output });
      return;
    }
    this.#size -= output.length;
    group.paths.push(path);
    group.paths.sort();
  }
}

function first(group: Group): string {
  return group.paths[0] ?? "";
}
