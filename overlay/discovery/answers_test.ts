import { assert, assertEquals } from "@std/assert";
import { ANSWERED_MS, Answers, ANSWERS_PER_SECOND } from "./answers.ts";

/** Asks once for each of these nonces; how many answers there are. */
function count(answers: Answers, nonces: readonly bigint[], now: number): number {
  return nonces.filter((nonce) => answers.take(nonce, now)).length;
}

Deno.test("Answers.take() answers all copies of a query while there are enough answers", () => {
  const answers = new Answers();
  assertEquals(count(answers, [1n, 1n, 1n, 2n], 0), 4);
  assertEquals(count(answers, [1n, 2n], 100), 2);
});

Deno.test("Answers.take() leaves no client out for the copies of others' queries", () => {
  const answers = new Answers();
  const clients = Array.from({ length: 2 * ANSWERS_PER_SECOND }, (_, i) => BigInt(i + 1));
  const answered = new Set<bigint>();
  // When clients ask that all began at once, each through four networks, until there is an answer.
  for (const now of [0, 100, 400, 1_400, 2_400, 3_400]) {
    for (const nonce of clients.filter((each) => !answered.has(each))) {
      for (let copy = 0; copy < 4; copy++) if (answers.take(nonce, now)) answered.add(nonce);
    }
  }
  assertEquals(answered.size, clients.length);
});

Deno.test("Answers.take() answers again a client that still asks a second later", () => {
  const answers = new Answers();
  const others = Array.from({ length: ANSWERS_PER_SECOND }, (_, i) => BigInt(i + 100));
  assertEquals(count(answers, others, 0), ANSWERS_PER_SECOND);
  assert(!answers.take(1n, 0));
  assert(answers.take(1n, 10));
  assert(!answers.take(1n, 10 + ANSWERED_MS / 3));
  // By then others have taken what there was in the meantime.
  count(answers, others.map((nonce) => nonce + 1_000n), ANSWERED_MS);
  assert(!answers.take(2n, ANSWERED_MS));
  assert(answers.take(1n, ANSWERED_MS + 10));
});

Deno.test("Answers remembers no more than it answers in its time", () => {
  const answers = new Answers();
  let nonce = 1n;
  for (let now = 0; now < 10_000; now++) answers.take(nonce++, now);
  assert(answers.size <= ANSWERS_PER_SECOND * (1 + ANSWERED_MS / 1_000), `${answers.size}`);
});
