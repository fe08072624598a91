/**
 * Dialling into a circuit, and the client that comes of it.
 *
 * @module
 */

import { parsePath } from "../elements/path.ts";
import { parseAddress } from "../overlay/address.ts";
import { CircuitError } from "../overlay/errors.ts";
import { checkKey, readKeyFile } from "../overlay/transport/key.ts";
import { tcp } from "../overlay/transport/tcp.ts";
import { AnchorHandle } from "./anchor.ts";
import type { Seeds } from "./first.ts";
import { Router } from "./router.ts";
import type { Anchor, CallOptions, Client, DialOptions } from "./types.ts";

/**
 * Connects to the server at an address.
 *
 * @param address `circuit://HOST:PORT/PID/Q…`, which only that very server answers to, or a bare
 * `HOST:PORT`.
 * @param options The circuit's key, a signal that gives up, and whether to go on with another server
 * when this one is lost. Default: none of them.
 * @returns a client, which has a connection until it is closed or disposed of.
 * @throws {CircuitError} `BAD_REQUEST` if it is not an address or the key is none, `UNREACHABLE` if
 * nobody answers there or another server does, `TIMEOUT` if there is no answer within 5 s, `PROTOCOL`
 * if something else answers; `DENIED` if only one side has a key or the keys are different;
 * `NOT_FOUND` or `DENIED` if the key file cannot be read; `SERVER_GONE` if the server is lost before a
 * client that redials knows of another one; `ABORTED` or `TIMEOUT` by the signal.
 *
 * @example
 * ```ts
 * import { dial } from "jsr:@circuit/cli/client";
 * import { startServer } from "jsr:@circuit/cli/server";
 *
 * await using server = await startServer({ addr: "127.0.0.1:0" });
 *
 * await using client = await dial(server.address);
 * console.assert(client.serverId === server.serverId);
 * ```
 */
export async function dial(address: string, options?: DialOptions): Promise<Client> {
  parseAddress(address);
  return await dialFirst(() => [address], options);
}

/**
 * Connects to the first server that answers.
 *
 * @param seeds Finds servers.
 * @throws {CircuitError} why none of them can be connected to.
 */
export async function dialFirst(
  seeds: Seeds,
  options: DialOptions = {},
): Promise<Client> {
  const { signal, timeoutMs: answerMs, redial = false } = options;
  const key = await keyOf(options);
  const endpoint = { network: tcp, ...(key && { keys: [key] }) };
  return new DialledClient(await Router.connect({ endpoint, seeds, answerMs, redial }, signal));
}

/**
 * The key that options name, if any.
 *
 * @throws {CircuitError} `BAD_REQUEST` if it is none or they name two; as `readKeyFile`.
 */
export async function keyOf({ key, keyFile }: DialOptions): Promise<Uint8Array | undefined> {
  if (key && keyFile !== undefined) {
    throw new CircuitError("BAD_REQUEST", "want a key or a key file, not both");
  }
  if (key) checkKey(key);
  return keyFile === undefined ? key : (await readKeyFile(keyFile)).keys[0];
}

class DialledClient implements Client {
  readonly #router: Router;
  readonly #root: AnchorHandle;

  constructor(router: Router) {
    this.#router = router;
    this.#root = new AnchorHandle(router, []);
  }

  get address(): string {
    return this.#router.dialIn.address;
  }

  get serverId(): string {
    return this.#router.dialIn.id ?? ""; // a server that is dialled always has one
  }

  get closed(): Promise<void> {
    return this.#router.closed;
  }

  anchor(path: string): Anchor {
    return new AnchorHandle(this.#router, parsePath(path));
  }

  servers(options?: CallOptions): Promise<Anchor[]> {
    return this.#root.servers(options);
  }

  async close(): Promise<void> {
    await this.#router.close(new CircuitError("ABORTED", "the client was closed"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
