/**
 * The subscription element: a queue of the servers that come, or of those that go.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Call } from "../call.ts";
import type { CircuitView, ElementContext } from "../context.ts";
import type { Element, Handlers } from "../describe.ts";
import { subscriptionDescription, type SubscriptionStat } from "./description.ts";

/** Most events that wait for a receiver; a subscription that nobody reads goes when it has more. */
export const MAX_PENDING = 1_000_000;

/**
 * Makes a subscription.
 *
 * - A `join` subscription begins with all servers there are, its own included, and goes on with each
 *   that comes. A `leave` subscription has each that goes from now on.
 * - Each event goes to one receiver, in the order in which this server saw them. A receiver that goes
 *   away before it has said that it has the event puts it back at the front.
 * - A receiver that is cancelled leaves the queue as if it had never been there.
 *
 * @param source Which events.
 * @param context Where the element lives.
 * @param circuit Whose servers.
 */
export function makeSubscription(
  source: "join" | "leave",
  context: ElementContext,
  circuit: CircuitView,
): Element {
  return new Subscription(source, context, circuit);
}

class Subscription implements Element {
  readonly kind: "@join" | "@leave";
  readonly description = subscriptionDescription;
  readonly handlers: Handlers<typeof subscriptionDescription["methods"]> = {
    consume: (_, call) => this.#consume(call),
    peek: () => this.#peek(),
  };
  readonly #source: "join" | "leave";
  readonly #context: ElementContext;
  readonly #stop: () => void;
  readonly #receivers = new Set<Call>();
  #pending: string[] = [];
  #closed = false;

  constructor(source: "join" | "leave", context: ElementContext, circuit: CircuitView) {
    this.kind = `@${source}`;
    this.#source = source;
    this.#context = context;
    if (source === "join") this.#pending = circuit.servers();
    const wanted = source === "join" ? "joined" : "left";
    this.#stop = circuit.watch((event, path) => {
      if (event === wanted) this.#add(path);
    });
  }

  get backlog(): number {
    return this.#pending.length;
  }

  dispose(): void {
    this.#closed = true;
    this.#stop();
    this.#pending = [];
    for (const call of this.#receivers) call.fail(this.#scrubbed());
    this.#receivers.clear();
  }

  #add(path: string): void {
    this.#pending.push(path);
    this.#match();
    if (this.#pending.length <= MAX_PENDING) return;
    this.#context.remove();
    this.#context.log("error", `removed: ${MAX_PENDING} events wait and nobody receives them`);
  }

  #consume(call: Call): void {
    if (this.#closed) throw this.#scrubbed();
    this.#receivers.add(call);
    call.onOver(() => this.#receivers.delete(call));
    this.#match();
  }

  #match(): void {
    for (const call of this.#receivers) {
      const path = this.#pending.shift();
      if (path === undefined) return;
      this.#receivers.delete(call);
      call.accept({ first: new TextEncoder().encode(path), last: true });
      call.onOver((error) => {
        if (!error || this.#closed) return;
        this.#pending.unshift(path);
        this.#match();
      });
    }
  }

  #peek(): SubscriptionStat {
    return { source: this.#source, pending: this.#pending.length, closed: this.#closed };
  }

  #scrubbed(): CircuitError {
    return new CircuitError("ABORTED", `${this.#context.path}: the subscription was scrubbed`);
  }
}
