import { assertEquals } from "@std/assert";
import { ending } from "./ending.ts";

async function endingOf(script: string) {
  return await ending(new Deno.Command("/bin/sh", { args: ["-c", script] }).spawn().status);
}

Deno.test("ending() tells success, exit status and signal apart", async () => {
  assertEquals(await endingOf("exit 0"), { exit: null, exitCode: 0, signal: null });
  assertEquals(await endingOf("exit 3"), { exit: "exit status 3", exitCode: 3, signal: null });
  assertEquals(await endingOf("exit 137"), {
    exit: "exit status 137",
    exitCode: 137,
    signal: null,
  });
  assertEquals(await endingOf("kill -KILL $$"), {
    exit: "signal: killed",
    exitCode: null,
    signal: "SIGKILL",
  });
  assertEquals(await endingOf("kill -TERM $$"), {
    exit: "signal: terminated",
    exitCode: null,
    signal: "SIGTERM",
  });
});

Deno.test({
  name: "ending() tells of real-time signals by number",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    assertEquals(await endingOf("kill -35 $$"), {
      exit: "signal: 35",
      exitCode: null,
      signal: "SIG35",
    });
  },
});
