/**
 * Ways into the circuit: clients that are dialled anew when they are lost.
 *
 * @module
 */

import { CircuitError, type Client, dial } from "../../mod.ts";
import type { Circuit, Slot } from "./circuit.ts";

/** Milliseconds between two attempts to dial. */
const RETRY_MS = 100;

/** Milliseconds that an attempt to dial may take. */
const DIAL_MS = 5_000;

/** A way in by one server, or one that finds another server by itself. */
export class Reach implements AsyncDisposable {
  readonly #circuit: Circuit;
  readonly #slot: Slot;
  readonly #redial: boolean;
  #client: Client | undefined;
  #dialling: Promise<Client> | undefined;

  /**
   * @param slot Where it dials in.
   * @param redial Whether to go on with another server when that one is lost.
   */
  constructor(circuit: Circuit, slot: Slot, redial = false) {
    this.#circuit = circuit;
    this.#slot = slot;
    this.#redial = redial;
  }

  /**
   * A client that is not known to be lost; dials for as long as it takes.
   *
   * @throws {CircuitError} `ABORTED` by the signal.
   */
  client(signal: AbortSignal): Promise<Client> {
    if (this.#client) return Promise.resolve(this.#client);
    return this.#dialling ??= this.#dial(signal).finally(() => this.#dialling = undefined);
  }

  /** Whether the client was lost, as far as that is known once all that has come is dealt with. */
  async lost(): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return this.#client === undefined;
  }

  /** Closes the client. What dials must have been given up by its signal. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dialling?.catch(() => {});
    await this.#client?.close();
  }

  async #dial(signal: AbortSignal): Promise<Client> {
    for (;;) {
      if (signal.aborted) throw new CircuitError("ABORTED", "dialling was given up");
      try {
        const address = this.#slot.member?.server.address;
        if (address === undefined) throw new CircuitError("UNREACHABLE", "no server there");
        const client = await dial(address, {
          key: this.#circuit.key,
          redial: this.#redial,
          signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)]),
        });
        client.closed.then(() => {
          if (this.#client === client) this.#client = undefined;
        });
        return this.#client = client;
      } catch (error) {
        if (!signal.aborted) this.#circuit.excuse(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
