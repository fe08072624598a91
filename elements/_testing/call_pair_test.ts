import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { type Call, INITIAL_WINDOW } from "../call.ts";
import { callPair, type CallPairOptions } from "./call_pair.ts";
import { settle } from "./settle.ts";

/** A pair whose violations are thrown to whoever commits them, and nowhere else. */
function pair(options: CallPairOptions = {}) {
  return callPair({ ...options, onViolation: () => {} });
}

Deno.test("callPair() carries bytes both ways, and ends in order", async () => {
  const { call, caller } = pair({ body: Uint8Array.of(1) });
  const over: unknown[] = [];
  call.onOver((error) => over.push(error));
  assertEquals([await call.read(), call.poll(), call.ended], [Uint8Array.of(1), undefined, false]);
  caller.end();
  assertEquals([await call.read(), call.ended], [undefined, true]);
  call.accept({ result: "yes", first: Uint8Array.of(2) });
  await call.write(Uint8Array.of(3));
  call.end();
  assertEquals([await caller.reply(), await caller.readAll()], ["yes", Uint8Array.of(2, 3)]);
  assertEquals([over, caller.over, caller.error], [[undefined], true, undefined]);
});

Deno.test("callPair() holds back a write until the caller grants more", async () => {
  const { call, caller } = pair({ window: 2 });
  call.accept();
  let written = false;
  call.write(Uint8Array.of(1, 2, 3, 4)).then(() => written = true);
  call.end();
  await settle();
  assertEquals([caller.poll(), call.window, written], [Uint8Array.of(1, 2), 0, false]);
  caller.grant(1);
  await settle();
  assertEquals([caller.poll(), call.acknowledged, written], [Uint8Array.of(3), 1, false]);
  caller.grant(5);
  await settle();
  assertEquals([caller.poll(), caller.ended, written], [Uint8Array.of(4), true, true]);
});

Deno.test("callPair() ends every wait when the call fails, from either side", async () => {
  const error = new CircuitError("BUSY", "not now");
  for (const end of [(call: Call) => call.fail(error), undefined]) {
    const { call, caller } = pair({ window: 0 });
    const waits = [caller.reply(), caller.read(), call.read()];
    if (end) end(call);
    else caller.goAway();
    for (const wait of waits) await assertRejects(() => wait, CircuitError);
    assertEquals([call.ended, call.poll(), caller.error?.code], [
      false,
      undefined,
      end ? "BUSY" : "ABORTED",
    ]);
    const over: unknown[] = [];
    call.onOver((error) => over.push(error));
    assertEquals(over, [caller.error]);
  }
});

Deno.test("callPair() tells violations of the contract", () => {
  const violations: [string, (call: Call) => unknown][] = [
    ["answered twice", (call) => [call.accept(), call.accept()]],
    ["beside an answer", (call) => call.accept({ first: new Uint8Array(11) })],
    ["write before the answer", (call) => call.write(Uint8Array.of(1))],
    ["end before the answer", (call) => call.end()],
    ["write after the end", (call) => [call.accept({ last: true }), call.write(Uint8Array.of(1))]],
    ["during another", (call) => {
      call.accept();
      return [call.write(new Uint8Array(20)), call.write(Uint8Array.of(1))];
    }],
    ["during another", (call) => [call.read(), call.read()]],
    ["poll during a read", (call) => [call.read(), call.poll()]],
    ["grant of -1", (call) => call.grant(-1)],
  ];
  for (const [what, violate] of violations) {
    const told: string[] = [];
    const { call } = callPair({ window: 10, onViolation: (error) => told.push(error.message) });
    assertThrows(() => violate(call), Error, what);
    assertEquals(told.length, 1);
  }
  const { caller } = pair();
  assertThrows(() => caller.push(new Uint8Array(INITIAL_WINDOW + 1)), Error, "with credit for");
});
