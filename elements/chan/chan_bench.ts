/**
 * What a channel costs a message, without any transport: the pure queue as the baseline, then whole
 * messages through the element with a caller's end that does nothing but answer. Each iteration is
 * a thousand messages; 500,000 messages a second are 2 ms an iteration.
 *
 * @module
 */

import type { CircuitError } from "../../overlay/errors.ts";
import { callPair } from "../_testing/call_pair.ts";
import type { Call } from "../call.ts";
import { makeChan } from "./chan.ts";
import { ChanQueue, Recv, Send } from "./queue.ts";

const MESSAGES = 1_000;
const BODY = new Uint8Array(100);

class S extends Send<S> {}
class R extends Recv<R> {}

/** A call whose caller has sent everything with its request, and reads at once what comes. */
class InstantCall implements Call {
  #body: Uint8Array | undefined;
  #onOver: ((error: CircuitError | undefined) => void) | undefined;

  constructor(body: Uint8Array | undefined) {
    this.#body = body;
  }

  get ended(): boolean {
    return this.#body === undefined;
  }

  get window(): number {
    return 1 << 16;
  }

  get acknowledged(): number {
    return 0;
  }

  read(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.poll());
  }

  poll(): Uint8Array | undefined {
    const body = this.#body;
    this.#body = undefined;
    return body;
  }

  grant(): void {}

  accept(options?: { last?: boolean }): void {
    if (options?.last) this.end();
  }

  write(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    const callback = this.#onOver;
    this.#onOver = undefined;
    callback?.(undefined);
  }

  fail(): void {}

  onOver(callback: (error: CircuitError | undefined) => void): void {
    this.#onOver = callback;
  }
}

const context = { path: "/X0000000000000000/bench" };

Deno.bench("queue alone, send then recv", { group: "1,000 messages", baseline: true }, () => {
  const queue = new ChanQueue<S, R>(1);
  for (let i = 0; i < MESSAGES; i++) {
    queue.send(new S());
    const send = queue.recv(new R());
    if (send) queue.finish(send);
  }
});

for (const capacity of [0, 1]) {
  const { send, recv } = makeChan(capacity, context).handlers;
  const name = `capacity ${capacity}, 100 B`;

  Deno.bench(`${name}, send then recv`, { group: "1,000 messages" }, () => {
    for (let i = 0; i < MESSAGES; i++) {
      send?.(undefined, new InstantCall(BODY));
      recv?.(undefined, new InstantCall(undefined));
    }
  });

  Deno.bench(`${name}, recv then send`, { group: "1,000 messages" }, () => {
    for (let i = 0; i < MESSAGES; i++) {
      recv?.(undefined, new InstantCall(undefined));
      send?.(undefined, new InstantCall(BODY));
    }
  });
}

Deno.bench("capacity 1, 100 B, with the test's call pairs", { group: "1,000 messages" }, () => {
  const { send, recv } = makeChan(1, context).handlers;
  for (let i = 0; i < MESSAGES; i++) {
    send?.(undefined, callPair({ body: BODY, end: true }).call);
    const { call, caller } = callPair();
    recv?.(undefined, call);
    caller.poll();
    caller.end();
  }
});

Deno.bench("capacity 0, one message of 64 MiB, with the test's call pairs", async () => {
  const { send, recv } = makeChan(0, context).handlers;
  const sender = callPair();
  const receiver = callPair({ window: 256 * 1024 });
  send?.(undefined, sender.call);
  recv?.(undefined, receiver.call);
  const piece = new Uint8Array(64 * 1024);
  const writing = (async () => {
    for (let i = 0; i < 1024; i++) await sender.caller.write(piece);
    sender.caller.end();
  })();
  while (await receiver.caller.read());
  receiver.caller.end();
  await writing;
});
