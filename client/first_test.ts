import { assert, assertEquals, assertRejects } from "@std/assert";
import { CircuitError } from "../overlay/errors.ts";
import type { Session } from "../overlay/transport/session.ts";
import { type Dial, first, NEXT_AFTER_MS } from "./first.ts";

/** What the server at a port does: `N` answers after so many ms, `-N` fails after so many. */
type Script = Record<number, number>;

/** Dials servers that there are not, and writes down what became of it. */
class Dials {
  readonly begun: number[] = [];
  readonly givenUp: number[] = [];
  readonly closed: number[] = [];
  readonly #script: Script;
  readonly #code;

  constructor(script: Script, code: CircuitError["code"] = "UNREACHABLE") {
    this.#script = script;
    this.#code = code;
  }

  readonly dial: Dial = async ({ port }, signal) => {
    this.begun.push(port);
    const ms = this.#script[port] ?? Infinity;
    const over = Promise.withResolvers<void>();
    const timer = ms === Infinity ? undefined : setTimeout(over.resolve, Math.abs(ms));
    const onAbort = () => over.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await over.promise;
    } catch (error) {
      this.givenUp.push(port);
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
    if (ms < 0) throw new CircuitError(this.#code, `no server on port ${port}`);
    const close = () => Promise.resolve(void this.closed.push(port));
    return { port, close } as unknown as Session;
  };
}

const addresses = (...ports: number[]) => () => ports.map((port) => `127.0.0.1:${port}`);

const portOf = (session: Session) => (session as unknown as { port: number }).port;

Deno.test("first() takes the next server when one fails", async () => {
  const dials = new Dials({ 1: -1, 2: -1, 3: 1, 4: 1 });
  assertEquals(portOf(await first(addresses(1, 2, 3, 4), dials.dial)), 3);
  assertEquals(dials.begun, [1, 2, 3]);
});

Deno.test("first() does not wait for a server that keeps silent, and gives it up", async () => {
  const dials = new Dials({ 1: Infinity, 2: Infinity, 3: 5 });
  const began = performance.now();
  assertEquals(portOf(await first(addresses(1, 2, 3, 4), dials.dial)), 3);
  assert(performance.now() - began >= 2 * NEXT_AFTER_MS - 10);
  assertEquals([dials.begun, dials.givenUp], [[1, 2, 3], [1, 2]]);
});

Deno.test("first() gives up servers that do not answer in time", async () => {
  const dials = new Dials({ 1: -1, 2: Infinity });
  const found = () => first(addresses(1, 2), dials.dial, { answerMs: 20 });
  const error = await assertRejects(found, CircuitError);
  assertEquals(
    [error.code, error.message],
    ["TIMEOUT", "cannot reach 127.0.0.1:2: no answer within 0.02 s"],
  );
  assertEquals(dials.givenUp, [2]);
  // Where all have failed before that, there is nothing to wait for.
  const failing = () => first(addresses(1), dials.dial, { answerMs: 1_000_000 });
  assertEquals((await assertRejects(failing, CircuitError)).code, "UNREACHABLE");
});

Deno.test("first() takes an earlier server that answers late after all", async () => {
  const dials = new Dials({ 1: NEXT_AFTER_MS + 50, 2: Infinity });
  assertEquals(portOf(await first(addresses(1, 2), dials.dial)), 1);
  assertEquals(dials.givenUp, [2]);
});

Deno.test("first() closes what answers once another server has", async () => {
  const closed = Promise.withResolvers<void>();
  const late = Promise.withResolvers<Session>();
  const dial: Dial = ({ port }) => {
    if (port === 1) return late.promise;
    return Promise.resolve({ port, close: () => Promise.resolve() } as unknown as Session);
  };
  assertEquals(portOf(await first(addresses(1, 2), dial)), 2);
  late.resolve({ port: 1, close: () => Promise.resolve(closed.resolve()) } as unknown as Session);
  await closed.promise;
});

Deno.test("first() fails as the last server did, or at once where others would too", async () => {
  const dials = new Dials({ 1: -1, 2: -20, 3: -1 });
  await assertRejects(() => first(addresses(1, 2, 3), dials.dial), CircuitError, "port 3");
  const denied = new Dials({ 1: -1, 2: 1 }, "DENIED");
  await assertRejects(() => first(addresses(1, 2), denied.dial), CircuitError, "port 1");
  assertEquals(denied.begun, [1]);
  const tolerant = new Dials({ 1: -1, 2: 1 }, "DENIED");
  assertEquals(portOf(await first(addresses(1, 2), tolerant.dial, { tolerant: true })), 2);
  const none = await assertRejects(() => first(() => [], dials.dial), CircuitError);
  assertEquals(none.code, "UNREACHABLE");
});

Deno.test("first() gives up by its signal, with its reason", async () => {
  const dials = new Dials({});
  const reason = new Error("changed my mind");
  const controller = new AbortController();
  let ended = false;
  const seeds = async function* (signal: AbortSignal) {
    yield "127.0.0.1:1";
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    ended = true;
  };
  const failure = assertRejects(() => first(seeds, dials.dial, controller), CircuitError);
  setTimeout(() => controller.abort(reason), NEXT_AFTER_MS + 20);
  const error = await failure;
  assertEquals([error.code, error.cause, ended], ["ABORTED", reason, true]);
  assertEquals(error.message, "cannot dial 127.0.0.1:1: cancelled by the caller");
  const early = await assertRejects(
    () => first(seeds, dials.dial, { signal: AbortSignal.abort(reason) }),
    CircuitError,
  );
  assertEquals([early.code, early.cause], ["ABORTED", reason]);
});
