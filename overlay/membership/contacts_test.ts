/**
 * Connections that are no links: what they tell of a server that dies or leaves before it has one.
 */

import { assertEquals } from "@std/assert";
import { Bench, member } from "./_bench.ts";
import { DEFAULT_TUNING } from "./tuning.ts";
import { decode, FRAME } from "./wire.ts";

const { address, id } = member(2);
const REDIAL = { type: "dial", address, id } as const;

/** A server that has a link with the third, and can serve newcomers. */
function settled(): Bench {
  const bench = new Bench();
  bench.connect(3, member(3));
  return bench;
}

/** What was said about each server that is no longer listed. */
function causes(bench: Bench): string[] {
  return bench.of("left").map(({ member, cause }) => `${member.id} ${cause}`);
}

for (const alone of [true, false]) {
  const who = alone ? "a newcomer" : "a server";
  Deno.test(`Membership redials ${who} whose connection closes before it is a link`, () => {
    const bench = settled();
    bench.greet(2, member(2), 0, alone);
    bench.input({ type: "link-down", link: 2 });
    assertEquals(bench.of("dial"), [REDIAL]);
    bench.input({ type: "dial-failed", address, reason: "refused" });
    assertEquals(causes(bench), [`${id} dead`]);
  });
}

Deno.test("Membership that is alone redials the first server that it hears of", () => {
  const bench = new Bench();
  bench.greet(2, member(2), 0, true);
  bench.input({ type: "link-down", link: 2 });
  bench.input({ type: "dial-failed", address, reason: "refused" });
  assertEquals(causes(bench), [`${id} dead`]);
});

Deno.test("Membership suspects a server that does not speak on the redial either", () => {
  const bench = settled();
  bench.greet(2, member(2));
  bench.input({ type: "link-down", link: 2 });
  bench.input({ type: "link-up", link: 4, peer: member(2), dialled: true, address });
  bench.input({ type: "link-down", link: 4 });
  assertEquals(bench.of("dial"), [REDIAL]);
  assertEquals(bench.membership.status().suspects, 1);
});

Deno.test("Membership suspects nobody who speaks on the redial", () => {
  const bench = settled();
  bench.greet(2, member(2));
  bench.input({ type: "link-down", link: 2 });
  bench.input({ type: "link-up", link: 4, peer: member(2), dialled: true, address });
  bench.greet(5, member(2));
  for (let past = 0; past < 5000; past += 500) {
    bench.run(500);
    bench.hear(3);
  }
  assertEquals(bench.membership.status().counters.suspicions, 0);
});

Deno.test("Membership waits for the last connection of a server to close", () => {
  const bench = settled();
  bench.connect(2, member(2));
  bench.greet(4, member(2));
  bench.input({ type: "link-down", link: 4 });
  assertEquals(bench.of("dial"), []);
  bench.input({ type: "link-down", link: 2 });
  assertEquals(bench.of("dial"), [REDIAL]);
});

Deno.test("Membership dials a server whose link closes, though there is a contact", () => {
  const bench = settled();
  bench.connect(2, member(2));
  bench.greet(4, member(2));
  bench.input({ type: "link-down", link: 2 });
  assertEquals(bench.of("dial"), [REDIAL]);
  bench.input({ type: "link-down", link: 4 });
  bench.input({ type: "dial-failed", address, reason: "refused" });
  assertEquals(causes(bench), [`${id} dead`]);
});

Deno.test("Membership learns from the dial of a seed that the server there is dead", () => {
  const bench = settled();
  bench.input({ type: "join", address });
  bench.connect(2, member(2));
  bench.input({ type: "link-down", link: 2 });
  bench.input({ type: "dial-failed", address, reason: "refused" });
  assertEquals(causes(bench), [`${id} dead`]);
});

Deno.test("Membership does not redial where the peer said that it closes", () => {
  const bench = settled();
  bench.greet(2, member(2));
  bench.send(2, Uint8Array.of(FRAME.DROP, 0));
  bench.input({ type: "link-down", link: 2 });
  assertEquals(bench.of("dial"), []);
});

Deno.test("Membership suspects a newcomer that falls silent before it has a link", () => {
  const bench = settled();
  bench.greet(2, member(2), 0, true);
  bench.send(2, Uint8Array.of(FRAME.READY));
  bench.run(2000);
  bench.hear(3);
  assertEquals(bench.membership.status().suspects, 0);
  bench.run(600);
  assertEquals(bench.membership.status().suspects, 1);
  bench.hear(3);
  bench.run(1800);
  assertEquals(causes(bench), [`${id} dead`]);
});

Deno.test("Membership dials a newcomer that is slow to take its snapshot", () => {
  const bench = settled();
  bench.greet(2, member(2), 0, true);
  bench.run(2000);
  bench.hear(3);
  bench.run(600);
  assertEquals(bench.of("dial"), [REDIAL]);
  assertEquals(bench.membership.status().suspects, 0);
});

Deno.test("Membership does not list a newcomer that it sends on", () => {
  const bench = settled();
  const newcomers = DEFAULT_TUNING.joinersAtOnce + 1;
  for (let n = 0; n < newcomers; n++) bench.greet(10 + n, member(10 + n), 0, true);
  const answers = bench.of("send").map(({ bytes }) => decode(bytes)?.type);
  assertEquals(answers.filter((type) => type === "redirect").length, 1);
  assertEquals(bench.membership.size, 2 + DEFAULT_TUNING.joinersAtOnce);
});

Deno.test("Membership that leaves tells those with whom it has no link", () => {
  const bench = settled();
  bench.greet(2, member(2));
  const told = bench.input({ type: "leave" }).filter(({ type }) => type === "send");
  assertEquals(told.map((output) => output.type === "send" && output.link), [3, 2]);
});
