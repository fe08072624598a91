import { assertEquals, assertRejects } from "@std/assert";
import { CircuitError } from "../../overlay/errors.ts";
import { encode } from "./fake_world_test.ts";
import { Groups } from "./groups.ts";

function pieces(...texts: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(texts.map(encode));
}

function seen(groups: Groups): [string[], string][] {
  return groups.all().map(({ paths, output }) => [paths, new TextDecoder().decode(output)]);
}

Deno.test("Groups gather what is the same, however it comes", async () => {
  const groups = new Groups();
  await groups.gather("/X3", pieces("a", "b\n"));
  await groups.gather("/X2", pieces("other"));
  await groups.gather("/X1", pieces("ab\n"));
  await groups.gather("/X0", pieces());
  assertEquals(seen(groups), [[["/X1", "/X3"], "ab\n"], [["/X0"], ""], [["/X2"], "other"]]);
});

Deno.test("Groups hold no more than they may, each output counted once", async () => {
  const groups = new Groups(10);
  await groups.gather("/X1", pieces("12345678"));
  const error = await assertRejects(() => groups.gather("/X2", pieces("1", "234")), CircuitError);
  assertEquals(error.message.includes("more than 10 bytes"), true);
  const equal = new Groups(16);
  for (const path of ["/X1", "/X2", "/X3"]) await equal.gather(path, pieces("12345678"));
  assertEquals(seen(equal), [[["/X1", "/X2", "/X3"], "12345678"]]);
});

Deno.test("Groups keep what has come of an output that fails", async () => {
  const groups = new Groups();
  const fails = async function* () {
    yield encode("half");
    await Promise.reject(new CircuitError("SERVER_GONE", "lost"));
  };
  await assertRejects(() => groups.gather("/X1", fails()), CircuitError, "lost");
  assertEquals(seen(groups), [[["/X1"], "half"]]);
});
