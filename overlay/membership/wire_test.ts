import { assert, assertEquals } from "@std/assert";
import { Directory } from "./directory.ts";
import {
  MAX_RECORD_BYTES,
  RECORD_BYTES,
  recordBytes,
  RecordReader,
  writeRecord,
} from "./records.ts";
import { ALIVE, DEAD, LEFT, standing, type Status, SUPERSEDED, SUSPECT } from "./standing.ts";
import {
  decode,
  encodeBeat,
  encodeDrop,
  encodeHello,
  encodeRequest,
  FRAME,
  MAX_BUCKET_BITS,
  MAX_FRAME_BYTES,
} from "./wire.ts";
import type { Message } from "./messages.ts";

const A = {
  id: "X0123456789abcdef",
  address: "circuit://[2001:db8::7]:65535/4294967295/Q0123456789abcdef",
};
const B = {
  id: "Xfedcba9876543210",
  address: "circuit://example.org:1/1/Qfedcba9876543210",
};

function record(full: boolean, reporter: boolean): Uint8Array {
  const directory = new Directory();
  const a = directory.intern(A);
  const b = reporter ? directory.intern(B) : -1;
  const bytes = new Uint8Array(MAX_RECORD_BYTES);
  const s = standing(5, reporter ? SUSPECT : DEAD);
  const end = writeRecord(bytes, 0, directory, a, s, full, b);
  assertEquals(end, recordBytes(directory, a, full, b));
  return bytes.slice(0, end);
}

function frame(head: number[], ...parts: Uint8Array[]): Uint8Array {
  const bytes = [...head];
  for (const part of parts) bytes.push(...part);
  return Uint8Array.from(bytes);
}

const ID = [1, 2, 3, 4, 5, 6, 7, 8];
const DIGEST = frame([FRAME.DIGEST, 1, 2], new Uint8Array(16).fill(9));

/** One frame of each kind. */
const FRAMES: Record<string, Uint8Array> = {
  hello: encodeHello({
    alone: true,
    ask: false,
    incarnation: 7,
    held: 57,
    alive: 12,
    hashA: -5,
    hashB: 6,
  }),
  request: encodeRequest({
    want: 2,
    vital: true,
    replaces: { hi: 1, lo: 2 },
    swap: undefined,
    avoid: [{ hi: 3, lo: 4 }, { hi: 5, lo: 0xffffffff }],
  }),
  accept: frame([FRAME.ACCEPT, 0], record(true, false)),
  refuse: frame([FRAME.REFUSE, 3]),
  handover: frame([FRAME.HANDOVER, 1, ...ID], record(true, false)),
  drop: encodeDrop(2),
  beat: encodeBeat({ hashA: 1, hashB: -1, degree: 8 }),
  records: frame([FRAME.RECORDS], record(false, true), record(true, false)),
  snapshot: frame([FRAME.SNAPSHOT, 1], record(true, false)),
  sync: frame([FRAME.SYNC], record(true, true)),
  digest: DIGEST,
  diff: frame([FRAME.DIFF, 0, 4, 0, 2, 0, 3, 0, 15], record(true, false)),
  raise: frame([FRAME.RAISE]),
  redirect: frame([FRAME.REDIRECT], record(true, false)),
  ready: frame([FRAME.READY]),
};

function drain(message: Message): number {
  if (!("records" in message)) return 0;
  let count = 0;
  while (message.records.next()) count++;
  return count;
}

for (const [name, bytes] of Object.entries(FRAMES)) {
  Deno.test(`decode() reads a ${name} frame`, () => {
    const message = decode(bytes);
    assertEquals(message?.type as string, name);
    assert(message);
    drain(message);
    assert(!("records" in message && message.records.malformed));
  });

  Deno.test(`decode() refuses a ${name} frame cut short at any byte`, () => {
    for (let length = 0; length < bytes.length; length++) {
      const message = decode(bytes.slice(0, length));
      if (!message) continue;
      const whole = decode(bytes);
      assert(whole);
      const fewer = drain(message) < drain(whole);
      const bad = "records" in message && message.records.malformed;
      assert(fewer || bad, `cut at ${length} looks whole`);
    }
  });
}

Deno.test("decode() gives back what encodeHello() was given", () => {
  assertEquals(decode(FRAMES.hello as Uint8Array), {
    type: "hello",
    alone: true,
    ask: false,
    incarnation: 7,
    held: 57,
    alive: 12,
    hashA: -5,
    hashB: 6,
  });
});

Deno.test("decode() gives back what encodeRequest() was given", () => {
  assertEquals(decode(FRAMES.request as Uint8Array), {
    type: "request",
    want: 2,
    vital: true,
    replaces: { hi: 1, lo: 2 },
    swap: undefined,
    avoid: [{ hi: 3, lo: 4 }, { hi: 5, lo: 0xffffffff }],
  });
});

Deno.test("RecordReader gives back members that were not known", () => {
  const directory = new Directory();
  const reader = new RecordReader(record(true, false), 0);
  assert(reader.next());
  assertEquals(reader.standing, standing(5, DEAD));
  assertEquals(directory.member(reader.slot(directory)), A);
  assertEquals(reader.next(), false);
  assertEquals(reader.malformed, false);
});

Deno.test("RecordReader without a tail finds known members only", () => {
  const reader = new RecordReader(record(false, false), 0);
  assert(reader.next());
  assertEquals(reader.slot(new Directory()), -1);
  const directory = new Directory();
  const slot = directory.intern(A);
  assertEquals(reader.slot(directory), slot);
});

Deno.test("RecordReader reads a veto of a suspicion, and refuses one of anything else", () => {
  const directory = new Directory();
  const slot = directory.intern(A);
  const bytes = new Uint8Array(RECORD_BYTES);
  const read = (status: Status, vetoed: boolean) => {
    writeRecord(bytes, 0, directory, slot, standing(5, status), false, -1, vetoed);
    const reader = new RecordReader(bytes, 0);
    return reader.next() ? reader.vetoed : "malformed";
  };
  assertEquals([read(SUSPECT, true), read(SUSPECT, false), read(DEAD, false)], [
    true,
    false,
    false,
  ]);
  for (const status of [ALIVE, DEAD, SUPERSEDED, LEFT] as const) {
    assertEquals(read(status, true), "malformed");
  }
});

Deno.test("RecordReader refuses a tail that makes no address", () => {
  const bytes = record(true, false);
  bytes[bytes.length - 1] = 0x20;
  const reader = new RecordReader(bytes, 0);
  assert(reader.next());
  assertEquals(reader.slot(new Directory()), -1);
});

Deno.test("decode() refuses lengths beyond the limits", () => {
  assertEquals(decode(new Uint8Array(MAX_FRAME_BYTES + 1)), undefined);
  const digest = DIGEST.slice();
  digest[2] = MAX_BUCKET_BITS + 1;
  assertEquals(decode(digest), undefined);
  const diff = (FRAMES.diff as Uint8Array).slice();
  diff.set([255, 255], 3);
  assertEquals(decode(diff), undefined);
  const request = (FRAMES.request as Uint8Array).slice();
  request[3] = 255;
  assertEquals(decode(request), undefined);
});

Deno.test("standing numbers on the wire are the protocol's", () => {
  assertEquals(record(false, false)[0], 2);
  assertEquals([...record(false, false).slice(9, 13)], [0, 0, 0, 5]);
  assertEquals(ALIVE, 0);
  assertEquals(Object.values(FRAME), [...Array(15).keys()].map((i) => i + 1));
});
