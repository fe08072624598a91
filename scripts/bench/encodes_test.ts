import { assert, assertEquals } from "@std/assert";
import { countedPair, countedWork } from "./encodes.ts";

Deno.test("a small call encodes at most once each way, the moving of bytes never", async () => {
  await using pair = await countedPair();
  for (const { work, most, run } of await countedWork(pair.root)) {
    const { client, server } = await pair.encodesOf(run);
    assert(client <= 1 && server <= 1 && client + server <= most, `${work}: ${client}, ${server}`);
  }
  // A count that stays at zero would be none.
  const make = await pair.encodesOf(() => pair.root.walk("made").makeChan(1));
  assertEquals(make.client, 1);
});
