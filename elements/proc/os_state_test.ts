import { assertEquals, assertNotEquals } from "@std/assert";
import { eventually } from "./_testing/hosted.ts";
import { osState, startTime, statFields } from "./os_state.ts";

const STAT = "41 (a) b (c)) T 1 41 41 0 -1 4194560 90 0 0 0 0 0 0 0 20 0 1 0 123456 2412 5 1";

Deno.test("statFields() numbers the fields behind any program name", () => {
  const fields = statFields(STAT);
  assertEquals([fields[3], fields[4], fields[22]], ["T", "1", "123456"]);
  assertEquals(statFields("")[3], "");
});

Deno.test("osState() tells running, stopped and ended", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  assertEquals(await osState(child.pid), "running");
  Deno.kill(child.pid, "SIGSTOP");
  await eventually(async () => await osState(child.pid) === "stopped");
  Deno.kill(child.pid, "SIGCONT");
  await eventually(async () => await osState(child.pid) === "running");
  child.kill("SIGKILL");
  await child.status;
  assertEquals(await osState(child.pid), "ended");
});

Deno.test("startTime() stays the same for a process, and is undefined for none", async () => {
  const own = await startTime(Deno.pid);
  assertNotEquals(own, undefined);
  assertEquals(await startTime(Deno.pid), own);
  const child = new Deno.Command("true").spawn();
  await child.status;
  assertEquals(await startTime(child.pid), undefined);
});
