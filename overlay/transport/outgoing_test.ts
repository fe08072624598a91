import { assertEquals, assertMatch } from "@std/assert";
import { FrameType } from "./frame.ts";
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, MAX_QUEUED_BYTES } from "./limits.ts";
import type { Conn } from "./network.ts";
import { Outgoing } from "./outgoing.ts";

/** A connection on which writing never comes to an end. */
const STUCK: Conn = {
  read: () => Promise.resolve(null),
  write: () => new Promise(() => {}),
  close() {},
  remote: "nobody:1",
  localHost: "nowhere",
};

Deno.test("queued() takes 32 MiB for a peer that does not read, and not a byte more", async () => {
  const errors: unknown[] = [];
  const out = new Outgoing(STUCK, (error) => errors.push(error));
  const send = (bytes: number) => {
    out.control.frame(FrameType.MEMBER, 0, 0, new Uint8Array(bytes));
    out.queued();
  };
  // A first frame is being written, for ever; the rest waits.
  send(0);
  await new Promise((resolve) => setTimeout(resolve));
  const whole = HEADER_BYTES + MAX_PAYLOAD_BYTES;
  const rest = MAX_QUEUED_BYTES % whole;
  for (let i = 0; i < Math.floor(MAX_QUEUED_BYTES / whole); i++) send(MAX_PAYLOAD_BYTES);
  send(rest - HEADER_BYTES);
  assertEquals([out.control.length, errors], [MAX_QUEUED_BYTES, []]);
  send(0);
  assertEquals(errors.length, 1);
  assertMatch(String(errors[0]), /does not read/);
});
