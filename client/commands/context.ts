/**
 * The world around a command when it is the real one: this process's standard streams, signals and
 * environment.
 *
 * @module
 */

import type { Client } from "../types.ts";
import type { Command, Context, Where } from "./command.ts";
import type { World } from "./dispatch.ts";
import { Output } from "./output.ts";

/** Exit statuses of the signals that interrupt the tool, as shells have them: 128 and the number. */
const INTERRUPTS: readonly (readonly [Deno.Signal, number])[] = [["SIGINT", 130], ["SIGTERM", 143]];

/** This process. */
export function systemContext(): World {
  return {
    debug: debugging(),
    context: (commands, signal) => new ProcessContext(commands, signal),
    listen(callback) {
      const listeners = INTERRUPTS.map(([name, status]) => {
        const listener = () => callback(status);
        Deno.addSignalListener(name, listener);
        return () => Deno.removeSignalListener(name, listener);
      });
      return () => listeners.forEach((remove) => remove());
    },
  };
}

class ProcessContext implements Context {
  /** No `#` private: an invocation has this context as its prototype. */
  private readonly input: () => ReadableStream<Uint8Array> = once(standardInput);
  readonly commands: readonly Command[];
  readonly signal: AbortSignal;
  readonly stdout: Output = new Output(Deno.stdout);
  readonly stderr: Output = new Output(Deno.stderr, "standard error");

  constructor(commands: readonly Command[], signal: AbortSignal) {
    this.commands = commands;
    this.signal = signal;
  }

  get stdin(): ReadableStream<Uint8Array> {
    return this.input();
  }

  get typed(): boolean {
    return Deno.stdin.isTerminal();
  }

  get watched(): boolean {
    return Deno.stderr.isTerminal();
  }

  note(line: string): void {
    // Control characters in a path must not reach the terminal.
    const clean = line.replace(/[^\P{Cc}\n\t]/gu, (character) => escaped(character));
    try {
      writeAll(new TextEncoder().encode(clean + "\n"));
    } catch {
      // Nobody is left to tell.
    }
  }

  async connect(where: Where, signal: AbortSignal): Promise<Client> {
    const { connect, dial, discover } = await import("../mod.ts");
    const { timeoutMs, redial } = where;
    const options = { signal, timeoutMs, key: await keyIn(where.hmac, this), redial };
    if (where.dial !== undefined) return await dial(where.dial, options);
    if (where.discover !== undefined) return await discover(where.discover, options);
    return await connect(options);
  }
}

/** What makes something when it is first asked for, and gives that ever after. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Standard input, whose failures say what they are failures of. */
function standardInput(): ReadableStream<Uint8Array> {
  const reader = Deno.stdin.readable.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        controller.error(new Error(`cannot read standard input: ${reason}`, { cause }));
      }
    },
    cancel: (why) => reader.cancel(why),
  }, { highWaterMark: 0 });
}

async function keyIn(
  given: string | undefined,
  context: Pick<Context, "note">,
): Promise<Uint8Array | undefined> {
  const { findKeyFile, readKeyFile } = await import("../mod.ts");
  const file = findKeyFile(given);
  if (file === undefined) return undefined;
  const { keys, warning } = await readKeyFile(file);
  if (warning !== undefined) context.note(`circuit: warning: ${warning}`);
  return keys[0];
}

function writeAll(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}

function escaped(character: string): string {
  return "\\x" + character.charCodeAt(0).toString(16).padStart(2, "0");
}

function debugging(): boolean {
  return Deno.env.get("CIRCUIT_LOG") === "debug";
}
