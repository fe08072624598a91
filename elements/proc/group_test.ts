import { assertEquals } from "@std/assert";

/** Runs a program as the first one of a PID namespace; undefined where that may not be made. */
async function inNamespace(words: readonly string[]): Promise<string | undefined> {
  const unshare = (args: readonly string[]) =>
    new Deno.Command("unshare", { args: ["--pid", "--fork", "--mount-proc", ...args] }).output();
  try {
    if (!(await unshare(["true"])).success) return undefined;
  } catch {
    return undefined;
  }
  // Ended processes that lost their parent are waited for by the first one.
  const script = '"$@" & wait $!';
  const { stdout, stderr } = await unshare(["sh", "-c", script, "sh", ...words]);
  return new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr);
}

const script = new URL("_testing/stranger.ts", import.meta.url).pathname;
const said = await inNamespace([Deno.execPath(), "run", "--no-check", "--allow-all", script]);

Deno.test({
  name: "signal() reaches a group without its leader, and no stranger that has got its number",
  ignore: said === undefined,
  fn() {
    assertEquals(JSON.parse(said ?? ""), {
      none: false,
      reached: false,
      ours: true,
      signal: "SIGTERM",
    });
  },
});
