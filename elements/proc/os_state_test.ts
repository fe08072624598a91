import { assertEquals, assertNotEquals } from "@std/assert";
import { eventually } from "./_testing/hosted.ts";
import { osFacts, osState, statFields } from "./os_state.ts";

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

Deno.test("osFacts() tells of each process that there is, and the same start each time", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const gone = new Deno.Command("true").spawn();
  await gone.status;
  const pids = [child.pid, gone.pid, Deno.pid];
  const facts = await osFacts(pids);
  assertEquals([...facts?.keys() ?? []], [child.pid, Deno.pid]);
  assertEquals(facts?.get(Deno.pid)?.state, "running");
  assertNotEquals(facts?.get(Deno.pid)?.start ?? "", "");
  assertEquals((await osFacts(pids))?.get(child.pid), facts?.get(child.pid));
  assertEquals(await osFacts([]), new Map());
  assertEquals(await osFacts([gone.pid]), new Map());
  child.kill("SIGKILL");
  await child.status;
});
