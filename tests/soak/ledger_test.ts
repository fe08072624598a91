import { assertEquals, assertThrows } from "@std/assert";
import { Violation } from "./journal.ts";
import { Ledger } from "./ledger.ts";

const LENGTH = 100;
const direct = { name: "one with a connection of its own", direct: true };
const routed = { name: "one that is served by way of another server", direct: false };

/** A ledger of a channel with room for two messages, and the times of trouble, which a test sets. */
function someLedger(capacity = 2) {
  const trouble = { now: 0 };
  const ledger = new Ledger("it", capacity, () => trouble.now);
  const send = (seq: number, fate: "confirmed" | "failed" = "confirmed", length = LENGTH) => {
    ledger.sending({ sender: 0, seq }, length);
    ledger.told({ sender: 0, seq }, length, fate);
  };
  const receive = (seq: number, receiver = direct) => ledger.received({ sender: 0, seq }, receiver);
  return { ledger, trouble, send, receive };
}

Deno.test("Ledger: adds up what was sent, received and told", () => {
  const { ledger, send, receive } = someLedger();
  send(0);
  send(1, "failed");
  send(2, "failed");
  send(3, "confirmed", 0);
  send(4, "failed", 0);
  receive(0);
  receive(2);
  ledger.received("empty", direct);
  assertEquals(ledger.settle(false), {
    sent: 2,
    received: 3,
    reportedLost: 2,
    twice: 0,
    heldByLostServer: 0,
  });
});

Deno.test("Ledger: a confirmed message is lost only with a server that held it", () => {
  for (const length of [LENGTH, 0]) {
    const { ledger, send } = someLedger();
    for (const seq of [0, 1]) send(seq, "confirmed", length);
    assertThrows(() => ledger.settle(false), Violation, "2 confirmed messages are lost");
    assertEquals(ledger.settle(true).heldByLostServer, 2);
    // One more than there was room for, which a receiver may have had.
    send(2, "confirmed", length);
    assertThrows(() => ledger.settle(true), Violation, "3 confirmed messages are lost");
    ledger.receiverLost(direct);
    assertEquals(ledger.settle(true).heldByLostServer, 3);
  }
  const { ledger, send } = someLedger(0);
  send(0);
  ledger.receiverLost(direct);
  assertThrows(() => ledger.settle(true), Violation, "at most 0 can be");
});

Deno.test("Ledger: a message comes twice only after a receiver that was lost behind it", () => {
  const other = { name: "the next one", direct: true };
  const { ledger, send, receive } = someLedger();
  for (const seq of [0, 1]) send(seq);
  for (const seq of [0, 1]) receive(seq);
  receive(1, other);
  assertThrows(() => ledger.settle(false), Violation, "message 0:1 came twice");
  // The first one hears of its loss late.
  ledger.receiverLost(direct);
  assertEquals(ledger.settle(false).twice, 1);
  // What it was lost behind is another message.
  receive(0, other);
  assertThrows(() => ledger.settle(false), Violation, "message 0:0 came twice");
});

Deno.test("Ledger: no receiver gets a message twice without being lost in between", () => {
  const { ledger, send, receive } = someLedger();
  send(0);
  receive(0);
  assertThrows(() => receive(0), Violation, "message 0:0 came twice");
  ledger.receiverLost(direct);
  receive(0);
});

Deno.test("Ledger: trouble on the way to a receiver that does not see it can make messages come twice", () => {
  for (const time of ["before", "between"]) {
    const { ledger, trouble, send, receive } = someLedger();
    send(0);
    if (time === "before") trouble.now = 1;
    receive(0, routed);
    trouble.now = 2;
    receive(0, routed);
    assertEquals(ledger.settle(false).twice, 1);
  }
  const { send, receive } = someLedger();
  send(0);
  receive(0, routed);
  assertThrows(() => receive(0, routed), Violation, "message 0:0 came twice");
});

Deno.test("Ledger: an empty message comes twice only after a receiver that was lost", () => {
  const { ledger, send } = someLedger();
  send(0, "confirmed", 0);
  for (let i = 0; i < 2; i++) ledger.received("empty", direct);
  assertThrows(() => ledger.settle(false), Violation, "2 empty messages came of 1 sent");
  ledger.receiverLost(direct);
  assertEquals(ledger.settle(false).received, 2);
});

Deno.test("Ledger: a receiver gets a sender's messages in order, but for those given back", () => {
  const { ledger, send, receive } = someLedger();
  for (const seq of [0, 1]) send(seq);
  for (const seq of [1, 0]) receive(seq);
  assertThrows(() => ledger.settle(false), Violation, "messages 0:0 came after later ones");
  ledger.givenBack();
  assertEquals(ledger.settle(false).received, 2);
});

Deno.test("Ledger: nothing comes that was not sent, and every send has an end", () => {
  const { ledger, receive } = someLedger();
  assertThrows(() => receive(0), Violation, "received and never sent");
  ledger.sending({ sender: 0, seq: 0 }, LENGTH);
  assertThrows(() => ledger.settle(true), Violation, "a send has no end");
});
