import { assert, assertEquals } from "@std/assert";
import { Random } from "../../tests/random.ts";
import { ByteLog } from "./byte_log.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** Everything that a log holds. */
function content(log: ByteLog): number[] {
  const all: number[] = [];
  for (let at = log.start; at < log.end;) {
    const piece = log.at(at);
    assert(piece.length > 0);
    all.push(...piece);
    at += piece.length;
  }
  return all;
}

Deno.test("ByteLog gives back what was appended, by position", () => {
  const log = new ByteLog();
  assertEquals(log.at(0).length, 0);
  log.append(bytes(1, 2, 3));
  log.append(bytes(4));
  assertEquals([log.start, log.end], [0, 4]);
  assertEquals(log.at(1), bytes(2, 3, 4));
  assertEquals(log.at(4).length, 0);
  log.forget(2);
  assertEquals([log.start, log.end], [2, 4]);
  assertEquals(log.at(1).length, 0);
  assertEquals(content(log), [3, 4]);
});

Deno.test("ByteLog.forget() never goes back, nor past the end", () => {
  const log = new ByteLog();
  log.append(bytes(1, 2, 3));
  log.forget(2);
  log.forget(1);
  assertEquals(log.start, 2);
  log.forget(100);
  assertEquals([log.start, log.end], [3, 3]);
});

for (const recycle of [false, true]) {
  Deno.test(`ByteLog holds a moving stretch of a long stream (recycle: ${recycle})`, () => {
    const log = new ByteLog({ recycle });
    let position = 0;
    for (let round = 0; round < 300; round++) {
      const size = (round * 7919) % 20_000;
      log.append(Uint8Array.from({ length: size }, (_, index) => (position + index) % 251));
      position += size;
      log.forget(position - 50_000);
      assertEquals(log.end, position);
      assertEquals(log.start, Math.max(0, position - 50_000));
      const held = content(log);
      assertEquals(held.length, log.end - log.start);
      assert(held.every((value, index) => value === (log.start + index) % 251));
    }
  });
}

Deno.test("ByteLog.at() gives what never changes, unless it recycles", () => {
  const log = new ByteLog();
  log.append(new Uint8Array(4096).fill(1));
  const piece = log.at(0);
  for (let round = 0; round < 50; round++) {
    log.append(new Uint8Array(65536).fill(2));
    log.forget(log.end);
  }
  assert(piece.every((value) => value === 1));
});

Deno.test("ByteLog packs small appends", () => {
  const log = new ByteLog();
  for (let index = 0; index < 200_000; index++) log.append(bytes(index & 255));
  let pieces = 0;
  for (let at = 0; at < log.end; at += log.at(at).length) pieces++;
  assert(pieces <= 5, `${pieces} pieces`);
});

Deno.test("ByteLog.clear() forgets everything and can go on", () => {
  const log = new ByteLog({ recycle: true });
  log.append(bytes(1, 2));
  log.clear();
  assertEquals(content(log), []);
  log.append(bytes(3));
  assertEquals([log.start, log.end], [2, 3]);
  assertEquals(content(log), [3]);
});

Deno.test("ByteLog.memory is what is held and little more, and the account says the same", () => {
  const random = new Random(1);
  for (const recycle of [false, true]) {
    let counted = 0;
    const log = new ByteLog({ recycle, account: { add: (bytes) => void (counted += bytes) } });
    for (let i = 0; i < 2_000; i++) {
      if (random.chance(0.5)) log.append(new Uint8Array(random.integer(0, 200_000)));
      else log.forget(random.integer(log.start, log.end));
      if (random.chance(0.01)) log.clear();
      assertEquals(log.memory, counted);
      const spare = log.memory - (log.end - log.start);
      assert(
        spare >= 0 && spare <= (recycle ? 6 : 2) * 65_536,
        `${spare} bytes more than are held`,
      );
    }
    log.clear();
    assertEquals([log.memory, counted], [0, 0]);
  }
});
