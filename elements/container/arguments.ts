/**
 * A container as the arguments of `docker create` and `podman create`.
 *
 * @module
 */

import { parseEnv } from "../proc/environment.ts";
import type { ContainerRun } from "./description.ts";

/** The label that a container of a circuit has; its value is the path of its anchor. */
export const LABEL = "circuit";

/**
 * The arguments that create a container and do not start it.
 *
 * Values are tied to their flags with `=`, and `--` ends the flags, so that nothing that a user gives
 * is taken for one. Its output is not logged by the engine, which would be without limit on the
 * host's disk: what nobody reads waits in the server, as a process's does.
 *
 * @param name The container's name.
 * @param path The path of its anchor.
 * @throws {CircuitError} `BAD_REQUEST` for an environment that is not `NAME=VALUE`; a name alone
 * would have the engine copy the server's own variable.
 */
export function createArguments(run: ContainerRun, name: string, path: string): string[] {
  parseEnv(run.env ?? []);
  const flags = [
    `--name=${name}`,
    `--label=${LABEL}=${path}`,
    "--interactive",
    "--log-driver=none",
    "--pull=never",
  ];
  if (run.memory) flags.push(`--memory=${run.memory}b`);
  if (run.cpuShares) flags.push(`--cpu-shares=${run.cpuShares}`);
  for (const volume of run.volume ?? []) flags.push(`--volume=${volume}`);
  if (run.dir) flags.push(`--workdir=${run.dir}`);
  if (run.entry) flags.push(`--entrypoint=${run.entry}`);
  for (const pair of run.env ?? []) flags.push(`--env=${pair}`);
  const program = run.path ? [run.path] : [];
  return ["create", ...flags, "--", run.image, ...program, ...run.args ?? []];
}
