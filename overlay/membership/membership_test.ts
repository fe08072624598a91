import { assert, assertEquals } from "@std/assert";
import { Bench, member } from "./_bench.ts";
import { RECORD_BYTES } from "./records.ts";
import { ALIVE, DEAD, standing, SUSPECT } from "./standing.ts";
import { encodeHello, FRAME } from "./wire.ts";
import { seeded } from "../../tests/random.ts";

Deno.test("Membership lists itself and dials a seed", () => {
  const bench = new Bench();
  assertEquals(bench.membership.members(), [member(1)]);
  assertEquals(bench.input({ type: "join", address: "10.0.0.2:7002" }), [
    { type: "dial", address: "10.0.0.2:7002" },
  ]);
  bench.input({
    type: "dial-failed",
    address: "10.0.0.2:7002",
    reason: "refused",
  });
  bench.run(3000);
  assert(bench.of("dial").length >= 2, "a lone server tries its seed again");
});

Deno.test("Membership does not dial its own address", () => {
  const bench = new Bench();
  const { address } = member(1);
  assertEquals(bench.input({ type: "join", address }), []);
});

Deno.test("Membership agrees on a link and tells subscribers once", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.tell(1, member(2), 1, ALIVE);
  assertEquals(bench.ids(), [member(1).id, member(2).id]);
  assertEquals(bench.of("joined").map((o) => o.member), [member(2)]);
  assertEquals(bench.membership.linkIds(), [1]);
});

Deno.test("Membership refutes a suspicion with a higher incarnation", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.tell(1, member(1), 4, SUSPECT);
  bench.run(30);
  assertEquals(bench.membership.status().incarnation, 5);
  assert(bench.ownIncarnations().includes(5));
  bench.tell(1, member(1), 4, DEAD);
  assertEquals(bench.membership.status().incarnation, 5);
});

Deno.test("Membership answers a peer that holds it for dead", () => {
  const bench = new Bench();
  bench.connect(1, member(2), standing(3, DEAD));
  assertEquals(bench.membership.status().incarnation, 4);
});

Deno.test("Membership does not bring the dead back for a late record", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.tell(1, member(3), 2, ALIVE);
  bench.tell(1, member(3), 2, DEAD);
  bench.tell(1, member(3), 2, ALIVE);
  bench.tell(1, member(3), 1, SUSPECT);
  assertEquals(bench.ids().includes(member(3).id), false);
  bench.tell(1, member(3), 3, ALIVE);
  assertEquals(bench.ids().includes(member(3).id), true);
  assertEquals(bench.of("left").map((o) => o.cause), ["dead"]);
});

Deno.test("Membership forgets tombstones after a day, not before", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  const beat = encodeHello({
    alone: false,
    ask: true,
    incarnation: 1,
    held: 0,
    alive: 2,
    hashA: 0,
    hashB: 0,
  });
  const stay = (hours: number) => {
    for (let s = 0; s < hours * 1800; s++) {
      bench.run(2000);
      bench.send(1, beat);
    }
  };
  // Whenever in the hour it dies: the records are swept once an hour.
  stay(0.9);
  bench.tell(1, member(3), 2, DEAD);
  stay(23.9);
  assertEquals(bench.membership.status().tombstones, 1);
  stay(1.2);
  assertEquals(bench.membership.status().tombstones, 0);
});

Deno.test("Membership suspects a silent neighbour after 2.5 s and declares it dead 1.75 s later", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.run(2490);
  assertEquals(bench.membership.status().suspects, 0);
  bench.run(20);
  assertEquals(bench.membership.status().suspects, 1);
  bench.run(1700);
  assertEquals(bench.of("left").length, 0);
  bench.run(60);
  assertEquals(bench.of("left").map((o) => o.cause), ["dead"]);
  assertEquals(bench.of("close").map((o) => o.link), [1]);
});

Deno.test("Membership vetoes, to all its links, a suspicion of a neighbour that it heard lately", () => {
  const bench = new Bench();
  for (const n of [2, 3, 4]) bench.connect(n, member(n));
  bench.run(900);
  bench.hear(2, 3, 4);
  bench.run(100);
  bench.tell(3, member(2), 1, SUSPECT);
  bench.run(50);
  assertEquals(bench.vetoesOf(member(2)), [2, 3, 4]);
  // It neither says so again nor gives up the neighbour while that is heard.
  for (let second = 0; second < 10; second++) {
    bench.run(900);
    bench.hear(2, 3, 4);
  }
  assertEquals(bench.vetoesOf(member(2)), [2, 3, 4]);
  assertEquals(bench.of("left"), []);
});

Deno.test("Membership passes a veto on once, and puts its own verdict off by 2.5 s", () => {
  const bench = new Bench();
  for (const n of [2, 3, 4]) bench.connect(n, member(n));
  // Every 500 ms, so that only the suspect is silent.
  const stay = (ms: number) => {
    for (let past = 0; past < ms; past += 500) {
      bench.run(500);
      bench.hear(3, 4);
    }
  };
  stay(3000);
  assertEquals(bench.membership.status().suspects, 1);
  bench.tell(3, member(2), 1, SUSPECT, true);
  bench.tell(4, member(2), 1, SUSPECT, true);
  bench.tell(3, member(2), 1, SUSPECT, true);
  stay(2000);
  assertEquals(bench.vetoesOf(member(2)), [2], "those that said it need not be told");
  assertEquals(bench.of("left"), []);
  stay(1000);
  assertEquals(bench.of("left").map((o) => o.cause), ["dead"]);
});

Deno.test("Membership takes no notice of a veto for another incarnation", () => {
  const bench = new Bench();
  for (const n of [2, 3]) bench.connect(n, member(n));
  for (let past = 0; past < 3000; past += 500) {
    bench.run(500);
    bench.hear(3);
  }
  bench.tell(3, member(2), 2, ALIVE);
  bench.tell(3, member(2), 1, SUSPECT, true);
  assertEquals(bench.membership.status().suspects, 0);
  bench.run(100);
  assertEquals(bench.vetoesOf(member(2)), []);
});

Deno.test("Membership beats on all links at once, whole seconds from where it is told to", () => {
  const bench = new Bench({ beatAt: -350 });
  const beats: [at: number, link: number][] = [];
  bench.connect(1, member(2));
  bench.run(200);
  bench.connect(2, member(3));
  bench.run(300);
  bench.connect(3, member(4));
  for (let i = 0; i < 4_000; i++) {
    const before = bench.log.length;
    bench.run(1);
    for (const output of bench.log.slice(before)) {
      if (output.type !== "send" || output.bytes[0] !== FRAME.BEAT) continue;
      beats.push([bench.now, output.link]);
      // Each peer answers, or it would not be there for long.
      bench.send(output.link, output.bytes);
    }
  }
  assertEquals(beats, [650, 1650, 2650, 3650].flatMap((at) => [[at, 1], [at, 2], [at, 3]]));
});

Deno.test("Membership that has nothing to do wakes up when it beats, and at no other time", () => {
  const bench = new Bench({ beatAt: -350 });
  bench.run(60_000);
  const wakes: number[] = [];
  for (let i = 0; i < 100; i++) {
    const { wakeAt } = bench.membership;
    wakes.push(wakeAt);
    bench.run(wakeAt - bench.now);
  }
  assertEquals(wakes.filter((at) => (at + 350) % 1000 !== 0), []);
});

Deno.test("Membership forgives silence while it did not run itself", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.run(1000);
  bench.now += 60_000;
  bench.input({ type: "tick" });
  bench.run(400);
  assertEquals(bench.membership.status().suspects, 0);
  assert(bench.membership.status().lagMs > 58_000);
});

Deno.test("Membership.loopLag() puts suspicion off", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.membership.loopLag(2000);
  bench.run(4000);
  assertEquals(bench.membership.status().suspects, 0);
  bench.run(600);
  assertEquals(bench.membership.status().suspects, 1);
});

Deno.test("Membership redials once after a closed connection; refused is death", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.run(100);
  assertEquals(bench.input({ type: "link-down", link: 1 })[0], {
    type: "dial",
    address: member(2).address,
    id: member(2).id,
  });
  assertEquals(bench.of("left").length, 0);
  bench.input({
    type: "dial-failed",
    address: member(2).address,
    reason: "refused",
  });
  assertEquals(bench.of("left").map((o) => o.cause), ["dead"]);
});

Deno.test("Membership suspects where the redial reaches nobody", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.input({ type: "link-down", link: 1 });
  bench.input({
    type: "dial-failed",
    address: member(2).address,
    reason: "unreachable",
  });
  assertEquals(bench.of("left").length, 0);
  assertEquals(bench.membership.status().suspects, 1);
  bench.run(1800);
  assertEquals(bench.of("left").map((o) => o.cause), ["dead"]);
});

Deno.test("Membership replaces a server by a newer one at the same address", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  const newer = {
    id: "X00000000000000ff",
    address: member(2).address.replace(/Q.*/, "Q00000000000000ff"),
  };
  bench.connect(2, newer);
  assertEquals(bench.of("left").map((o) => [o.member.id, o.cause]), [
    [member(2).id, "superseded"],
  ]);
  assertEquals(bench.ids(), [member(1).id, newer.id]);
});

Deno.test("Membership sees a restart by its superseded dial", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.input({ type: "link-down", link: 1 });
  bench.input({
    type: "dial-failed",
    address: member(2).address,
    reason: "superseded",
  });
  assertEquals(bench.of("left").map((o) => o.cause), ["superseded"]);
});

Deno.test("Membership lets news wait longer while it is dense", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.connect(2, member(3));
  bench.run(200);
  let next = 100;
  /** Tells of newcomers by link 1, and how long it takes until link 2 hears of them. */
  const delay = (newcomers: number) => {
    for (let i = 0; i < newcomers; i++) bench.tell(1, member(next++), 1, ALIVE);
    const from = bench.now;
    const before = bench.log.length;
    const told = () =>
      bench.log.slice(before).some((output) =>
        output.type === "send" && output.link === 2 && output.bytes[0] === FRAME.RECORDS
      );
    for (let i = 0; i < 200 && !told(); i++) bench.run(1);
    return bench.now - from;
  };
  const [one, first, second, third] = [delay(1), delay(40), delay(40), delay(1)];
  assertEquals([one, first, second, third], [25, 25, 100, 100]);
  assertEquals([delay(1), delay(1)], [25, 25]);
  delay(40);
  bench.run(1000);
  assertEquals(delay(1), 25);
});

Deno.test("Membership leaves in order: says so, closes, and does nothing more", () => {
  const bench = new Bench();
  bench.connect(1, member(2));
  bench.run(100);
  const types = bench.input({ type: "leave" }).map((o) => o.type);
  assertEquals(types, ["send", "close"]);
  assertEquals(bench.membership.wakeAt, Infinity);
  assertEquals(bench.input({ type: "tick" }), []);
});

Deno.test("Membership closes a link that carries garbage, and never throws", () => {
  const random = seeded(99);
  for (let round = 0; round < 3000; round++) {
    const bench = new Bench();
    bench.connect(1, member(2));
    const bytes = new Uint8Array(1 + Math.floor(random() * 60));
    for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256;
    bytes[0] = 1 + Math.floor(random() * 16);
    bench.send(1, bytes);
    if (bench.membership.status().counters.badFrames > 0) {
      assertEquals(bench.membership.degree, 0);
    }
  }
});

Deno.test("Membership takes the same way from the same seed", () => {
  const play = () => {
    const bench = new Bench();
    bench.connect(1, member(2));
    bench.connect(2, member(3));
    bench.tell(1, member(4), 1, ALIVE);
    bench.run(20_000);
    return bench.log;
  };
  assertEquals(play(), play());
});

Deno.test("a record costs 13 bytes where the receiver knows the server", () => {
  assertEquals(RECORD_BYTES, 13);
});
