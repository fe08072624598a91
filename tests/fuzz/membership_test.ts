/** Messages of the membership protocol, from a server that does not know what it does. */

import { assert } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { type Member, Membership } from "../../overlay/membership/mod.ts";
import { MAX_FRAME_BYTES } from "../../overlay/membership/wire.ts";
import { fuzz, type Random } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";

/** Servers whose frames are recorded, and for how long, in ms of a clock of their own. */
const RECORDED_SERVERS = 12;
const RECORDED_MS = 20_000;

/** Cases after which a server starts anew: each makes others up, which it has to remember. */
const LIFE = 1_000;

function memberOf(number: number): Member {
  const hex = number.toString(16).padStart(16, "0");
  return { id: `X${hex}`, address: `circuit://10.0.0.${number}:7711/${number}/Q${hex}` };
}

/** Frames that servers send each other while they come, meet, fall silent and go. */
function recordFrames(random: Random): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const links = new Map<string, { to: number; link: number }>();
  const members = Array.from({ length: RECORDED_SERVERS }, (_, i) => memberOf(i + 1));
  const servers = members.map((self) =>
    new Membership(self, { now: 0, random: () => random.next() })
  );
  let next = 1;
  let now = 0;
  const feed = (at: number, input: Parameters<Membership["handle"]>[0]): void => {
    for (const output of servers[at]!.handle(input, now)) { // one of those above
      if (output.type === "send") {
        frames.push(output.bytes.slice());
        const end = links.get(`${at} ${output.link}`);
        if (end && random.below(50) > 0) {
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
          if (to < 0) return feed(at, { type: "dial-failed", address, reason: "refused" });
          const [here, there] = [next++, next++];
          links.set(`${at} ${here}`, { to, link: there });
          links.set(`${to} ${there}`, { to: at, link: here });
          feed(to, { type: "link-up", link: there, peer: members[at]!, dialled: false });
          feed(at, { type: "link-up", link: here, peer: members[to]!, dialled: true, address });
        });
      }
    }
  };
  const queue: (() => void)[] = [];
  for (let i = 1; i < servers.length; i++) {
    feed(i, { type: "join", address: members[0]!.address });
  }
  while (now < RECORDED_MS) {
    for (let each = queue.shift(); each; each = queue.shift()) each();
    now += 50;
    servers.forEach(({ wakeAt }, i) => wakeAt <= now && feed(i, { type: "tick" }));
    if (now === RECORDED_MS / 2) feed(3, { type: "leave" });
  }
  return frames;
}

fuzz("membership messages", (random) => {
  const byType = new Map<number, Uint8Array[]>();
  for (const frame of recordFrames(random)) {
    const type = frame[0] ?? 0;
    byType.set(type, [...byType.get(type) ?? [], frame].slice(-50));
  }
  const pool = [...byType.values()];
  assert(pool.length >= 8, `only ${pool.length} kinds of frame were recorded`);
  let victim: Membership | undefined;
  let count = 0;
  let link = 0;
  let now = 0;
  return (random) => {
    if (count++ % LIFE === 0) victim = undefined;
    if (!victim) {
      victim = new Membership(memberOf(200), { now, random: () => random.next() });
      victim.handle({ type: "link-up", link: ++link, peer: memberOf(1), dialled: false }, now);
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
    victim.handle({ type: "link-up", link: ++link, peer: memberOf(1), dialled: false }, now);
    throw new CircuitError("PROTOCOL", "the link was closed");
  };
});
