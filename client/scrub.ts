/**
 * Removing an element, whatever it is.
 *
 * @module
 */

import { anchorDescription } from "../elements/anchor/description.ts";
import { call, type Target } from "./call.ts";
import type { CallOptions } from "./types.ts";

/** Removes the element at an anchor; nothing happens where there is none. */
export function scrub(target: Target, options: CallOptions | undefined): Promise<void> {
  return call(target, anchorDescription, "scrub", undefined, options);
}
