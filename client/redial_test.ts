import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, formatHostPort } from "../overlay/address.ts";
import { CircuitError } from "../overlay/errors.ts";
import type { Session } from "../overlay/transport/session.ts";
import type { Dial } from "./first.ts";
import { MAX_KNOWN, Redialler } from "./redial.ts";

/** A server that lists these addresses. */
function listing(addresses: readonly string[]): Session {
  const text = addresses.map((address, i) => `X${i}\0${address}\0`).join("");
  const chunks = [new TextEncoder().encode(text)];
  const stream = {
    reply: () => Promise.resolve(undefined),
    read: () => Promise.resolve(chunks.shift()),
    grant() {},
    fail() {},
  };
  return { open: () => stream } as unknown as Session;
}

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}:7000`);
}

const textOf = ({ host, port }: Address) => formatHostPort(host, port);

/** Refuses `failures` times, then answers. */
function refusing(failures: number): { dial: Dial; tried: string[] } {
  const tried: string[] = [];
  const dial: Dial = (address) => {
    tried.push(textOf(address));
    return tried.length > failures
      ? Promise.resolve({ address, close: () => Promise.resolve() } as unknown as Session)
      : Promise.reject(new CircuitError("UNREACHABLE", "refused"));
  };
  return { dial, tried };
}

Deno.test("Redialler tries every known server once a round, the lost one last, then the seeds", async () => {
  const known = addresses(20);
  const [lost = ""] = known;
  const seed = "10.1.0.1:7000";
  const { dial, tried } = refusing(21);
  const redialler = new Redialler({ dial, seeds: () => [seed, lost], random: () => 0 });
  await redialler.refresh(listing(known));
  const { signal } = new AbortController();
  await redialler.next(lost, signal);
  assertEquals([...tried.slice(0, 19)].sort(), known.slice(1).sort());
  assertEquals(tried.slice(19, 21), [lost, seed]);
  // The next round begins with the same server.
  assertEquals(tried.slice(21), tried.slice(0, 1));
});

Deno.test("Redialler spreads the clients of a server over all others", async () => {
  const known = addresses(10);
  const first = new Map<string, number>();
  for (let client = 0; client < 1_000; client++) {
    const redialler = new Redialler({ dial: refusing(0).dial, seeds: () => [] });
    await redialler.refresh(listing(known));
    const [address = ""] = redialler.known;
    first.set(address, (first.get(address) ?? 0) + 1);
  }
  // 100 each are expected; 50 are more than five standard deviations from that.
  assertEquals(first.size, 10);
  for (const [address, count] of first) assert(count > 50 && count < 160, `${address}: ${count}`);
});

Deno.test("Redialler remembers who was there before, behind who is there now, and not too many", async () => {
  const redialler = new Redialler({ dial: refusing(0).dial, seeds: () => [] });
  await redialler.refresh(listing(addresses(3)));
  await redialler.refresh(listing(["10.2.0.1:7000"]));
  assertEquals(redialler.known[0], "10.2.0.1:7000");
  assertEquals([...redialler.known].sort(), [...addresses(3), "10.2.0.1:7000"].sort());
  const wait = await redialler.refresh(listing(addresses(3_000)));
  assertEquals(redialler.known.length, MAX_KNOWN);
  // A listing of 3,000 servers is long: it is asked for seldom.
  assert(wait > 75_000 && wait < 140_000, `${wait} ms`);
});

Deno.test("Redialler keeps what it knows when a server does not say who is in the circuit", async () => {
  const redialler = new Redialler({ dial: refusing(0).dial, seeds: () => [] });
  await redialler.refresh(listing(addresses(3)));
  const broken = {
    open() {
      throw new CircuitError("SERVER_GONE", "lost");
    },
  } as unknown as Session;
  const wait = await redialler.refresh(broken);
  assert(wait >= 3_750, `${wait} ms`);
  assertEquals(redialler.known.length, 3);
});

Deno.test("Redialler goes on after seeds that cannot be found, until its signal is aborted", async () => {
  const { dial, tried } = refusing(Infinity);
  let rounds = 0;
  const controller = new AbortController();
  const reason = new Error("closed");
  const redialler = new Redialler({
    dial,
    // deno-lint-ignore require-yield -- it fails before it finds one
    seeds: async function* () {
      if (++rounds === 3) controller.abort(reason);
      await Promise.resolve();
      throw new CircuitError("NOT_FOUND", "no such file");
    },
    random: () => 0,
  });
  const error = await assertRejects(() => redialler.next("10.0.0.1:7000", controller.signal));
  assertEquals([error, rounds, tried.length], [reason, 3, 3]);
});
