/**
 * The process element's door: what the rest of the project may use of it.
 *
 * @module
 */

export {
  type Cmd,
  MAX_KEEP_BYTES,
  parseCmd,
  type Phase,
  procDescription,
  type ProcStat,
} from "./description.ts";
export { makeProc, type ProcContext, type ProcElement } from "./proc.ts";
export { isRunning, type RunningElement } from "./running.ts";
export { knownSignals } from "./signals.ts";
export {
  type Child,
  formatChild,
  formatChildren,
  parseChildren,
  startTimes,
  survivors,
} from "./survivors.ts";
