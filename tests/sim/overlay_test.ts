/**
 * Every row of the table at sizes that take seconds; `main.ts` measures the large ones.
 */

import { assert, assertEquals } from "@std/assert";
import { build, connected, exact } from "./circuit.ts";
import { reach } from "./comparison.ts";
import { brokenLinks, hardship, massFailure, massFailureRow, restarts, split } from "./faults.ts";
import { overlayOf } from "./graph.ts";
import { Network } from "./network.ts";
import { events, idle, shape } from "./quiet.ts";
import { seeded } from "../random.ts";
import type { Row } from "./row.ts";

const SEED = 20;

function assertPass(...rows: readonly Row[]): void {
  const failed = rows.filter((row) => !row.pass);
  assertEquals(
    failed.map((row) => `${row.property}: want ${row.target}, got ${row.measured} (seed ${SEED})`),
    [],
  );
}

for (const n of [10, 100]) {
  Deno.test(`${n} servers at rest have the shape, the traffic and the reaction promised`, () => {
    const network = build(n, { seed: SEED });
    assertPass(...shape(network), idle(network).row, ...events(network).rows);
  });

  for (const how of ["crash", "silence"] as const) {
    for (const share of [0.5, 0.8] as const) {
      Deno.test(`${n} servers recover from ${share * 100} % ${how} at once`, () => {
        assertPass(massFailureRow(build(n, { seed: SEED }), share, how).row);
      });
    }
  }

  Deno.test(`${n} servers that were split find together again`, () => {
    assertPass(split(build(n, { seed: SEED })).row);
  });

  Deno.test(`${n} servers with pauses, one-way links and slow members declare nobody dead`, () => {
    const network = build(n, { seed: SEED });
    assertPass(hardship(network));
    assert(connected(network));
  });

  Deno.test(`${n} servers under loss and broken connections declare nobody dead`, () => {
    assertPass(brokenLinks(build(n, { seed: SEED, loss: 0.02 })));
  });
}

Deno.test("hardship does make servers suspects, and they refute", () => {
  const network = build(100, { seed: SEED });
  const before = network.count("suspicions");
  hardship(network);
  assert(network.count("suspicions") > before);
  assert(network.count("refutations") > 0);
});

Deno.test("both halves of a split list themselves only, until it heals", () => {
  const network = build(20, { seed: SEED });
  network.split(network.nodes.filter((_, i) => i % 2 === 1));
  network.run(60_000);
  for (const node of network.nodes) assertEquals(node.membership.size, 10);
  network.mend();
  assert(network.runTo(15_000, 100, () => exact(network)) < Infinity);
});

Deno.test("a server that stood still for 10 s is dead, and back when it runs again", () => {
  const network = build(20, { seed: SEED });
  const node = network.nodes[7];
  assert(node);
  network.pause(node, 10_000);
  network.run(4500);
  const others = network.nodes.filter((other) => other !== node);
  for (const other of others) assertEquals(other.membership.has(node.member.id), false);
  network.run(5500);
  assert(network.runTo(15_000, 100, () => exact(network)) < Infinity);
  assertEquals(network.live().length, 20);
});

/** Milliseconds within which a newcomer has joined and has its links. */
const JOIN_MS = 40;
/** Milliseconds in which a server that ends is gone everywhere. */
const GONE_MS = 1000;

for (const how of ["crash", "leave"] as const) {
  Deno.test(`a server that joins is gone within a second of its ${how}, whenever that is`, () => {
    const late: string[] = [];
    let listed = 0;
    for (const n of [1, 2, 10, 20]) {
      for (let ms = 1; ms <= JOIN_MS; ms++) {
        const network = new Network({ seed: SEED + ms });
        const seed = network.place(network.start([]));
        for (let i = 1; i < n; i++) network.start([seed]);
        network.run(20_000);
        const others = network.live();
        const lost = network.start([seed]);
        network.run(ms);
        const lists = () => others.some(({ membership }) => membership.has(lost.member.id));
        if (lists()) listed++;
        network[how](lost);
        network.run(GONE_MS);
        if (lists()) late.push(`after ${ms} ms with ${n} others`);
      }
    }
    assert(listed > JOIN_MS);
    assertEquals(late, []);
  });
}

Deno.test("restarts at the same addresses leave exact lists behind", () => {
  assertPass(restarts(build(20, { seed: SEED }), 200));
});

Deno.test("two circuits joined by one call become one", () => {
  const network = new Network({ seed: SEED });
  const a = network.start([]);
  const b = network.start([]);
  for (let i = 0; i < 15; i++) network.start([network.place(i % 2 === 0 ? a : b)]);
  network.run(5000);
  assertEquals(a.membership.size + b.membership.size, 17);
  network.input(a, { type: "join", address: network.place(b) });
  assert(network.runTo(5000, 100, () => exact(network)) < Infinity);
  // Joining what is one already is harmless.
  network.input(a, { type: "join", address: network.place(b) });
  network.run(30_000);
  assert(exact(network));
  assertPass(shape(network)[0] as Row);
});

Deno.test("everybody starting at once through one seed works out", () => {
  const network = new Network({ seed: SEED });
  const seed = network.place(network.start([]));
  for (let i = 1; i < 60; i++) network.start([seed]);
  assert(network.runTo(15_000, 100, () => exact(network)) < Infinity);
  network.run(30_000);
  assert(connected(network));
  assertPass(shape(network)[0] as Row);
});

Deno.test("a seed that comes up last is found by those who wait for it", () => {
  const network = new Network({ seed: SEED });
  const late = "10.9.9.9:7000";
  const early = [1, 2, 3].map(() => network.start([late]));
  network.run(10_000);
  network.start([], late);
  assert(network.runTo(10_000, 100, () => exact(network)) < Infinity);
  assertEquals(early[0]?.membership.size, 4);
});

Deno.test("servers that fail while others fail are found all the same", () => {
  const network = build(60, { seed: SEED });
  massFailure(network, 0.3, "silence");
  const { connectedMs, exactMs } = massFailure(network, 0.5, "silence");
  assert(connectedMs < 12_000);
  assert(exactMs < 20_000);
});

Deno.test("a message reaches most of the living after half of all failed", () => {
  const { graph } = overlayOf(build(100, { seed: SEED }));
  assert(reach(graph, 0.5, seeded(SEED)).atOnce > 0.9);
});

Deno.test("the same seed gives the same run", () => {
  const run = () => {
    const network = build(30, { seed: 5, loss: 0.02 });
    massFailure(network, 0.3, "crash");
    return [network.events, network.now, network.nodes.map((node) => node.membership.status())];
  };
  assertEquals(run(), run());
});

Deno.test("mangled frames throw nothing, and the lists come right again", () => {
  const network = new Network({ seed: SEED });
  const frames: Uint8Array[] = [];
  network.tap = (bytes) => frames.push(bytes.slice());
  const seed = network.place(network.start([]));
  for (let i = 1; i < 20; i++) network.start([seed]);
  network.run(20_000);
  network.tap = undefined;
  const { random } = network;
  const below = (n: number) => Math.floor(random() * n);
  for (let round = 0; round < 3000; round++) {
    const node = network.nodes[below(20)];
    const links = node?.membership.linkIds() ?? [];
    const link = links[below(links.length)];
    const bytes = frames[below(frames.length)]?.slice();
    if (!node || link === undefined || !bytes) continue;
    for (let flips = 1 + below(3); flips > 0; flips--) bytes[below(bytes.length)] = below(256);
    network.input(node, { type: "message", link, bytes });
    network.run(5);
  }
  assert(network.count("badFrames") > 0);
  assert(network.runTo(180_000, 1000, () => exact(network)) < Infinity);
  assert(network.runTo(30_000, 1000, () => connected(network)) < Infinity);
});
