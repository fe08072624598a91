/**
 * Processes, as the client sees them.
 *
 * @module
 */

import { procDescription } from "../elements/proc/description.ts";
import { call, type Target } from "./call.ts";
import { RunnableHandle } from "./runnable.ts";
import type { CallOptions, Cmd, Proc, ProcStat } from "./types.ts";

/** A handle of a process. */
export class ProcHandle extends RunnableHandle<ProcStat> implements Proc {
  readonly kind = "proc";

  constructor(target: Target) {
    super(target, procDescription);
  }

  getEnv(options?: CallOptions): Promise<string[]> {
    return call(this.target, procDescription, "getEnv", undefined, options);
  }

  getCmd(options?: CallOptions): Promise<Cmd> {
    return call(this.target, procDescription, "getCmd", undefined, options);
  }
}
