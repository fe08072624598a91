/**
 * The container element's door: what the rest of the project may use of it.
 *
 * @module
 */

export { makeContainer } from "./container.ts";
export {
  containerDescription,
  type ContainerRun,
  type ContainerStat,
  parseContainerRun,
} from "./description.ts";
