/**
 * Waiting in tests without clocks.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/**
 * Resolves when everything has run that can run without new input: each promise that is resolved
 * has called back, and what that resolved in turn, and so on. No time passes.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
