/**
 * Process elements for tests: hosted at a make-believe anchor, and gone with everything that was
 * theirs when the test's block ends.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { Budget } from "../../../overlay/budget.ts";
import { type Caller, type CallPairOptions, invoke } from "../../_testing/call_pair.ts";
import type { Cmd, ProcStat } from "../description.ts";
import { Launcher } from "../../launch/launcher.ts";
import { makeProc, type ProcContext, type ProcElement } from "../proc.ts";

/** The path of the make-believe anchor. */
export const PATH = "/X0123456789abcdef/test";

/** A process element and the anchor that holds it. */
export class Hosted implements AsyncDisposable {
  /** True once the element was removed, by the test or by itself. */
  removed = false;
  /** What it has logged. */
  readonly logged: string[] = [];
  #element: ProcElement | undefined;

  /** Starts the command. */
  static async start(
    cmd: Cmd,
    tied = false,
    { launcher = new Launcher(), budget = new Budget() } = {},
  ): Promise<Hosted> {
    const hosted = new Hosted();
    const context: ProcContext = {
      path: PATH,
      tied,
      launcher,
      budget,
      remove: () => hosted.scrub(),
      log: (_level, message) => hosted.logged.push(message),
    };
    hosted.#element = await makeProc(cmd, context);
    return hosted;
  }

  /** The element. */
  get element(): ProcElement {
    if (this.#element === undefined) throw new Error("not started");
    return this.#element;
  }

  /** Calls a method. */
  call(method: string, args?: unknown, options?: CallPairOptions): Caller {
    return invoke(this.element, method, args, options);
  }

  /** What `peek` answers. */
  async peek(): Promise<ProcStat> {
    return await this.call("peek").reply() as ProcStat;
  }

  /** What `wait` answers. */
  async wait(): Promise<ProcStat> {
    return await this.call("wait").reply() as ProcStat;
  }

  /** Sends a signal. */
  async signal(name: string): Promise<void> {
    await this.call("signal", name).reply();
  }

  /** Reads `stdout` or `stderr` to its end, acknowledges it, and gives it as text. */
  async text(stream: "stdout" | "stderr"): Promise<string> {
    return await readText(this.call(stream));
  }

  /** Writes `text` to its standard input and closes that. */
  async feed(text: string): Promise<void> {
    const caller = this.call("stdin");
    await caller.write(encode(text));
    caller.end();
    await caller.readAll();
  }

  /** Removes the element, as an anchor does; resolves when nothing of it is left to do. */
  async scrub(): Promise<void> {
    if (this.removed) return;
    this.removed = true;
    await this.element.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.scrub();
    await this.element.terminate(0);
    await this.element.released;
  }
}

/** Starts a script of `/bin/sh`. */
export function shell(script: string, more: Partial<Cmd> = {}, tied = false): Promise<Hosted> {
  return Hosted.start({ path: "/bin/sh", args: ["-c", script], ...more }, tied);
}

/** Everything up to the end, as text; acknowledged. */
export async function readText(caller: Caller): Promise<string> {
  const text = new TextDecoder().decode(await caller.readAll());
  caller.end();
  return text;
}

/** What comes until `text` has come; acknowledged as it comes. */
export async function readUntil(caller: Caller, text: string): Promise<string> {
  let seen = "";
  while (!seen.includes(text)) {
    const bytes = await caller.read();
    if (bytes === undefined) throw new Error(`want ${text}, found the end after ${seen}`);
    seen += new TextDecoder().decode(bytes);
  }
  return seen;
}

/** Resolves when the call is over. */
export async function over(caller: Caller): Promise<void> {
  await eventually(() => caller.over);
}

/** Resolves when it is so; the event loop turns meanwhile. A test that waits in vain is stopped. */
export async function eventually(so: () => boolean | Promise<boolean>): Promise<void> {
  while (!await so()) await new Promise((resolve) => setImmediate(resolve));
}

/** The bytes of a text. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
