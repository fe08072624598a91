/**
 * Dialling into a circuit, and the client that comes of it.
 *
 * @module
 */

import { parsePath } from "../elements/path.ts";
import { parseAddress } from "../overlay/address.ts";
import { CircuitError } from "../overlay/errors.ts";
import { dialSession, type Endpoint } from "../overlay/transport/connect.ts";
import { checkKey } from "../overlay/transport/key.ts";
import type { Session } from "../overlay/transport/session.ts";
import { tcp } from "../overlay/transport/tcp.ts";
import { AnchorHandle } from "./anchor.ts";
import { Router } from "./router.ts";
import type { Anchor, CallOptions, Client, DialOptions } from "./types.ts";

/**
 * Connects to the server at an address.
 *
 * @param address `circuit://HOST:PORT/PID/Q…`, which only that very server answers to, or a bare
 * `HOST:PORT`.
 * @throws {CircuitError} `BAD_REQUEST` if it is not an address, `UNREACHABLE` if nobody answers
 * there or another server does, `TIMEOUT` if there is no answer within 5 s, `PROTOCOL` if something
 * else answers; `DENIED` if only one side has a key or the keys are different.
 */
export async function dial(address: string, options?: DialOptions): Promise<Client> {
  const { key } = options ?? {};
  if (key) checkKey(key);
  const endpoint: Endpoint = { network: tcp, ...(key && { keys: [key] }) };
  let client: DialledClient | undefined;
  // Of who has left only the dial-in server is believed: the circuit is known through it.
  const onMember = (_: Session, payload: Uint8Array) => client?.left(payload);
  const dialIn = { ...endpoint, onMember };
  const session = await dialSession(dialIn, parseAddress(address), options?.signal);
  return client = new DialledClient(endpoint, session);
}

class DialledClient implements Client {
  readonly address: string;
  readonly serverId: string;
  readonly closed: Promise<void>;
  readonly #router: Router;
  readonly #root: AnchorHandle;

  constructor(endpoint: Endpoint, session: Session) {
    const { id, address } = session.peer;
    if (id === undefined) throw new CircuitError("PROTOCOL", `${address} is not a server`);
    this.address = address;
    this.serverId = id;
    this.#router = new Router(endpoint, session);
    this.#root = new AnchorHandle(this.#router, []);
    // When the dial-in server is lost, what goes straight to others has no use either: the circuit
    // is known through it.
    this.closed = session.closed.then((error) => this.#router.close(error));
  }

  /** The dial-in server says which server has left; what is no ID of one in use is ignored. */
  left(payload: Uint8Array): void {
    this.#router.left(new TextDecoder().decode(payload));
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
