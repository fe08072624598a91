/** Bodies of control messages: MessagePack, and what the methods make of it. */

import { anchorDescription, rootDescription } from "../../elements/anchor/description.ts";
import { chanDescription, parseCapacity } from "../../elements/chan/description.ts";
import { nameserverDescription } from "../../elements/dns/description.ts";
import { parseCmd, procDescription } from "../../elements/proc/description.ts";
import { serverDescription } from "../../elements/server/description.ts";
import { subscriptionDescription } from "../../elements/subscription/description.ts";
import type { Parser } from "../../elements/describe.ts";
import { messagePack } from "../../overlay/transport/codec.ts";
import { fuzz, type Random } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";

/** Every parser of arguments that there is, as an attacker may choose the method. */
const PARSERS: readonly Parser<unknown>[] = [
  anchorDescription,
  rootDescription,
  chanDescription,
  nameserverDescription,
  procDescription,
  serverDescription,
  subscriptionDescription,
].flatMap(({ methods }) => Object.values(methods).map(({ args }) => args as Parser<unknown>))
  .concat([parseCmd, parseCapacity]);

/** Arguments that methods take. */
const ARGS: readonly unknown[] = [
  { kind: "chan", value: 3 },
  { path: "/bin/echo", args: ["a", "b"], env: ["A=1"], dir: "/", scrub: true, keep: 70_000 },
  { recursive: true, depthFirst: false },
  "SIGTERM",
  "miek.nl. 3600 IN MX 10 mx.miek.nl.",
  [1, -1, 1.5, 2 ** 40, null, new Uint8Array(9), { a: { b: [] } }],
];

/** Most values inside each other. */
const MAX_DEPTH = 12;

/** Writes a value of any type that MessagePack has, and of those that are not to be used. */
function anything(random: Random, out: number[], depth = 0): void {
  const kind = random.below(depth < MAX_DEPTH ? 13 : 9);
  switch (kind) {
    case 0:
      return void out.push(random.below(256));
    case 1:
      return void out.push(pick([0xc0, 0xc1, 0xc2, 0xc3], random));
    case 2:
      return void out.push(0xcc + random.below(4), ...random.bytes(8));
    case 3:
      return void out.push(0xd0 + random.below(4), ...random.bytes(8));
    case 4:
      return void out.push(0xca + random.below(2), ...random.bytes(8));
    case 5: {
      const text = pick(["path", "kind", "value", "__proto__", "constructor", "\0", "é"], random);
      const bytes = new TextEncoder().encode(text);
      return void out.push(0xa0 + bytes.length, ...bytes);
    }
    case 6:
      return void out.push(0xc4, 3, ...random.bytes(3));
    case 7:
      return void out.push(0xd4 + random.below(5), ...random.bytes(3));
    case 8:
      // Lengths that nothing follows.
      return void out.push(pick([0xc6, 0xdb, 0xdd, 0xdf], random), ...random.bytes(4));
    default: {
      const count = random.below(4);
      out.push((kind < 11 ? 0x80 : 0x90) + count);
      for (let i = count * (kind < 11 ? 2 : 1); i > 0; i--) anything(random, out, depth + 1);
    }
  }
}

/** Values inside each other, as many as fit a frame and more than any stack holds. */
function deep(random: Random): Uint8Array {
  return new Uint8Array(1 + random.below(500_000)).fill(pick([0x91, 0x81], random));
}

/** One in so many cases is deep. */
const DEEP_EVERY = 1_000;

fuzz("MessagePack bodies", () => {
  const valid = ARGS.map((args) => messagePack.encode(args));
  return (random) => {
    const generated: number[] = [];
    anything(random, generated);
    const bytes = random.below(DEEP_EVERY) === 0
      ? deep(random)
      : random.below(2)
      ? mutate(pick(valid, random), random)
      : new Uint8Array(generated);
    const value = messagePack.decode(bytes);
    // A server that answers with what it got can do so, or says why not.
    messagePack.encode(value);
    pick(PARSERS, random)(value);
  };
});
