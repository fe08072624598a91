import { assertEquals, assertMatch } from "@std/assert";
import { CircuitError } from "../errors.ts";
import { Handshakes } from "./handshakes.ts";

/** A handshake that ends when it is told to. */
function begin(handshakes: Handshakes, remote: string) {
  const ended = Promise.withResolvers<string>();
  const state: { reason: unknown; finish: () => void } = {
    reason: undefined,
    finish: () => ended.resolve("done"),
  };
  const result = handshakes.run(remote, (signal) => {
    signal.addEventListener("abort", () => {
      state.reason = signal.reason;
      ended.resolve("given up");
    });
    return ended.promise;
  });
  return { state, result };
}

Deno.test("Handshakes.run() gives up the oldest where there are as many as there may be", async () => {
  const handshakes = new Handshakes(3);
  const all = [1, 2, 3].map((port) => begin(handshakes, `192.0.2.1:${port}`));
  assertEquals(handshakes.size, 3);
  assertEquals(all.map(({ state }) => state.reason), [undefined, undefined, undefined]);
  all.push(begin(handshakes, "192.0.2.1:4"));
  assertEquals(handshakes.size, 3);
  const reason = all[0]?.state.reason;
  assertEquals(reason instanceof CircuitError && reason.code, "BUSY");
  assertMatch(String(reason), /too many connections that are not yet done/);
  assertEquals(await all[0]?.result, "given up");
  for (const { state } of all.slice(1)) state.finish();
  assertEquals(
    await Promise.all(all.slice(1).map(({ result }) => result)),
    ["done", "done", "done"],
  );
  assertEquals([handshakes.size, handshakes.drop()], [0, false]);
});

Deno.test("Handshakes.run() gives up one of the host that has the most", async () => {
  const handshakes = new Handshakes(4);
  const quiet = begin(handshakes, "[2001:db8::1]:1");
  const loud = [1, 2, 3].map((port) => begin(handshakes, `192.0.2.1:${port}`));
  for (let port = 4; port < 50; port++) loud.push(begin(handshakes, `192.0.2.1:${port}`));
  const other = begin(handshakes, "192.0.2.2:1");
  assertEquals([quiet.state.reason, other.state.reason], [undefined, undefined]);
  assertEquals(loud.filter(({ state }) => state.reason === undefined).length, 2);
  handshakes.stop();
  for (const { result } of [quiet, other, ...loud]) assertEquals(await result, "given up");
  assertEquals(quiet.state.reason instanceof CircuitError, false);
  assertEquals(handshakes.size, 0);
});

Deno.test("Handshakes.run() passes on what its work fails with", async () => {
  const handshakes = new Handshakes(1);
  const failing = handshakes.run("host:1", () => Promise.reject(new Error("so be it")));
  assertEquals(await failing.catch((error) => error.message), "so be it");
  assertEquals(handshakes.size, 0);
});
