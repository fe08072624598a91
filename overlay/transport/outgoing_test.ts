import { assertEquals, assertMatch } from "@std/assert";
import { FrameType } from "./frame.ts";
import {
  HEADER_BYTES,
  MAX_INLINE_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_QUEUED_BYTES,
  MAX_UNSENT_BYTES,
} from "./limits.ts";
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

Deno.test("MAX_UNSENT_BYTES is what PROTOCOL.md says", () => {
  assertEquals(MAX_UNSENT_BYTES, 256 * 1024 * 1024);
});

Deno.test("queued() bounds what is being written and what waits, stream bytes as well", async () => {
  const errors: unknown[] = [];
  const frame = HEADER_BYTES + MAX_INLINE_BYTES;
  const out = new Outgoing(STUCK, (error) => errors.push(error), { maxUnsent: 5 * frame });
  const send = () => {
    out.control.frame(FrameType.REPLY, 0, 1, new Uint8Array(MAX_INLINE_BYTES));
    out.queued(MAX_INLINE_BYTES);
  };
  send();
  send();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(out.control.length, 0, "two are being written, for ever");
  for (let i = 0; i < 3; i++) send();
  assertEquals(errors, []);
  send();
  assertMatch(String(errors[0]), /does not read/);
});
