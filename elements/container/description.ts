/**
 * What a container element can do, for whoever calls it and whoever answers.
 *
 * @module
 */

import { CircuitError } from "../../overlay/errors.ts";
import type { Parser } from "../describe.ts";
import { boolean, integer, list, optional, osString, record } from "../parse.ts";
import { runningMethods } from "../proc/description.ts";

/** Most that `memory` may be: what a number holds exactly. */
const MAX_MEMORY_BYTES = Number.MAX_SAFE_INTEGER;

/** Most that the kernel takes for `cpuShares`. */
const MAX_CPU_SHARES = 262_144;

/** What the container engine's `inspect` reports, unchanged. */
export type ContainerStat = Readonly<Record<string, unknown>>;

/**
 * What makes a container. Absent fields, and those that are empty or 0, are left to the container
 * engine and the image.
 *
 * @example
 * ```ts
 * import type { ContainerRun } from "jsr:@circuit/cli/client";
 *
 * const run: ContainerRun = {
 *   image: "nginx",
 *   memory: 64 * 1024 * 1024,
 *   volume: ["/srv/www:/usr/share/nginx/html:ro"],
 *   scrub: true,
 * };
 * console.assert(run.image === "nginx");
 * ```
 */
export interface ContainerRun {
  /** Name of the image, as the engine knows it. It is pulled where it is missing. */
  image: string;
  /** Most memory, in bytes. */
  memory?: number | undefined;
  /** Weight against other containers when processors are short; the engine's default is 1024. */
  cpuShares?: number | undefined;
  /**
   * Volumes: `HOST_DIR:DIR` or `HOST_DIR:DIR:ro` for a directory of the host, `DIR` for one that
   * goes when the container does.
   */
  volume?: string[] | undefined;
  /** Working directory. */
  dir?: string | undefined;
  /** Entry point: one program, which gets `path` and `args` as its arguments. */
  entry?: string | undefined;
  /** Environment that is added to the image's, as `NAME=VALUE`. */
  env?: string[] | undefined;
  /** The program to run, found in the image; without it the image's own. */
  path?: string | undefined;
  /** Its arguments, not counting its own name; default none. */
  args?: string[] | undefined;
  /** True: the element goes by itself when the container exits. Default false. */
  scrub?: boolean | undefined;
}

/** How each field of a {@linkcode ContainerRun} is checked. */
export const containerFields = {
  image: osString,
  memory: optional(integer(0, MAX_MEMORY_BYTES)),
  cpuShares: optional(integer(0, MAX_CPU_SHARES)),
  volume: optional(list(osString)),
  dir: optional(osString),
  entry: optional(osString),
  env: optional(list(osString)),
  path: optional(osString),
  args: optional(list(osString)),
  scrub: optional(boolean),
};

const parseFields = record(containerFields);

/** Checks a {@linkcode ContainerRun} from the wire. */
export const parseContainerRun: Parser<ContainerRun> = (value) => {
  const run: ContainerRun = parseFields(value);
  if (run.image === "") {
    throw new CircuitError("BAD_REQUEST", "image is empty; want the name of an image");
  }
  return run;
};

/** The container's methods. */
export const containerDescription = {
  name: "docker",
  methods: runningMethods<ContainerStat>(),
} as const;
