/** Messages of the membership protocol, from a server that does not know what it does. */

import { assert } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { type Member, Membership } from "../../overlay/membership/mod.ts";
import {
  encodeHello,
  encodeRequest,
  FRAME,
  MAX_FRAME_BYTES,
} from "../../overlay/membership/wire.ts";
import { fuzz, type Random } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";

/** Servers of which two circuits are made, and those that come once the circuits are one. */
const RECORDED_SERVERS = 12;
const NEWCOMERS = 12;

/** How long frames are recorded, in ms of a clock of their own, and when what happens. */
const MERGE_MS = 10_000;
const LEAVE_MS = 15_000;
const NEWCOMERS_MS = 18_000;
const SPLIT_MS = 22_000;
const HEAL_MS = 30_000;
const RECORDED_MS = 50_000;

/** Recordings at most until all kinds of frame are there; nearly always one is enough, or two. */
const RECORDINGS = 10;

/** Cases after which a server starts anew: each makes others up, which it has to remember. */
const LIFE = 1_000;

/** What a server says that dials another and wants to be its neighbour, come what may. */
const HELLO = encodeHello({
  alone: false,
  ask: true,
  incarnation: 1,
  held: 0,
  alive: 1,
  hashA: 0,
  hashB: 0,
});
const REQUEST = encodeRequest({
  want: 1,
  vital: true,
  replaces: undefined,
  swap: undefined,
  avoid: [],
});

function memberOf(number: number): Member {
  const hex = number.toString(16).padStart(16, "0");
  return { id: `X${hex}`, address: `circuit://10.0.0.${number}:7711/${number}/Q${hex}` };
}

/**
 * Frames that servers send each other while they come, meet and go, while two circuits become one,
 * and while that is split and heals.
 */
function recordFrames(random: Random): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const links = new Map<string, { to: number; link: number }>();
  const members = Array.from(
    { length: RECORDED_SERVERS + NEWCOMERS },
    (_, i) => memberOf(i + 1),
  );
  const servers = members.map((self) =>
    new Membership(self, { now: 0, random: () => random.next() })
  );
  const queue: (() => void)[] = [];
  const half = RECORDED_SERVERS / 2;
  let split = false;
  let next = 1;
  let now = 0;
  const isCut = (a: number, b: number) => split && a % 2 !== b % 2;
  const feed = (at: number, input: Parameters<Membership["handle"]>[0]): void => {
    for (const output of servers[at]!.handle(input, now)) { // one of those above
      if (output.type === "send") {
        frames.push(output.bytes.slice());
        const end = links.get(`${at} ${output.link}`);
        if (end && !isCut(at, end.to) && random.below(50) > 0) {
          queue.push(() =>
            feed(end.to, { type: "message", link: end.link, bytes: output.bytes.slice() })
          );
        }
      } else if (output.type === "close") {
        const end = links.get(`${at} ${output.link}`);
        links.delete(`${at} ${output.link}`);
        queue.push(() => feed(at, { type: "link-down", link: output.link }));
        if (end) queue.push(() => feed(end.to, { type: "link-down", link: end.link }));
      } else if (output.type === "dial") {
        const { address } = output;
        const to = members.findIndex((each) => each.address === address);
        queue.push(() => {
          if (to < 0 || isCut(at, to)) {
            return feed(at, { type: "dial-failed", address, reason: "refused" });
          }
          const [here, there] = [next++, next++];
          links.set(`${at} ${here}`, { to, link: there });
          links.set(`${to} ${there}`, { to: at, link: here });
          feed(to, { type: "link-up", link: there, peer: members[at]!, dialled: false });
          feed(at, { type: "link-up", link: here, peer: members[to]!, dialled: true, address });
        });
      }
    }
  };
  const join = (at: number, to: number) =>
    feed(at, { type: "join", address: members[to]!.address }); // one of those above
  for (let i = 0; i < RECORDED_SERVERS; i++) {
    if (i % half !== 0) join(i, i < half ? 0 : half);
  }
  for (; now < RECORDED_MS; now += 50) {
    if (now === MERGE_MS) join(half, 0);
    if (now === LEAVE_MS) feed(3, { type: "leave" });
    if (now === SPLIT_MS) split = true;
    if (now === HEAL_MS) split = false;
    if (now === NEWCOMERS_MS) {
      for (let i = RECORDED_SERVERS; i < members.length; i++) join(i, 0);
    }
    servers.forEach(({ wakeAt }, i) => wakeAt <= now && feed(i, { type: "tick" }));
    for (let each = queue.shift(); each; each = queue.shift()) each();
  }
  return frames;
}

fuzz("membership messages", (random) => {
  const kinds = Object.values(FRAME);
  const byKind = new Map<number, Uint8Array[]>();
  for (let i = 0; i < RECORDINGS && byKind.size < kinds.length; i++) {
    for (const frame of recordFrames(random)) {
      const kind = frame[0] ?? 0;
      byKind.set(kind, [...byKind.get(kind) ?? [], frame].slice(-50));
    }
  }
  for (const kind of kinds) assert(byKind.has(kind), `no frame of kind ${kind} was recorded`);
  const pool = [...byKind.values()];
  let victim: Membership | undefined;
  let count = 0;
  let link = 0;
  let now = 0;
  /** Links the victim with a peer, which has said so far what it should. */
  const meet = (victim: Membership): void => {
    victim.handle({ type: "link-up", link: ++link, peer: memberOf(1), dialled: false }, now);
    for (const bytes of [HELLO, REQUEST]) victim.handle({ type: "message", link, bytes }, now);
    assert(victim.status().degree > 0, "the peer was refused");
  };
  return (random) => {
    if (count++ % LIFE === 0) victim = undefined;
    if (!victim) {
      victim = new Membership(memberOf(200), { now, random: () => random.next() });
      meet(victim);
    }
    const bytes = mutate(pick(pick(pool, random), random), random);
    now += random.below(20);
    const outputs = [
      ...victim.handle({ type: "message", link, bytes }, now),
      ...(victim.wakeAt <= now ? victim.handle({ type: "tick" }, now) : []),
    ];
    let closed = false;
    for (const output of outputs) {
      if (output.type === "send") assert(output.bytes.length <= MAX_FRAME_BYTES);
      if (output.type === "close" && output.link === link) closed = true;
    }
    if (!closed) return;
    victim.handle({ type: "link-down", link }, now);
    meet(victim);
    throw new CircuitError("PROTOCOL", "the link was closed");
  };
});
