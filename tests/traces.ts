/**
 * What a server has under way and what it holds, seen from outside.
 *
 * @module
 */

import type { Client } from "../mod.ts";
import { textOf } from "./bytes.ts";
import type { RunningServer } from "./launcher.ts";
import { until } from "./until.ts";

/** How many calls a server is answering, or passing on, not counting the one that asks. */
export async function callsAt(client: Client, server: RunningServer): Promise<number> {
  const element = await client.anchor(server.path).get();
  if (element?.kind !== "server") throw new Error(`${server.path} holds no server`);
  const report = await textOf(element.profile("tasks"));
  const counts = [...report.matchAll(/: (\d+) streams/g)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0) - 1;
}

/** Waits until a server is answering so many calls. */
export async function untilCalls(
  client: Client,
  server: RunningServer,
  count: number,
): Promise<void> {
  const what = `${server.id} to be answering ${count} calls`;
  await until(what, () => callsAt(client, server), (seen) => seen === count);
}

/** Whether there is `/proc`, which the functions below read. */
export const hasProcFs: boolean = Deno.build.os === "linux";

/** Open file descriptors of a process. */
export async function openFiles(pid: number): Promise<number> {
  return (await lines("ls", [`/proc/${pid}/fd`])).length;
}

/** The children of a process, those included that have ended and were not waited for. */
export async function childrenOf(pid: number): Promise<number[]> {
  const [text = ""] = await lines("/bin/sh", ["-c", `echo $(cat /proc/${pid}/task/*/children)`]);
  return text.split(" ").filter((word) => word !== "").map(Number);
}

/** Resident memory of a process, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const [line = ""] = await lines("grep", ["^VmRSS:", `/proc/${pid}/status`]);
  return Number(/\d+/.exec(line)?.[0]) * 1024;
}

/** Bytes that a process has written so far. */
export async function writtenBytes(pid: number): Promise<number> {
  const [line = ""] = await lines("grep", ["^wchar:", `/proc/${pid}/io`]);
  return Number(/\d+/.exec(line)?.[0]);
}

/** True while there is a process of this number that has not ended. */
export async function isAlive(pid: number): Promise<boolean> {
  // A child of a test that has ended is no zombie: whoever started it has waited for it.
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `kill -0 ${pid}`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** The lines that a program prints. Deno itself lets only programs with all permissions into /proc. */
async function lines(program: string, args: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command(program, { args, stdin: "null", stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}
