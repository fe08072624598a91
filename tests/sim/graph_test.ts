import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { components, degrees, diameter, type Graph, spectralGap, without } from "./graph.ts";
import { seeded } from "../random.ts";

function ring(n: number): Graph {
  return Array.from({ length: n }, (_, i) => [(i + 1) % n, (i + n - 1) % n]);
}

function complete(n: number): Graph {
  const all = Array.from({ length: n }, (_, i) => i);
  return all.map((i) => all.filter((j) => j !== i));
}

Deno.test("diameter() of a ring is half its length", () => {
  assertEquals(diameter(ring(20)), 10);
  assertEquals(diameter(complete(5)), 1);
  assertEquals(diameter([[], []]), Infinity);
});

Deno.test("components() and without() take a ring apart", () => {
  assertEquals(components(without(ring(10), new Set([0, 5]))), [4, 4]);
  assertEquals([...degrees(without(ring(10), new Set([0])))], [[1, 2], [2, 7]]);
});

Deno.test("spectralGap() is that of the books", () => {
  // A complete graph has the eigenvalues 1 and −1/(n−1), a ring cos(2πk/n).
  assertAlmostEquals(spectralGap(complete(10), seeded(1)), 1 + 1 / 9, 0.01);
  assertAlmostEquals(spectralGap(ring(12), seeded(1)), 1 - Math.cos(Math.PI / 6), 0.01);
  assert(
    spectralGap([...complete(5), ...complete(5).map((l) => l.map((i) => i + 5))], seeded(1)) < 0.01,
  );
});
