/**
 * Processes, as the client sees them.
 *
 * @module
 */

import { procDescription } from "../elements/proc/description.ts";
import { call, open, type Target } from "./call.ts";
import { scrub } from "./scrub.ts";
import { READ_WINDOW_BYTES, readable, writable } from "./streams.ts";
import type { CallOptions, Cmd, Proc, ProcStat } from "./types.ts";

/** A handle of a process. */
export class ProcHandle implements Proc {
  readonly kind = "proc";
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  stdin(options?: CallOptions): WritableStream<Uint8Array> {
    return writable(async () => {
      const stream = await open(this.#target, `${procDescription.name}.stdin`, {}, options);
      await stream.reply();
      return stream;
    });
  }

  stdout(options?: CallOptions): ReadableStream<Uint8Array> {
    return this.#output("stdout", options);
  }

  stderr(options?: CallOptions): ReadableStream<Uint8Array> {
    return this.#output("stderr", options);
  }

  wait(options?: CallOptions): Promise<ProcStat> {
    return call(this.#target, procDescription, "wait", undefined, options);
  }

  signal(name: string, options?: CallOptions): Promise<void> {
    return call(this.#target, procDescription, "signal", name, options);
  }

  getEnv(options?: CallOptions): Promise<string[]> {
    return call(this.#target, procDescription, "getEnv", undefined, options);
  }

  getCmd(options?: CallOptions): Promise<Cmd> {
    return call(this.#target, procDescription, "getCmd", undefined, options);
  }

  peek(options?: CallOptions): Promise<ProcStat> {
    return call(this.#target, procDescription, "peek", undefined, options);
  }

  scrub(options?: CallOptions): Promise<void> {
    return scrub(this.#target, options);
  }

  #output(which: "stdout" | "stderr", options?: CallOptions): ReadableStream<Uint8Array> {
    const method = `${procDescription.name}.${which}`;
    return readable(() => open(this.#target, method, { window: READ_WINDOW_BYTES }, options));
  }
}
