// Run as the first process of a PID namespace: a process group ends, a stranger gets its number, and
// must get no signal that was meant for the group. Prints what came of it.

import { ProcessGroup } from "../group.ts";

/** Starts a program that leads a session, and so a process group, of its own. */
function lead(...words: string[]): Deno.ChildProcess {
  return new Deno.Command("setsid", { args: words, stdin: "null", stdout: "null" }).spawn();
}

const first = lead("sleep", "1000");
const group = new ProcessGroup(first.pid);
first.kill("SIGKILL");
await first.status;
group.leaderEnded();
const none = await group.signal("SIGTERM");

let stranger = first;
while (stranger === first || stranger.pid !== first.pid) {
  if (stranger !== first) stranger.kill("SIGKILL");
  Deno.writeTextFileSync("/proc/sys/kernel/ns_last_pid", `${first.pid - 1}`);
  stranger = lead("sleep", "1000");
}
while (!group.exists()) await new Promise((resolve) => setTimeout(resolve, 1));
const reached = await group.signal("SIGKILL");

// One of a group that lives on without its leader is still reached.
const second = lead("sh", "-c", "sleep 1000 & exit");
const orphaned = new ProcessGroup(second.pid);
await second.status;
orphaned.leaderEnded();
const ours = await orphaned.signal("SIGKILL");
while (orphaned.exists()) await new Promise((resolve) => setTimeout(resolve, 1));

stranger.kill("SIGTERM");
const { signal } = await stranger.status;
console.log(JSON.stringify({ none, reached, ours, signal }));
