import { assertEquals } from "@std/assert";
import { confirmAt, type Evidence } from "./confirm.ts";
import { DEFAULT_TUNING } from "./tuning.ts";

const BASE: Evidence = { since: 10_000, mine: true, second: false, heldUntil: 0 };

const TABLE: [string, Partial<Evidence>, number][] = [
  ["one reporter", {}, 11_750],
  ["two reporters", { second: true }, 11_000],
  ["a server that only heard of it", { mine: false }, 13_500],
  ["the same with two reporters", { mine: false, second: true }, 13_500],
  ["a veto that holds longer", { heldUntil: 12_500 }, 12_500],
  ["a veto that is over before", { heldUntil: 10_500 }, 11_750],
  ["a veto against two", { second: true, heldUntil: 12_500 }, 12_500],
];

for (const [name, evidence, expected] of TABLE) {
  Deno.test(`confirmAt() for ${name} is ${expected - 10_000} ms later`, () => {
    assertEquals(confirmAt(DEFAULT_TUNING, { ...BASE, ...evidence }), expected);
  });
}

Deno.test("the constants fit together", () => {
  const t = DEFAULT_TUNING;
  // A pause of 1.4 s between two heartbeats makes nobody a suspect.
  assertEquals(t.heartbeatMs + 1400 < t.silenceMs, true);
  // After a real death no neighbour has heard the suspect so lately that it vetoes.
  assertEquals(t.vetoFreshMs < t.silenceMs - t.heartbeatMs, true);
  // The slowest death, with 250 ms to spread, is within 4.5 s.
  assertEquals(t.silenceMs + t.confirmOneMs + 250 <= 4500, true);
  // Those who only heard of a suspicion leave the verdict to the reporters.
  assertEquals(t.confirmOtherMs > t.confirmOneMs + 1000, true);
});
