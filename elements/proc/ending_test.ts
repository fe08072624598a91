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

Deno.test("ending() tells of real-time signals by number", async () => {
  // Deno fails in this way, and some versions leak the process then.
  const status = Promise.reject(new TypeError("Invalid signal: 35"));
  assertEquals(await ending(status), { exit: "signal: 35", exitCode: null, signal: "SIG35" });
});

Deno.test("ending() admits that it does not know", async () => {
  const status = Promise.reject(new Error("something else"));
  assertEquals(await ending(status), {
    exit: "signal: unknown",
    exitCode: null,
    signal: "SIGUNKNOWN",
  });
});
