/**
 * Containers, as the client sees them.
 *
 * @module
 */

import { containerDescription } from "../elements/container/description.ts";
import type { Target } from "./call.ts";
import { RunnableHandle } from "./runnable.ts";
import type { Container, ContainerStat } from "./types.ts";

/** A handle of a container. */
export class ContainerHandle extends RunnableHandle<ContainerStat> implements Container {
  readonly kind = "docker";

  constructor(target: Target) {
    super(target, containerDescription);
  }
}
