/** Datagrams of multicast discovery: from those who have the key, and from all others. */

import { assert } from "@std/assert";
import { encodeDatagram, type Message, newNonce } from "../../overlay/discovery/datagram.ts";
import { Inbox } from "../../overlay/discovery/inbox.ts";
import { Seal } from "../../overlay/discovery/seal.ts";
import { CircuitError } from "../../overlay/errors.ts";
import { parseAddress } from "../../overlay/address.ts";
import { fuzz } from "./harness.ts";
import { mutate, pick } from "./mutate.ts";

const NOW = 1_700_000_000_000;
const ID = "X0123456789abcdef";
const ADDRESS = "circuit://host.example:7711/99/Q0123456789abcdef";

const MESSAGES: readonly Message[] = [
  { type: "announce", sentAt: NOW, id: ID, address: ADDRESS },
  { type: "query", sentAt: NOW, nonce: newNonce() },
  { type: "query", sentAt: NOW, nonce: newNonce(), id: ID },
  { type: "answer", sentAt: NOW, nonce: newNonce(), id: ID, address: ADDRESS },
];

fuzz("discovery datagrams", (random) => {
  const seal = new Seal([random.bytes(64), random.bytes(64)]);
  const keyed = new Inbox(seal, () => NOW);
  const keyless = new Inbox(new Seal(), () => NOW);
  const bodies = MESSAGES.map(encodeDatagram);
  return (random) => {
    const body = pick(bodies, random);
    // Changed on the way; or sealed by a key holder who does not know what he does.
    const byHolder = random.below(2) === 0;
    const bytes = byHolder ? seal.close(mutate(body, random)) : mutate(seal.close(body), random);
    const accepted = keyed.accept(bytes);
    if (!byHolder) {
      // A change that was undone by the next one is none.
      assert(!accepted || bodies.some((each) => same(bytes, seal.close(each))));
    }
    const open = keyless.accept(random.below(2) ? bytes : mutate(body, random));
    const messages = [accepted, open].flatMap((each) => each ? [each.message] : []);
    for (const message of messages) {
      if (message.type !== "query") parseAddress(message.address);
    }
    if (messages.length === 0) throw new CircuitError("PROTOCOL", "ignored");
  };
});

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
