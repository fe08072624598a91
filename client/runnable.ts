/**
 * What processes and containers have in common, as the client sees them.
 *
 * @module
 */

import type { Description } from "../elements/describe.ts";
import type { RunningMethods } from "../elements/proc/description.ts";
import { call, open, type Target } from "./call.ts";
import { scrub } from "./scrub.ts";
import { READ_WINDOW_BYTES, readable, writable } from "./streams.ts";
import type { CallOptions, Runnable } from "./types.ts";

/** A handle of something that runs. */
export abstract class RunnableHandle<Stat> implements Runnable<Stat> {
  protected readonly target: Target;
  readonly #description: Description<RunningMethods<Stat>>;

  constructor(target: Target, description: Description<RunningMethods<Stat>>) {
    this.target = target;
    this.#description = description;
  }

  stdin(options?: CallOptions): WritableStream<Uint8Array> {
    return writable(async (unwanted) => {
      const method = `${this.#description.name}.stdin`;
      const stream = await open(this.target, method, {}, options, unwanted);
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

  wait(options?: CallOptions): Promise<Stat> {
    return call(this.target, this.#description, "wait", undefined, options);
  }

  signal(name: string, options?: CallOptions): Promise<void> {
    return call(this.target, this.#description, "signal", name, options);
  }

  peek(options?: CallOptions): Promise<Stat> {
    return call(this.target, this.#description, "peek", undefined, options);
  }

  scrub(options?: CallOptions): Promise<void> {
    return scrub(this.target, options);
  }

  #output(which: "stdout" | "stderr", options?: CallOptions): ReadableStream<Uint8Array> {
    const method = `${this.#description.name}.${which}`;
    const request = { window: READ_WINDOW_BYTES };
    return readable((unwanted) => open(this.target, method, request, options, unwanted));
  }
}
