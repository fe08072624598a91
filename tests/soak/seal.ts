/**
 * A process with namespaces of its own, in which it is root: what it mounts, what networks it makes
 * and whatever it starts is gone with it, however it ends.
 *
 * @module
 */

const UNSHARE = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Names of network namespaces are files in this directory, which is the process's own, too. */
const OWN_NAMES = "mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns";

/** The first process of the namespaces is a shell, which waits for processes that nobody waits for. */
const RUN = `${OWN_NAMES} && "$@"; exit $?`;

/** Whether this process may do that. */
export async function canSeal(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  try {
    const script = `${OWN_NAMES} && ip netns add it && ip netns attach own $$`;
    const { success } = await new Deno.Command("unshare", {
      args: [...UNSHARE, "sh", "-c", `${script}; exit $?`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

/** Runs a module so; returns its exit status. */
export async function runSealed(module: string, args: readonly string[]): Promise<number> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "--quiet", "--v8-flags=--expose-gc", `--config=${config}`];
  const child = new Deno.Command("unshare", {
    args: [
      ...UNSHARE,
      "sh",
      "-c",
      RUN,
      "sh",
      ...deno,
      "--allow-all",
      new URL(module).pathname,
      ...args,
    ],
  }).spawn();
  return (await child.status).code;
}
