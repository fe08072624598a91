/**
 * The JSON that describes a container.
 *
 * @module
 */

import { containerFields, parseContainerRun } from "../../elements/container/description.ts";
import type { ContainerRun } from "../types.ts";
import { parseJsonRecord } from "./cmd_json.ts";

const { image, memory, cpuShares, volume, dir, entry, env, path, args, scrub } = containerFields;

const FIELDS = {
  Image: image,
  Memory: memory,
  CpuShares: cpuShares,
  Volume: volume,
  Dir: dir,
  Entry: entry,
  Env: env,
  Path: path,
  Args: args,
  Scrub: scrub,
};

/**
 * Reads a container.
 *
 * @throws {CircuitError} `BAD_REQUEST`, naming the line and column, or the key.
 */
export function parseContainerJson(text: string): ContainerRun {
  const given = parseJsonRecord(text, "the container", FIELDS);
  const run = Object.entries(given).map(([key, value]) => [
    key.slice(0, 1).toLowerCase() + key.slice(1),
    value,
  ]);
  return parseContainerRun(Object.fromEntries(run));
}
