import { runHistory } from "./_history.ts";

/** Seeds of the histories that are run. */
const FIRST_SEED = 1;
const HISTORIES = 10_000;

/** The seed of a failed history, to run that one alone. */
const REPLAY: number | undefined = undefined;

Deno.test("a channel does what its model says, in ten thousand random histories", async () => {
  if (REPLAY !== undefined) return await runHistory(REPLAY);
  for (let i = 0; i < HISTORIES; i++) await runHistory(FIRST_SEED + i);
});
