/**
 * Waiting until the tools that go before a program have become it, or have said why they cannot.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import { osState } from "./os_state.ts";
import { noAnswer, PATIENCE_MS } from "../launch/patience.ts";

/** Longest pause between two looks at a process that is about to become a program, in milliseconds. */
const MAX_PAUSE_MS = 32;

/** Milliseconds that the news of an end, and the last words of a tool, may take: 200 ms. */
const NEWS_MS = 200;

/** What the tools exit with that cannot execute a file; so do shells and `env`. */
const CANNOT: readonly number[] = [126, 127];

/** A program that runs, or has run already. */
export interface Started {
  readonly child: Deno.ChildProcess;
  /** Its standard error: the child's own was perhaps looked into. */
  readonly stderr: ReadableStream<Uint8Array>;
}

/** What is waited for. */
interface Awaited {
  /** What goes before the program, as `Launcher.before` gives it. */
  readonly before: readonly string[];
  /** The program. */
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * Waits until a process has become its program. Where the system does not show that (elsewhere than
 * on Linux, or without Deno's permission) it does not wait; a program that cannot be executed then
 * ends with 126 or 127 and a word on its standard error, as under `env`.
 *
 * @throws {CircuitError} why the program cannot be executed; the process has ended then. `TIMEOUT` if
 * that takes longer than a file system may; the process was killed then.
 */
export async function untilExecuted(
  child: Deno.ChildProcess,
  { before, file, args }: Awaited,
): Promise<Started> {
  const rest = [file, ...args, ""].join("\0");
  const whole = [...before, rest].join("\0");
  // A tool's words are all that is still to come.
  const isTool = (now: string) => now.length > rest.length && whole.endsWith(now);
  const until = performance.now() + PATIENCE_MS;
  for (let pause = 1;; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
    const now = commandLine(child.pid);
    // In the midst of becoming something else it has no words for a moment.
    if (now === "" && await osState(child.pid) === "ended") return await ended(child, file);
    if (now === undefined || (now !== "" && !isTool(now))) return { child, stderr: child.stderr };
    if (performance.now() > until) {
      child.kill("SIGKILL");
      await discard(child);
      throw noAnswer(file, PATIENCE_MS);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** The words of a process, NUL-ended; empty if it has ended, undefined if it cannot be told. */
function commandLine(pid: number): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  } catch (error) {
    return error instanceof Deno.errors.NotCapable ? undefined : "";
  }
}

/** It has ended before it was seen to be the program: that has run, or could not be executed. */
async function ended(child: Deno.ChildProcess, file: string): Promise<Started> {
  // One that runs as another user may be hidden instead.
  const code = await soon(child.status.then(({ code }) => code, () => 0));
  if (code === undefined || !CANNOT.includes(code)) return { child, stderr: child.stderr };
  const reader = child.stderr.getReader();
  const first = reader.read();
  const heard = await soon(first);
  const said = new TextDecoder().decode(heard?.value);
  // As in `setsid: failed to execute /opt/app: Text file busy`.
  const why = /^(?:\S*\/)?(?:setsid|prlimit): [^\n]*: ([^:\n]+)\n$/.exec(said)?.[1];
  if (why === undefined || !said.includes(file)) return { child, stderr: after(first, reader) };
  await reader.cancel().catch(() => {});
  reader.releaseLock();
  await discard(child);
  const busy = /busy/i.test(why);
  throw new CircuitError(
    busy ? "BUSY" : code === 127 ? "NOT_FOUND" : "DENIED",
    busy ? `${JSON.stringify(file)} is open for writing` : `${JSON.stringify(file)}: ${why}`,
  );
}

/** What comes within {@linkcode NEWS_MS}, else undefined. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, NEWS_MS, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A stream that begins with what was read of it. */
function after(
  first: ReturnType<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>["read"]>,
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array> {
  let next: typeof first | undefined = first;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { value, done } = await (next ?? reader.read());
      next = undefined;
      if (value) return controller.enqueue(value);
      if (!done) return;
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Lets go of a process that is not wanted. */
async function discard(child: Deno.ChildProcess): Promise<void> {
  const pipes = [child.stdin.close(), child.stdout.cancel(), child.stderr.cancel()];
  await Promise.allSettled([...pipes, child.status]);
}
